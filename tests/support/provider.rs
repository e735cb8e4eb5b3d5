//! [`Provider`] is a payout provider over loopback sockets. It keeps books of what it paid, counts its calls, and does with
//! each what its script says.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A `Does` is what it does with one call.
#[derive(Clone, Debug)]
pub enum Does {
    /// It pays, and says so. A key that it paid before it answers again, where it honours keys.
    Pay,
    /// It pays so much, and says so.
    Part(&'static str),
    /// It declines, and never pays this key.
    Decline,
    /// It pays, but says that it is at work.
    Work,
    /// It pays, and the reply is lost.
    Lose,
    /// It never gets the call.
    Vanish,
    /// It does nothing, and says this.
    Say(u16, String),
    /// It pays, and says this.
    PayAndSay(u16, String),
    /// It does nothing, and sends the reply to another address.
    Redirect,
    /// It does nothing, and sends a byte a second.
    Drip,
    /// It waits until [`Provider::go_on`], and then pays.
    Wait,
}

/// A `Call` is one call that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub line: String,
    pub head: String,
    pub body: String,
}

#[derive(Default)]
struct Books {
    /// These are the amounts that were paid, by key.
    paid: BTreeMap<String, Vec<String>>,
    cancelled: BTreeSet<String>,
    declined: BTreeSet<String>,
    calls: Vec<Call>,
    scripts: [VecDeque<Does>; 3],
    goes_on: bool,
}

/// A `Provider` is a running payout provider. It stops when it is dropped.
pub struct Provider {
    address: SocketAddr,
    books: Arc<(Mutex<Books>, Condvar)>,
    stops: Arc<AtomicBool>,
}

impl Provider {
    /// Starts one that pays a key once, or each time that it is asked to.
    pub fn start(honours_keys: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::new((Mutex::new(Books::default()), Condvar::new()));
        let stops = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&books), Arc::clone(&stops));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || answer(socket.unwrap(), &shared, honours_keys));
            }
        });
        Self { address, books, stops }
    }

    /// Says what it does with the next payouts that come; then it pays.
    pub fn pays(&self, script: impl IntoIterator<Item = Does>) {
        self.books.0.lock().unwrap().scripts[0].extend(script);
    }

    /// Says what it does with the next questions; then it answers as its books are.
    pub fn tells(&self, script: impl IntoIterator<Item = Does>) {
        self.books.0.lock().unwrap().scripts[1].extend(script);
    }

    /// Says what it does with the next cancels; then it cancels what is not paid.
    pub fn cancels(&self, script: impl IntoIterator<Item = Does>) {
        self.books.0.lock().unwrap().scripts[2].extend(script);
    }

    /// Lets what waits go on.
    pub fn go_on(&self) {
        self.books.0.lock().unwrap().goes_on = true;
        self.books.1.notify_all();
    }

    /// Returns the settings of it, as `[providers.atm]` has them, with more of them. A call may take a minute, where those do
    /// not say it: no machine is so slow that a call is given up which the provider answers.
    pub fn settings(&self, repeat: &str, means: &str, more: &str) -> String {
        let at = format!("http://{}", self.address);
        let mut text = format!("url = '{at}/pay'\nrepeat = '{repeat}'\n{more}");
        if !more.contains("timeout_seconds") {
            text.push_str("timeout_seconds = 60\n");
        }
        if means.contains("ask") {
            text.push_str(&format!("status_url = '{at}/ask/{{key}}'\n"));
        }
        if means.contains("cancel") {
            text.push_str(&format!("cancel_url = '{at}/cancel/{{key}}'\n"));
        }
        text
    }

    /// Returns the calls that came, in their order.
    pub fn calls(&self) -> Vec<Call> {
        self.books.0.lock().unwrap().calls.clone()
    }

    /// Counts the calls whose line begins so.
    pub fn count(&self, line: &str) -> usize {
        self.calls().iter().filter(|call| call.line.starts_with(line)).count()
    }

    /// Waits until so many such calls have come.
    pub fn until(&self, line: &str, count: usize) {
        let begun = Instant::now();
        while self.count(line) < count {
            assert!(begun.elapsed() < Duration::from_secs(120), "{line}: {:?}", self.calls());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns what was paid for a transfer.
    pub fn paid(&self, transfer: &str) -> Vec<String> {
        let key = format!("{transfer}:payout:1");
        self.books.0.lock().unwrap().paid.get(&key).cloned().unwrap_or_default()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::SeqCst);
        self.go_on();
        drop(TcpStream::connect(self.address));
    }
}

fn read(socket: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let line = text.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
                return Some(Call { line, head, body: body.to_owned() });
            }
        }
        let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
}

fn answer(mut socket: TcpStream, shared: &(Mutex<Books>, Condvar), honours_keys: bool) {
    let Some(call) = read(&mut socket) else { return };
    let kind = ["POST /pay", "GET /ask/", "POST /cancel/"].iter().position(|way| call.line.starts_with(way));
    let kind = kind.unwrap_or_else(|| panic!("{call:?}"));
    let key = match kind {
        0 => {
            serde_json::from_str::<serde_json::Value>(&call.body).unwrap()["id"].as_str().unwrap().to_owned()
        }
        _ => call.line.rsplit('/').next().unwrap().replace("%3A", ":"),
    };
    let mut books = shared.0.lock().unwrap();
    let amount = serde_json::from_str::<serde_json::Value>(&call.body)
        .ok()
        .and_then(|body| Some(body["amount"].as_str()?.to_owned()));
    books.calls.push(call);
    let does = books.scripts[kind].pop_front();
    if matches!(does, Some(Does::Wait)) {
        books = shared.1.wait_while(books, |books| !books.goes_on).unwrap();
    }
    let reply = match (does, kind) {
        (Some(Does::Say(status, body)), _) => Some((status, body)),
        (Some(Does::Vanish), _) => None,
        (Some(Does::Redirect), _) => Some((307, String::new())),
        (Some(Does::Drip), _) => {
            drop(books);
            return drip(socket);
        }
        (does, 0) => pay(&mut books, &key, &amount.unwrap(), does.unwrap_or(Does::Pay), honours_keys),
        (_, 1) => Some((200, tells(&books, &key))),
        (_, _) => {
            if !books.paid.contains_key(&key) {
                books.cancelled.insert(key.clone());
            }
            Some((200, tells(&books, &key)))
        }
    };
    drop(books);
    let Some((status, body)) = reply else { return };
    let _gone_already = write!(
        socket,
        "HTTP/1.1 {status} Any\r\nlocation: /elsewhere\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn pay(books: &mut Books, key: &str, asked: &str, does: Does, honours_keys: bool) -> Option<(u16, String)> {
    let is_over = books.cancelled.contains(key) || books.declined.contains(key);
    if is_over || matches!(does, Does::Decline) {
        books.declined.insert(key.to_owned());
        return Some((402, r#"{"outcome":"declined","code":"no notes"}"#.to_owned()));
    }
    let amount = if let Does::Part(amount) = does { amount } else { asked };
    let paid = books.paid.entry(key.to_owned()).or_default();
    if paid.is_empty() || !honours_keys {
        paid.push(amount.to_owned());
    }
    match does {
        Does::Lose => None,
        Does::Work => Some((202, r#"{"outcome":"working"}"#.to_owned())),
        Does::PayAndSay(status, body) => Some((status, body)),
        _ => Some((200, tells(books, key))),
    }
}

/// Says how the books are.
fn tells(books: &Books, key: &str) -> String {
    match books.paid.get(key).and_then(|paid| paid.first()) {
        Some(amount) => format!(r#"{{"outcome":"done","amount":"{amount}","reference":"slip 7"}}"#),
        None if books.cancelled.contains(key) || books.declined.contains(key) => {
            r#"{"outcome":"declined"}"#.to_owned()
        }
        None => r#"{"outcome":"unknown"}"#.to_owned(),
    }
}

fn drip(mut socket: TcpStream) {
    let _gone = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n");
    for byte in br#"{"outcome":"done"}"# {
        if socket.write_all(&[*byte]).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}
