//! A [`Contender`] is this instance among those that could serve a destination: it tells the pure contest what was seen and
//! when, and keeps the lease of who serves.
//!
//! There is none in a data folder, which one process has alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::domain::delivery::Destination;
use crate::domain::delivery::contest::{Contest, Turn};
use crate::tasks;

use super::watched::Watched;

/// A `Lease` says until when something may be begun. It is looked at right before each attempt, because a process may have been
/// stopped for any time since it decided on it.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    begun: Instant,
    until: Arc<AtomicU64>,
}

impl Lease {
    /// Makes one that never ends.
    pub(super) fn endless() -> Self {
        Self { begun: tasks::now(), until: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Says whether something may be begun now.
    pub(super) fn holds(&self) -> bool {
        self.tick(tasks::now()) < self.until.load(Ordering::Acquire)
    }

    fn tick(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.begun);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn set(&self, until: u64) {
        self.until.store(until, Ordering::Release);
    }
}

/// A `Contender` is this instance, for one destination.
pub(super) struct Contender {
    contest: Contest,
    pub(super) lease: Lease,
    /// This watches for something to send while another serves.
    pub(super) watched: Option<Watched>,
}

impl Contender {
    pub(super) fn new(contest: Contest) -> Self {
        let lease = Lease::endless();
        lease.set(0);
        Self { contest, lease, watched: None }
    }

    /// Returns how long it waits between two looks.
    pub(super) fn rest(&self) -> Duration {
        Duration::from_millis(self.contest.look_ms())
    }

    /// Learns how the destination stands. Everything was known that was in the journal at `seen_at`. Returns what to do.
    pub(super) fn looked(&mut self, state: &Destination, seen_at: Instant) -> Turn {
        let now = self.lease.tick(tasks::now());
        self.contest.looked(state, self.lease.tick(seen_at), now);
        let turn = self.contest.turn(now);
        // A challenge that is not answered yet ends the lease, too: nothing is begun until the answer is durable.
        self.lease.set(if let Turn::Serve { until } = turn { until } else { 0 });
        turn
    }

    /// Learns whether there is something to send that another should send.
    pub(super) fn found_work(&mut self, is_there: bool) {
        self.contest.found_work(is_there, self.lease.tick(tasks::now()));
    }

    /// Says whether that must be known.
    pub(super) fn wants_work(&self) -> bool {
        self.contest.wants_work()
    }

    /// Returns the term in which this instance serves, as far as it knows.
    pub(super) fn own_term(&self) -> Option<u64> {
        self.contest.own_term()
    }

    /// Says whether settings of a later generation than this instance's are recorded.
    pub(super) fn is_outdated(&self) -> bool {
        self.contest.is_outdated()
    }
}
