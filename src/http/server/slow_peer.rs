//! The pace of a connection says whether a peer is too slow: it does not send, or does not take what it is sent.
//!
//! Such a peer is cut off. Deadlines are two atomic numbers that the socket's own reads and writes move; each connection has
//! one timer, which looks at them twice a second. A request that is in time costs no timer of its own.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const NEVER: u64 = u64::MAX;
/// This is how late a deadline may be noticed, in milliseconds.
const TICK_MS: u64 = 500;
/// This is how long, and for how many bytes, a peer is listened to after the last answer, so that the answer is not
/// lost to a reset (RFC 9112 section 9.6).
const LINGER_MS: u64 = 1_000;
const LINGER_BYTES: usize = 1024 * 1024;

/// `Allowed` are the times that a peer is allowed, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// This is the time for the head of a request, from its first byte; for the first request, from the connection's
    /// start.
    pub(crate) head_ms: u64,
    /// This is the time between requests.
    pub(crate) idle_ms: u64,
    /// This is the time for taking the next bytes of an answer.
    pub(crate) write_ms: u64,
}

/// A `Pace` has a connection's deadlines.
#[derive(Debug)]
pub(crate) struct Pace {
    started: Instant,
    allowed: Allowed,
    idle: AtomicBool,
    read_by: AtomicU64,
    write_by: AtomicU64,
}

impl Pace {
    pub(crate) fn new(allowed: Allowed) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            allowed,
            idle: AtomicBool::new(false),
            read_by: AtomicU64::new(allowed.head_ms),
            write_by: AtomicU64::new(NEVER),
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NEVER)
    }

    /// Notes that a request's head is complete. Its body has a deadline of its own.
    pub(crate) fn request_began(&self) {
        self.idle.store(false, Ordering::Relaxed);
        self.read_by.store(NEVER, Ordering::Relaxed);
    }

    /// Notes that the request's answer is being sent.
    pub(crate) fn request_ended(&self) {
        self.idle.store(true, Ordering::Relaxed);
    }

    fn read_some(&self) {
        if self.idle.swap(false, Ordering::Relaxed) {
            self.read_by.store(self.now_ms().saturating_add(self.allowed.head_ms), Ordering::Relaxed);
        }
    }

    fn wrote_some(&self) {
        self.write_by.store(NEVER, Ordering::Relaxed);
        if self.idle.load(Ordering::Relaxed) {
            self.read_by.store(self.now_ms().saturating_add(self.allowed.idle_ms), Ordering::Relaxed);
        }
    }

    fn write_waits(&self) {
        if self.write_by.load(Ordering::Relaxed) == NEVER {
            self.write_by.store(self.now_ms().saturating_add(self.allowed.write_ms), Ordering::Relaxed);
        }
    }

    /// Waits until the peer is too late.
    pub(crate) async fn overdue(&self) {
        loop {
            let by = self.read_by.load(Ordering::Relaxed).min(self.write_by.load(Ordering::Relaxed));
            let left = by.saturating_sub(self.now_ms());
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left.min(TICK_MS))).await;
        }
    }
}

/// A `Paced` is a socket that keeps its pace up to date, and lingers when it is shut down.
pub(crate) struct Paced<I> {
    socket: I,
    pace: Arc<Pace>,
    lingering: Option<usize>,
}

impl<I> Paced<I> {
    pub(crate) fn new(socket: I, pace: Arc<Pace>) -> Self {
        Self { socket, pace, lingering: None }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Paced<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, into);
        if into.filled().len() > before {
            self.pace.read_some();
        }
        polled
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.note(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(context, parts);
        self.note(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(context))?;
            this.lingering = Some(0);
            this.pace.read_by.store(this.pace.now_ms().saturating_add(LINGER_MS), Ordering::Relaxed);
        }
        let mut scratch = [0; 4096];
        loop {
            let mut into = ReadBuf::new(&mut scratch);
            let ended = ready!(Pin::new(&mut this.socket).poll_read(context, &mut into)).is_err();
            let read = into.filled().len();
            let total = this.lingering.unwrap_or_default() + read;
            if ended || read == 0 || total > LINGER_BYTES {
                return Poll::Ready(Ok(()));
            }
            this.lingering = Some(total);
        }
    }
}

impl<I> Paced<I> {
    fn note(&self, polled: &Poll<io::Result<usize>>) {
        match polled {
            Poll::Pending => self.pace.write_waits(),
            Poll::Ready(_) => self.pace.wrote_some(),
        }
    }
}
