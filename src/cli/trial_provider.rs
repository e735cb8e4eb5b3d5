//! A [`TrialProvider`] is a payout provider on loopback, for demonstrations and measurements. Whoever starts one says how it
//! answers.
//!
//! It reads one request on each connection, as services send them, and closes it after the reply. A reply that is lost is a
//! connection that is closed without one.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// This is the longest request that is read.
const LONGEST: usize = 64 << 10;

/// A `Way` says what is asked about a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is to be paid.
    Pay,
    /// What has become of it?
    Ask,
    /// It is not to be paid any more.
    Cancel,
}

/// A `Call` is one request about one payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// This is what is asked.
    pub(crate) way: Way,
    /// This is the payout's key.
    pub(crate) key: String,
    /// This is the amount that is to be paid; empty where nothing is.
    pub(crate) amount: String,
}

/// `Answers` say what a provider replies to each call.
pub(crate) trait Answers: Send + Sync + 'static {
    /// Returns the reply, which is JSON; `None` where it is lost.
    fn answer(&self, call: Call) -> impl Future<Output = Option<&'static str>> + Send;
}

/// A `TrialProvider` listens until it is dropped.
#[derive(Debug)]
pub(crate) struct TrialProvider {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl TrialProvider {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// Fails when it can't listen.
    pub(crate) async fn start(answers: Arc<impl Answers>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, serving: tokio::spawn(serve(listener, answers)) })
    }

    /// Returns its part of a settings file, with more settings. `asks` says that it can be asked and that payouts can be
    /// cancelled there.
    pub(crate) fn settings(&self, name: &str, repeat: &str, asks: bool, more: &str) -> String {
        let at = format!("http://{}", self.address);
        let asked = format!("status_url = \"{at}/ask/{{key}}\"\ncancel_url = \"{at}/cancel/{{key}}\"\n");
        let asked = if asks { asked.as_str() } else { "" };
        format!("[providers.{name}]\nurl = \"{at}/pay\"\nrepeat = \"{repeat}\"\n{asked}{more}\n")
    }
}

impl Drop for TrialProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, answers: Arc<impl Answers>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(one(stream, Arc::clone(&answers)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers the one request of a connection. Whoever asks learns of a connection that breaks by that.
async fn one(mut stream: TcpStream, answers: Arc<impl Answers>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::with_capacity(1024);
    let call = loop {
        if stream.read_buf(&mut bytes).await? == 0 || bytes.len() > LONGEST {
            return Ok(());
        }
        if let Some(call) = read(&bytes) {
            break call;
        }
    };
    if let Some(reply) = answers.answer(call).await {
        let length = reply.len();
        let reply =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{reply}");
        stream.write_all(reply.as_bytes()).await?;
        stream.shutdown().await?;
    }
    Ok(())
}

/// Reads a request; `None` while it is not whole, or where it is another one than services send.
fn read(bytes: &[u8]) -> Option<Call> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if body.len() < length.unwrap_or(0) {
        return None;
    }
    let path = head.split(' ').nth(1)?;
    let named = |place: &str| path.strip_prefix(place).map(|key| key.replace("%3A", ":"));
    if let Some(key) = named("/ask/") {
        return Some(Call { way: Way::Ask, key, amount: String::new() });
    }
    if let Some(key) = named("/cancel/") {
        return Some(Call { way: Way::Cancel, key, amount: String::new() });
    }
    let body: Value = serde_json::from_str(body).ok()?;
    let member = |name: &str| body[name].as_str().map(str::to_owned);
    Some(Call { way: Way::Pay, key: member("id")?, amount: member("amount")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_when_it_is_whole() {
        let body = r#"{"id":"a:payout:1","transfer":"a","amount":"40.00"}"#;
        let text = format!("POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let call = Call { way: Way::Pay, key: "a:payout:1".to_owned(), amount: "40.00".to_owned() };
        assert_eq!(read(text.as_bytes()), Some(call));
        assert_eq!(read(&text.as_bytes()[..text.len() - 1]), None);
        for (line, way) in
            [("GET /ask/a%3Apayout%3A1", Way::Ask), ("POST /cancel/a%3Apayout%3A1", Way::Cancel)]
        {
            let call = read(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
            assert_eq!((call.way, call.key.as_str()), (way, "a:payout:1"));
        }
    }
}
