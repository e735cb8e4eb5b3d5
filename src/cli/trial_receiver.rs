//! A [`TrialReceiver`] is a receiver of messages on loopback, for demonstrations and measurements. Whoever starts one says what
//! it does with each message.
//!
//! It keeps a connection open for one request after the other, as a receiver does that many messages come to. An answer that is
//! lost is a connection that is closed without one.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// This is the longest request that is read.
const LONGEST: usize = 1 << 20;

/// `Receives` say what a receiver does with each message.
pub(crate) trait Receives: Send + Sync + 'static {
    /// Takes the body of a request, and returns the status of the answer; `None` where it is lost.
    fn receive(&self, body: &[u8]) -> impl Future<Output = Option<u16>> + Send;
}

/// A `TrialReceiver` listens until it is dropped.
#[derive(Debug)]
pub(crate) struct TrialReceiver {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl TrialReceiver {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// Fails when it can't listen.
    pub(crate) async fn start(receives: Arc<impl Receives>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, serving: tokio::spawn(serve(listener, receives)) })
    }

    /// Returns the settings of a destination that sends to it, with more of them.
    pub(crate) fn settings(&self, name: &str, guarantee: &str, more: &str) -> String {
        settings(name, self.address, guarantee, more)
    }
}

/// Returns the settings of a destination on loopback that gets everything from the start.
pub(crate) fn settings(name: &str, at: SocketAddr, guarantee: &str, more: &str) -> String {
    format!(
        "[destinations.{name}]\nkind = \"webhook\"\nurl = \"http://{at}/\"\nallow_http = true\n\
         allow_private = [\"127.0.0.1\"]\nguarantee = \"{guarantee}\"\nfrom = \"start\"\n{more}\n"
    )
}

impl Drop for TrialReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, receives: Arc<impl Receives>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(each(stream, Arc::clone(&receives)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers one request of a connection after the other, until it is closed or an answer is lost.
async fn each(mut stream: TcpStream, receives: Arc<impl Receives>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::with_capacity(4096);
    loop {
        let Some((head, end)) = whole(&bytes) else {
            if bytes.len() > LONGEST || stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let body = bytes.get(head..end).unwrap_or_default();
        let Some(status) = receives.receive(body).await else { return Ok(()) };
        stream.write_all(format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n").as_bytes()).await?;
        bytes.drain(..end);
    }
}

/// Returns where the body of the first request begins and ends; `None` while it is not whole.
fn whole(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")?.checked_add(4)?;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head.checked_add(length.unwrap_or(0))?;
    (bytes.len() >= end).then_some((head, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against: a message that is cut, or read together with the next one.
    #[test]
    fn a_request_is_whole_with_its_last_byte() {
        let request = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}POST";
        let end = request.len() - 4;
        assert_eq!(whole(request), Some((end - 2, end)));
        assert!((0..end).all(|length| whole(&request[..length]).is_none()));
    }
}
