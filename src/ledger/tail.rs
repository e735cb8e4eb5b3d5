//! The tail follows the journal from a position on, as it grows. One reader reads what is new, once, into a ring, and
//! many followers read from the ring.
//!
//! A follower that is behind the ring reads the journal by itself until it has come up to it. The reader runs only
//! while somebody follows. It costs at most one read for each commit, however many follow; where commits come quickly, it
//! reads several of them together. The ring keeps 4 MiB of lines, as they are stored and as they are sent, and a follower
//! keeps nothing between two calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::store::{Head, Position};

use super::handle::{Ledger, WeakLedger};
use super::ring::{Found, Lines, Ring};
use super::types::ReadError;
use super::wakes::Round;

/// This is the most lines that are read together.
const AT_ONCE: usize = 256;
/// This is how long lines gather after the last ones were read, unless more are there than are read together. To wake all
/// followers for each commit would take the machine away from those who write.
const GATHER: Duration = Duration::from_millis(10);
/// This is how long the reader rests for each byte that all followers of the ring together are given: they get 125 MB a
/// second at most. When more is recorded than can be sent, the followers fall back, and the writers do not.
const NANOSECONDS_PER_BYTE: u64 = 8;
/// This is how often the reader looks whether anybody still follows, when nothing is new.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// A `Follower` reads the journal as it grows.
#[derive(Clone)]
pub struct Follower {
    ledger: Ledger,
    after: Position,
    grown: watch::Receiver<()>,
    /// This is true when it has once come up to the ring.
    live: bool,
    /// This is since when it is behind the ring, where it was live before.
    behind_since: Option<Instant>,
    _follows: Arc<()>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("after", &self.after).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Follows the journal from after a position. It must be called inside a tokio runtime.
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
        Follower {
            ledger: self.clone(),
            after,
            grown: tail.grown.subscribe(),
            live: false,
            behind_since: None,
            _follows,
        }
    }
}

impl Follower {
    /// Waits for the next lines and returns them. The future may be dropped before it is ready: nothing is lost by
    /// that.
    ///
    /// # Errors
    /// Fails when the journal can't be read.
    pub async fn next(&mut self) -> Result<Lines, ReadError> {
        loop {
            self.grown.borrow_and_update();
            let found = self.found();
            match found {
                Found::Lines(_) | Found::Nothing => (self.live, self.behind_since) = (true, None),
                Found::Behind if self.live => {
                    self.behind_since.get_or_insert_with(Instant::now);
                }
                Found::Behind => {}
            }
            match found {
                Found::Lines(lines) => return Ok(self.seen(lines)),
                Found::Behind => {
                    // What may not be in the journal yet comes after this, whatever becomes of the ring meanwhile.
                    let start = self.start();
                    let lines = self.ledger.lines(self.after, AT_ONCE).await?;
                    if let Some(lines) = Lines::of(lines) {
                        return Ok(self.seen(lines));
                    }
                    // Nothing more is there yet, and what comes next comes into the ring.
                    self.after = self.after.max(start);
                }
                // The sender lives as long as the ledger, which this holds.
                Found::Nothing => drop(self.grown.changed().await),
            }
        }
    }

    /// Returns how long it has been behind the ring since it was live. One that begins far back is not behind.
    #[must_use]
    pub fn behind_for(&self) -> Duration {
        self.behind_since.map_or(Duration::ZERO, |since| since.elapsed())
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

    /// Returns the position after which the ring begins.
    fn start(&self) -> Position {
        self.ledger.0.tail.ring.lock().as_ref().map_or(0, |ring| ring.start)
    }

    fn seen(&mut self, lines: Lines) -> Lines {
        self.after = lines.last;
        lines
    }
}

/// Reads what is new into the ring, while somebody follows. When it can't read, it takes the ring away: the followers
/// then read by themselves, so that each is told why.
async fn read(weak: WeakLedger, mut head: watch::Receiver<Head>) {
    let _ring = Retired(weak.clone());
    loop {
        head.borrow_and_update();
        let Some(ledger) = weak.upgrade().filter(Ledger::is_followed) else { return };
        match ledger.read_on().await {
            Ok(Some(rest)) => {
                let round = Round::over(rest, ledger.followers());
                drop(ledger);
                wake(&weak, round).await;
                continue;
            }
            Ok(None) => drop(ledger),
            Err(error) => return tracing::debug!(%error, "the journal's tail can't be read"),
        }
        if let Ok(Err(_ended)) = tokio::time::timeout(LOOK_AROUND, head.changed()).await {
            return;
        }
    }
}

/// Tells the followers that the ring has grown, and rests meanwhile. A ledger that has ended has none.
async fn wake(ledger: &WeakLedger, round: Round) {
    for step in 0..round.steps {
        if let Some(ledger) = ledger.upgrade() {
            ledger.0.tail.grown.step(&round, step);
        }
        tokio::time::sleep(round.pause).await;
    }
}

impl Ledger {
    fn is_followed(&self) -> bool {
        self.followers() > 0
    }

    fn followers(&self) -> usize {
        self.0.tail.followers.lock().strong_count()
    }

    /// Reads what comes after the ring's end into the ring, and returns how long to rest before the next look, while the
    /// followers are woken; `None` when there was nothing.
    async fn read_on(&self) -> Result<Option<Duration>, ReadError> {
        let tail = &self.0.tail;
        let end = tail.ring.lock().as_ref().map_or(0, Ring::end);
        if self.head().position <= end {
            return Ok(None);
        }
        let Some(lines) = Lines::of(self.lines(end, AT_ONCE).await?) else { return Ok(None) };
        let gather = if lines.last < self.head().position { Duration::ZERO } else { GATHER };
        let sent = lines.bytes.len() as u64 * self.followers() as u64;
        let sending = Duration::from_nanos(sent * NANOSECONDS_PER_BYTE);
        if let Some(ring) = &mut *tail.ring.lock() {
            ring.push(lines);
        }
        Ok(Some(gather.max(sending)))
    }
}

/// A `Retired` takes the ring away when its reader ends, for whatever reason, and lets the followers know.
struct Retired(WeakLedger);

impl Drop for Retired {
    fn drop(&mut self) {
        if let Some(ledger) = self.0.upgrade() {
            *ledger.0.tail.ring.lock() = None;
            ledger.0.tail.grown.all();
        }
    }
}
