//! The tail: following the journal from a position, as it grows. One reader reads what is new, once, into a ring that many
//! followers read.
//!
//! Who is behind the ring reads the journal by itself until it has come up to it. The reader runs only while somebody
//! follows. Costs: one read for each commit, whoever many follow. Bounds: the ring keeps [`MOST_BYTES`] of lines, and a
//! follower keeps nothing between two calls.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::store::codec;
use crate::store::lines_of;

use super::{Head, Ledger, Position, ReadError, WeakLedger};

/// The most lines that are read together.
const AT_ONCE: usize = 256;
/// How many bytes of lines the ring keeps, about.
const MOST_BYTES: usize = 4 << 20;
/// How often the reader looks whether anybody still follows, when nothing is new.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// Lines of the journal that a follower has not seen.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The lines, each with its line feed.
    pub bytes: Bytes,
    /// The position of the last of them.
    pub last: Position,
}

/// The tail of one ledger's journal.
#[derive(Debug)]
pub(super) struct Tail {
    ring: Mutex<Option<Ring>>,
    /// Told when the ring has grown, or is there no more.
    grown: watch::Sender<()>,
    /// Held by each follower.
    followers: Mutex<Weak<()>>,
}

impl Default for Tail {
    fn default() -> Self {
        Self { ring: Mutex::new(None), grown: watch::Sender::new(()), followers: Mutex::default() }
    }
}

/// What was read last, without gaps.
#[derive(Debug)]
struct Ring {
    /// Everything that is in the ring comes after this position.
    start: Position,
    chunks: VecDeque<Lines>,
    bytes: usize,
}

/// What the ring has for a follower.
enum Found {
    /// These lines.
    Lines(Lines),
    /// The ring begins further on.
    Behind,
    /// Nothing is new.
    Nothing,
}

impl Ring {
    fn new(start: Position) -> Self {
        Self { start, chunks: VecDeque::new(), bytes: 0 }
    }

    fn end(&self) -> Position {
        self.chunks.back().map_or(self.start, |chunk| chunk.last)
    }

    fn push(&mut self, chunk: Lines) {
        self.bytes += chunk.bytes.len();
        self.chunks.push_back(chunk);
        while self.bytes > MOST_BYTES && self.chunks.len() > 1 {
            if let Some(oldest) = self.chunks.pop_front() {
                self.bytes -= oldest.bytes.len();
                self.start = oldest.last;
            }
        }
    }

    fn after(&self, position: Position) -> Found {
        if position < self.start {
            return Found::Behind;
        }
        let next = self.chunks.partition_point(|chunk| chunk.last <= position);
        match self.chunks.get(next) {
            Some(chunk) => Found::Lines(chunk.after(position)),
            None => Found::Nothing,
        }
    }
}

impl Lines {
    fn of(bytes: Vec<u8>) -> Option<Self> {
        let last = lines_of(&bytes).last().and_then(codec::position_of)?;
        Some(Self { bytes: bytes.into(), last })
    }

    /// Those of them that come after a position.
    fn after(&self, position: Position) -> Self {
        let seen = |line: &&[u8]| codec::position_of(line).is_some_and(|at| at <= position);
        let skipped: usize = lines_of(&self.bytes).take_while(seen).map(|line| line.len() + 1).sum();
        Self { bytes: self.bytes.slice(skipped.min(self.bytes.len())..), last: self.last }
    }
}

/// One who follows the journal.
#[derive(Clone)]
pub struct Follower {
    ledger: Ledger,
    after: Position,
    grown: watch::Receiver<()>,
    _follows: Arc<()>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("after", &self.after).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Follows the journal from after a position. Inside a tokio runtime.
    #[must_use]
    pub fn follow(&self, after: Position) -> Follower {
        let tail = &self.0.tail;
        let _follows = {
            let mut followers = tail.followers.lock();
            followers.upgrade().unwrap_or_else(|| {
                let first = Arc::new(());
                *followers = Arc::downgrade(&first);
                first
            })
        };
        Follower { ledger: self.clone(), after, grown: tail.grown.subscribe(), _follows }
    }
}

impl Follower {
    /// The next lines, as soon as there are some. It may be dropped before it is ready: nothing is lost by that.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn next(&mut self) -> Result<Lines, ReadError> {
        loop {
            self.grown.borrow_and_update();
            match self.found() {
                Found::Lines(lines) => return Ok(self.seen(lines)),
                Found::Behind => {
                    let lines = self.ledger.lines(self.after, AT_ONCE).await?;
                    if let Some(lines) = Lines::of(lines) {
                        return Ok(self.seen(lines));
                    }
                    // Nothing more is there yet, and what comes next comes into the ring.
                    self.after = self.after.max(self.start());
                }
                // The sender lives as long as the ledger, which this holds.
                Found::Nothing => drop(self.grown.changed().await),
            }
        }
    }

    fn found(&self) -> Found {
        let mut ring = self.ledger.0.tail.ring.lock();
        match &*ring {
            Some(ring) => ring.after(self.after),
            None => {
                let head = self.ledger.0.head.clone();
                let start = head.borrow().position;
                *ring = Some(Ring::new(start));
                tokio::spawn(read(self.ledger.downgrade(), head));
                if self.after < start { Found::Behind } else { Found::Nothing }
            }
        }
    }

    /// Where the ring begins.
    fn start(&self) -> Position {
        self.ledger.0.tail.ring.lock().as_ref().map_or(0, |ring| ring.start)
    }

    fn seen(&mut self, lines: Lines) -> Lines {
        self.after = lines.last;
        lines
    }
}

/// Reads what is new into the ring, while somebody follows. When it can't read, the followers find no ring and read by
/// themselves, so that each is told why.
async fn read(ledger: WeakLedger, mut head: watch::Receiver<Head>) {
    let _ring = Retired(ledger.clone());
    loop {
        head.borrow_and_update();
        let Some(ledger) = ledger.upgrade().filter(Ledger::is_followed) else { return };
        match ledger.read_on().await {
            Ok(true) => continue,
            Ok(false) => drop(ledger),
            Err(error) => return tracing::debug!(%error, "the journal's tail can't be read"),
        }
        if let Ok(Err(_ended)) = tokio::time::timeout(LOOK_AROUND, head.changed()).await {
            return;
        }
    }
}

impl Ledger {
    fn is_followed(&self) -> bool {
        self.0.tail.followers.lock().strong_count() > 0
    }

    /// Reads what is behind the ring's end into the ring; says whether there was anything.
    async fn read_on(&self) -> Result<bool, ReadError> {
        let tail = &self.0.tail;
        let end = tail.ring.lock().as_ref().map_or(0, Ring::end);
        if self.head().position <= end {
            return Ok(false);
        }
        let Some(lines) = Lines::of(self.lines(end, AT_ONCE).await?) else { return Ok(false) };
        if let Some(ring) = &mut *tail.ring.lock() {
            ring.push(lines);
        }
        tail.grown.send_replace(());
        Ok(true)
    }
}

/// Takes the ring away when its reader ends, whatever ends it, and lets the followers know.
struct Retired(WeakLedger);

impl Drop for Retired {
    fn drop(&mut self) {
        if let Some(ledger) = self.0.upgrade() {
            *ledger.0.tail.ring.lock() = None;
            ledger.0.tail.grown.send_replace(());
        }
    }
}
