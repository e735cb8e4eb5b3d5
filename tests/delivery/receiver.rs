//! A receiver of webhooks over real sockets, which does with each message what the test says, and keeps what arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// An `Arrival` is one request as it arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub id: String,
    pub position: u64,
    pub subject: String,
    pub revision: u64,
    pub attempt: u32,
    pub term: u64,
    pub is_late: bool,
    /// This is true where the receiver took the message, whatever it answered.
    pub is_taken: bool,
}

/// A `Does` is what the receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Takes,
    /// It answers with this status, and wants to be left alone for so many seconds.
    Answers(u16, Option<u32>),
    /// It takes the message, and the connection breaks before the answer.
    TakesAndBreaks,
    Breaks,
    /// It takes the message, and its answer has no end.
    TakesWithoutEnd,
}

pub struct Receiver {
    pub address: SocketAddr,
    heard: Arc<Heard>,
}

struct Heard {
    arrivals: Mutex<Vec<Arrival>>,
    is_over: AtomicBool,
}

impl Receiver {
    /// Starts a receiver. What it does is asked with each request and how often its message came before.
    pub fn start(does: impl Fn(&Arrival, usize) -> Does + Send + Sync + 'static) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), does)
    }

    /// Starts one at an address. What was bound there may be open for a moment longer.
    pub fn start_at(
        address: SocketAddr,
        does: impl Fn(&Arrival, usize) -> Does + Send + Sync + 'static,
    ) -> Self {
        let listener = loop {
            match TcpListener::bind(address) {
                Ok(listener) => break listener,
                Err(_) => std::thread::yield_now(),
            }
        };
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Heard { arrivals: Mutex::default(), is_over: AtomicBool::new(false) });
        let (hears, does) = (Arc::clone(&heard), Arc::new(does));
        std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                if hears.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (hears, does) = (Arc::clone(&hears), Arc::clone(&does));
                std::thread::spawn(move || while serve(&socket, &hears, &*does).is_some() {});
            }
        });
        Self { address, heard }
    }

    /// Returns everything that arrived, in order.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.heard.arrivals.lock().unwrap().clone()
    }

    /// Returns how often each message was taken, by its position.
    pub fn taken(&self) -> BTreeMap<u64, usize> {
        let mut taken = BTreeMap::new();
        for arrival in self.arrivals().iter().filter(|arrival| arrival.is_taken) {
            *taken.entry(arrival.position).or_default() += 1;
        }
        taken
    }

    /// Checks that those of each account were taken in their order, the first time that each was, but for the late ones.
    pub fn assert_in_order(&self) {
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for arrival in self.arrivals().into_iter().filter(|arrival| arrival.is_taken && !arrival.is_late) {
            if seen.insert(arrival.id.clone()) {
                let before = last.insert(arrival.subject.clone(), arrival.revision);
                assert!(before.is_none_or(|before| before < arrival.revision), "out of order: {arrival:?}");
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.heard.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

/// Serves one request of a connection; `None` where the connection is over.
fn serve(socket: &TcpStream, heard: &Heard, does: &dyn Fn(&Arrival, usize) -> Does) -> Option<()> {
    let mut arrival = read(socket)?;
    let mut arrivals = heard.arrivals.lock().unwrap();
    let before = arrivals.iter().filter(|other| other.id == arrival.id).count();
    let does = does(&arrival, before);
    arrival.is_taken = !matches!(does, Does::Answers(..) | Does::Breaks);
    arrivals.push(arrival);
    drop(arrivals);
    let mut out = socket;
    match does {
        Does::Takes => out.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok(),
        Does::Answers(status, retry) => {
            let retry = retry.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
            write!(out, "HTTP/1.1 {status} Said\r\n{retry}content-length: 3\r\n\r\nno!").ok()
        }
        Does::TakesAndBreaks | Does::Breaks => {
            socket.shutdown(Shutdown::Both).ok();
            None
        }
        Does::TakesWithoutEnd => {
            out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n").ok()?;
            while out.write_all(&[b'a'; 16_384]).is_ok() {}
            None
        }
    }
}

fn read(socket: &TcpStream) -> Option<Arrival> {
    let mut reader = BufReader::new(socket);
    let (mut head, mut line) = (Vec::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head.push(std::mem::take(&mut line).trim_end().to_owned());
    }
    let header = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let mut body = vec![0; header("content-length")?.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(header("webhook-id"), body["id"].as_str());
    Some(Arrival {
        id: body["id"].as_str()?.to_owned(),
        position: header("bookonce-position").map_or(0, |position| position.parse().unwrap()),
        subject: body["subject"].as_str()?.to_owned(),
        revision: body["revision"].as_str().map_or(0, |revision| revision.parse().unwrap()),
        attempt: header("bookonce-attempt")?.parse().unwrap(),
        term: header("bookonce-term")?.parse().unwrap(),
        is_late: header("bookonce-late") == Some("true"),
        is_taken: false,
    })
}
