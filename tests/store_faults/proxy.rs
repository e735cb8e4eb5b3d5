//! The proxy stands between one instance and the node, and loses what it is told to lose.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loses {
    Nothing,
    /// Nothing of what the instance sends arrives.
    Requests,
    /// Nothing of what the node answers arrives.
    Answers,
}

pub struct Proxy {
    address: SocketAddr,
    loses: Arc<watch::Sender<Loses>>,
}

impl Proxy {
    pub async fn before(node: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let loses = Arc::new(watch::Sender::new(Loses::Nothing));
        let sender = Arc::clone(&loses);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, node, sender.subscribe()));
            }
        });
        Self { address, loses }
    }

    pub fn connection_string(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    /// From now on. When all is well again, connections that lost something end.
    pub fn loses(&self, what: Loses) {
        self.loses.send_replace(what);
    }
}

async fn connection(client: TcpStream, node: SocketAddr, loses: watch::Receiver<Loses>) {
    let Ok(node) = TcpStream::connect(node).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_node, to_node) = node.into_split();
    let mut mended = loses.clone();
    let mended = async {
        drop(mended.wait_for(|loses| *loses != Loses::Nothing).await);
        drop(mended.wait_for(|loses| *loses == Loses::Nothing).await);
    };
    tokio::select! {
        () = pass(from_client, to_node, &loses, Loses::Requests) => {}
        () = pass(from_node, to_client, &loses, Loses::Answers) => {}
        () = mended => {}
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    loses: &watch::Receiver<Loses>,
    kind: Loses,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if *loses.borrow() != kind && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
