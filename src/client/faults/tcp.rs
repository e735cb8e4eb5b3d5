//! The proxy for connections does harm to any protocol over TCP, such as a broker's: it delays, cuts, swallows and
//! half-closes.
//!
//! What happens to a connection follows from the seed and its number, so that a run can be repeated.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::rates::{chosen, drawn};
use crate::client::random::mix;

/// A connection is cut after at most this many bytes of answers.
const LONGEST_UNCUT: u64 = 4096;
/// This much is passed on at once.
const PIECE: usize = 16 * 1024;

/// A `TcpFault` is what is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpFault {
    /// It passes untouched.
    None,
    /// Each piece of it waits so long, in both directions.
    Delay(Duration),
    /// It breaks after so many bytes of answers.
    Cut(u64),
    /// It is accepted, and what is sent on it is swallowed. Nothing is ever answered.
    BlackHole,
    /// After the first byte of an answer nothing more is answered, while what is sent still arrives.
    HalfClose,
}

/// TCP rates say how often each fault happens, in a thousand connections.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpRates {
    /// [`TcpFault::Delay`].
    pub delay: u64,
    /// [`TcpFault::Cut`].
    pub cut: u64,
    /// [`TcpFault::BlackHole`].
    pub black_hole: u64,
    /// [`TcpFault::HalfClose`].
    pub half_close: u64,
    /// This is the longest delay.
    pub longest_delay: Duration,
}

impl TcpRates {
    /// Returns the sum of the rates, which is at most a thousand.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.delay + self.cut + self.black_hole + self.half_close
    }

    /// Gives the fault that this number draws.
    #[must_use]
    pub fn draw(&self, number: u64) -> TcpFault {
        let faults = [
            (self.delay, TcpFault::Delay(drawn(self.longest_delay, number))),
            (self.cut, TcpFault::Cut(1 + mix(number ^ 2) % LONGEST_UNCUT)),
            (self.black_hole, TcpFault::BlackHole),
            (self.half_close, TcpFault::HalfClose),
        ];
        chosen(&faults, number).unwrap_or(TcpFault::None)
    }
}

/// Counts of the connections so far.
#[derive(Debug, Default)]
pub struct TcpCounts {
    /// This is the number of connections that came.
    pub came: AtomicU64,
    /// This is the number of connections that met a fault.
    pub harmed: AtomicU64,
}

/// A `TcpProxy` runs until it is dropped.
#[derive(Debug)]
pub struct TcpProxy {
    /// This is the address at which clients reach it.
    pub address: SocketAddr,
    counts: Arc<TcpCounts>,
    _accepting: JoinSet<()>,
}

impl TcpProxy {
    /// Starts a proxy that listens at one address, in front of another.
    ///
    /// # Errors
    /// Fails when it can't listen there.
    pub async fn start(
        listen: SocketAddr,
        to: SocketAddr,
        seed: u64,
        rates: TcpRates,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let counts = Arc::new(TcpCounts::default());
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, to, (seed, rates), Arc::clone(&counts)));
        Ok(Self { address, counts, _accepting: accepting })
    }

    /// Gives the counts of what it did so far.
    #[must_use]
    pub fn counts(&self) -> &TcpCounts {
        &self.counts
    }
}

async fn accept(
    listener: TcpListener,
    to: SocketAddr,
    (seed, rates): (u64, TcpRates),
    counts: Arc<TcpCounts>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    let number = counts.came.fetch_add(1, Ordering::Relaxed);
                    let fault = rates.draw(mix(seed) ^ number);
                    if fault != TcpFault::None {
                        counts.harmed.fetch_add(1, Ordering::Relaxed);
                    }
                    // A connection that breaks is what this is for.
                    connections.spawn(async move { drop(serve(client, to, fault).await) });
                }
                // Out of file descriptors, or the like: give the others time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut client: TcpStream, to: SocketAddr, fault: TcpFault) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    if fault == TcpFault::BlackHole {
        return swallow(&mut client).await;
    }
    let mut service = TcpStream::connect(to).await?;
    service.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_service, to_service) = service.split();
    let delay = if let TcpFault::Delay(delay) = fault { delay } else { Duration::ZERO };
    let most = match fault {
        TcpFault::Cut(most) => Some(most),
        TcpFault::HalfClose => Some(0),
        TcpFault::None | TcpFault::Delay(_) | TcpFault::BlackHole => None,
    };
    let there = pass(from_client, to_service, delay, None);
    let back = pass(from_service, to_client, delay, most);
    if let TcpFault::Cut(_) = fault {
        // Both ends go with the first that has ended: that is the cut.
        tokio::select! { ended = there => ended, ended = back => ended }
    } else {
        tokio::try_join!(there, back).map(drop)
    }
}

/// Passes on what comes, until it ends or these many bytes were passed on; at least one piece of it is.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
    most: Option<u64>,
) -> std::io::Result<()> {
    let (mut piece, mut passed) = (vec![0; PIECE], 0_u64);
    loop {
        let length = from.read(&mut piece).await?;
        let Some(bytes) = piece.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let left =
            most.map_or(usize::MAX, |most| usize::try_from(most.saturating_sub(passed)).unwrap_or(0).max(1));
        to.write_all(bytes.get(..left).unwrap_or(bytes)).await?;
        passed = passed.saturating_add(length as u64);
        if most.is_some_and(|most| passed >= most) {
            break;
        }
    }
    to.shutdown().await
}

async fn swallow(from: &mut TcpStream) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    while from.read(&mut piece).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An echo in front of which is a proxy with one fault for all.
    async fn through(rates: TcpRates) -> (TcpProxy, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        let proxy = TcpProxy::start("127.0.0.1:0".parse().unwrap(), to, 7, rates).await.unwrap();
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        (proxy, stream)
    }

    async fn echoed(stream: &mut TcpStream, count: usize) -> Vec<u8> {
        stream.write_all(&vec![b'x'; count]).await.unwrap();
        let mut read = vec![0; count];
        let mut got = 0;
        while got < count {
            match stream.read(&mut read[got..]).await {
                Ok(0) | Err(_) => break,
                Ok(more) => got += more,
            }
        }
        read.truncate(got);
        read
    }

    #[tokio::test]
    async fn without_a_fault_and_with_a_delay_everything_passes() {
        for rates in [
            TcpRates::default(),
            TcpRates { delay: 1000, longest_delay: Duration::from_millis(5), ..TcpRates::default() },
        ] {
            let (proxy, mut stream) = through(rates).await;
            assert_eq!(echoed(&mut stream, 9_000).await.len(), 9_000);
            assert_eq!(proxy.counts().harmed.load(Ordering::Relaxed), u64::from(rates.delay > 0));
        }
    }

    #[tokio::test]
    async fn a_cut_connection_breaks_amid_the_answer() {
        let (_proxy, mut stream) = through(TcpRates { cut: 1000, ..TcpRates::default() }).await;
        let got = echoed(&mut stream, 9_000).await.len();
        assert!((1..=4096).contains(&got), "{got}");
    }

    #[tokio::test]
    async fn a_black_hole_takes_everything_and_says_nothing() {
        let (_proxy, mut stream) = through(TcpRates { black_hole: 1000, ..TcpRates::default() }).await;
        stream.write_all(b"anybody there?").await.unwrap();
        let said = tokio::time::timeout(Duration::from_millis(200), stream.read_u8()).await;
        assert!(said.is_err(), "{said:?}");
    }

    #[tokio::test]
    async fn a_half_closed_connection_takes_more_and_answers_no_more() {
        let (_proxy, mut stream) = through(TcpRates { half_close: 1000, ..TcpRates::default() }).await;
        assert_eq!(echoed(&mut stream, 1).await, b"x");
        let end = stream.read(&mut [0; 1]).await.unwrap();
        assert_eq!(end, 0);
        stream.write_all(b"more").await.unwrap();
    }
}
