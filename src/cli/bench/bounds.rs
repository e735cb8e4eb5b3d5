//! The bounds of reads are measured on a large ledger: what ordinary reads take beside writes, and what readers cost the
//! writes.
//!
//! The writes with readers and those without take turns. Whoever reads shares the machine with the service and the load, so
//! that a part of what the writes lose is the readers' own work on this side of the socket.

use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::client::random::Draws;

use super::beside::beside;
use super::rows::{heading, row, side};
use super::singles::{Phases, Rounds, Side, ratio};
use super::stats::Latencies;
use super::wire::{Accounts, Connection};

/// Writes are measured at this many connections.
const WRITERS: usize = 256;
/// This is the number of readers of lists.
const LISTS: usize = 10;
/// This is the number of live feeds.
const FEEDS: usize = 300;
/// This is the number of long reads.
const LONG: usize = 2;

/// The `Bounds` are the figures.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Bounds {
    /// This is the number of events.
    pub(crate) events: u64,
    /// This is the number of accounts.
    pub(crate) accounts: u32,
    /// These are the ordinary reads, beside writes over 256 connections.
    pub(crate) reads: Vec<OneRead>,
    /// These are the writes alone.
    pub(crate) alone: Side,
    /// These are the writes with ten readers of lists, 300 live feeds and two long reads.
    pub(crate) with_readers: Side,
    /// This is the 99th percentile with readers, divided by that without.
    pub(crate) p99_to_alone: f64,
    /// This is what the readers got meanwhile.
    pub(crate) read: Read,
    /// This is the most memory that the service has had, in MB (10^6 bytes).
    pub(crate) peak_mb: f64,
}

/// A `Read` says what the readers got, so that it shows when they were kept waiting.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Read {
    /// This is the number of pages of lists.
    pub(crate) pages: u64,
    /// This is what all feeds together were sent, in MB (10^6 bytes).
    pub(crate) fed_mb: u64,
    /// This is the number of long reads that ended, whatever was answered.
    pub(crate) long_reads: u64,
}

/// `Counts` are counted while the readers read.
#[derive(Default)]
struct Counts {
    pages: AtomicU64,
    fed: AtomicU64,
    long_reads: AtomicU64,
}

/// A `OneRead` has the figures of one kind of read.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct OneRead {
    /// This is what was asked for.
    pub(crate) path: String,
    /// This is the number of answers.
    pub(crate) answers: usize,
    /// Half of all answers took at most this.
    pub(crate) p50_ms: f64,
    /// 99 of 100 answers took at most this.
    pub(crate) p99_ms: f64,
}

impl Bounds {
    /// Adds the figures to a table.
    pub(crate) fn table(&self, text: &mut String) {
        heading(text, &format!("bounds, with {} events and {} accounts", self.events, self.accounts));
        for read in &self.reads {
            let value =
                format!("p50 {:.2} ms   p99 {:.2} ms   of {}", read.p50_ms, read.p99_ms, read.answers);
            row(text, &format!("{} ", read.path), value);
        }
        side(text, "writes alone", &self.alone);
        side(text, "writes with readers", &self.with_readers);
        row(text, "p99 with readers to alone", format!("{:.2}", self.p99_to_alone));
        let Read { pages, fed_mb, long_reads } = self.read;
        row(text, "read meanwhile", format!("{pages} pages, {fed_mb} MB of feeds, {long_reads} long reads"));
        row(text, "most memory", format!("{:.0} MB", self.peak_mb));
    }
}

/// Measures the service at this address, whose journal ends at `head`.
///
/// # Errors
/// Fails when the service can't be reached, or refuses an ordinary read.
pub(crate) fn measure(address: SocketAddr, phases: Phases, head: u64) -> Result<Bounds, Error> {
    let writes = phases.load(address, WRITERS, true);
    let reads = beside(|going| ordinary_reads(address, phases.accounts, head, going), || writes.send())?.0;
    let (mut alone, mut with_readers) = (Rounds::default(), Rounds::default());
    let counts = Counts::default();
    for _ in 0..phases.rounds {
        alone.add(&writes.send()?);
        let (ready, all_read) = mpsc::channel();
        let read = |going: &AtomicBool| readers(address, head, going, &counts, ready);
        let write = || {
            // Where the readers have failed, that is told at the end.
            let _ready_or_failed = all_read.recv();
            writes.send()
        };
        with_readers.add(&beside(read, write)?.1);
    }
    let (alone, with_readers) = (alone.side(), with_readers.side());
    Ok(Bounds {
        events: head,
        accounts: phases.accounts.count,
        reads,
        p99_to_alone: ratio(with_readers.p99_ms, alone.p99_ms),
        alone,
        with_readers,
        read: Read {
            pages: counts.pages.into_inner(),
            fed_mb: counts.fed.into_inner() / 1_000_000,
            long_reads: counts.long_reads.into_inner(),
        },
        peak_mb: 0.0,
    })
}

/// Sends each kind of ordinary read in turns, over one connection.
fn ordinary_reads(
    address: SocketAddr,
    accounts: Accounts,
    head: u64,
    going: &AtomicBool,
) -> Result<Vec<OneRead>, Error> {
    let (draws, mut connection) = (Draws::fresh(), Connection::open(address)?);
    // The accounts were opened by the first events, with a deposit each.
    let past = (head / 2).max(2 * u64::from(accounts.count)).min(head.saturating_sub(1));
    let then = {
        let middle = connection.get(&format!("/v1/journal?after={past}&limit=1"))?;
        let at = middle.split("\"recorded_at\":\"").nth(1).and_then(|rest| rest.split('"').next());
        at.ok_or(ErrorKind::InvalidData)?.to_owned()
    };
    let kinds = [
        "/v1/accounts/{account}".to_owned(),
        format!("/v1/accounts/{{account}}?at_position={past}"),
        format!("/v1/accounts/{{account}}?known_at={then}"),
        format!("/v1/accounts/{{account}}?as_of={then}"),
        "/v1/accounts/{account}/entries?limit=100".to_owned(),
        format!("/v1/accounts/{{account}}/entries?limit=100&to={then}"),
        "/v1/accounts/@cash".to_owned(),
        "/v1/accounts/@cash/entries?limit=100".to_owned(),
        "/v1/accounts?limit=100".to_owned(),
        "/v1/transactions?account={account}&limit=100".to_owned(),
        "/v1/transactions?limit=100".to_owned(),
        format!("/v1/journal?after={past}&limit=100"),
        "/v1/journal/head".to_owned(),
    ];
    let mut took = vec![Latencies::default(); kinds.len()];
    while going.load(Ordering::Acquire) {
        for (kind, took) in kinds.iter().zip(&mut took) {
            let path = kind.replace("{account}", &accounts.name(accounts.draw(&draws)));
            let begun = Instant::now();
            connection.get(&path)?;
            took.add(begun.elapsed());
        }
    }
    let figures = |(path, mut took): (String, Latencies)| OneRead {
        path,
        answers: took.count(),
        p50_ms: took.at_most_ms(500),
        p99_ms: took.at_most_ms(990),
    };
    Ok(kinds.into_iter().zip(took).map(figures).collect())
}

/// Reads lists, follows the journal and asks for the digest at an old position, all at once. It tells when all have begun.
fn readers(
    address: SocketAddr,
    head: u64,
    going: &AtomicBool,
    counts: &Counts,
    ready: mpsc::Sender<()>,
) -> Result<(), Error> {
    let now = super::large::head(address).map_err(|error| Error::other(error.to_string()))?;
    let feeds = (0..FEEDS).map(|_| feed(address, now)).collect::<Result<Vec<_>, Error>>()?;
    std::thread::scope(|threads| {
        let following = threads.spawn(move || follow(feeds, going, &counts.fed));
        let lists: Vec<_> = (0..LISTS)
            .map(|_| threads.spawn(|| ask_again(address, "/v1/accounts?limit=100", going, &counts.pages)))
            .collect();
        let path = format!("/v1/digest?at_position={}", head / 2);
        let long: Vec<_> = (0..LONG)
            .map(|_| {
                let path = path.clone();
                threads.spawn(move || ask_again(address, &path, going, &counts.long_reads))
            })
            .collect();
        drop(ready);
        for thread in std::iter::once(following).chain(lists).chain(long) {
            thread.join().map_err(|_| Error::other("a reader broke down"))??;
        }
        Ok(())
    })
}

/// Asks the same again and again, and counts the answers.
fn ask_again(address: SocketAddr, path: &str, going: &AtomicBool, answers: &AtomicU64) -> Result<(), Error> {
    let mut connection = Connection::open(address)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while going.load(Ordering::Acquire) {
        connection.ask(&[request.as_bytes()])?;
        answers.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn feed(address: SocketAddr, after: u64) -> Result<TcpStream, Error> {
    let mut stream = TcpStream::connect(address)?;
    let request = format!("GET /v1/journal/live?after={after} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Takes what the feeds send, counts its bytes, and throws it away.
fn follow(mut feeds: Vec<TcpStream>, going: &AtomicBool, fed: &AtomicU64) -> Result<(), Error> {
    let mut taken = vec![0; 256 << 10];
    while going.load(Ordering::Acquire) {
        for feed in &mut feeds {
            match feed.read(&mut taken) {
                Ok(read) => drop(fed.fetch_add(read as u64, Ordering::Relaxed)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
