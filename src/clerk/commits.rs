//! [`Commits`] counts the commits that a clerk has made since it started, their events, and how long each took.
//!
//! Counting costs a few atomic additions and two looks at the clock for a commit, not for a command.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// This is the number of the bounds; a last bucket has what took longer than all of them.
const BOUNDS: usize = 18;

/// This is the shortest bound, in microseconds. Each bound is twice the one before it.
const FIRST_BOUND: u64 = 100;

/// `Commits` counts commits while they are made.
#[derive(Debug, Default)]
pub(super) struct Commits {
    events: AtomicU64,
    microseconds: AtomicU64,
    took: [AtomicU64; BOUNDS + 1],
}

/// A `Done` is what was made durable since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// This is the number of commits.
    pub commits: u64,
    /// This is the number of events in these commits.
    pub events: u64,
    /// This is the time that they took together.
    pub took: Duration,
    counts: [u64; BOUNDS + 1],
}

impl Commits {
    /// Counts a commit of this many events.
    pub(super) fn add(&self, events: usize, took: Duration) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let longer = (0..BOUNDS).take_while(|place| microseconds > FIRST_BOUND << place).count();
        self.events.fetch_add(events as u64, Ordering::Relaxed);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
        if let Some(bucket) = self.took.get(longer) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns what was counted.
    pub(super) fn done(&self) -> Done {
        let counts = self.took.each_ref().map(|count| count.load(Ordering::Relaxed));
        Done {
            commits: counts.iter().sum(),
            events: self.events.load(Ordering::Relaxed),
            took: Duration::from_micros(self.microseconds.load(Ordering::Relaxed)),
            counts,
        }
    }
}

impl Done {
    /// Returns the number of commits by the time that they took: the longest time in seconds, and how many took longer than
    /// the time before and not longer than this one. The last one has no longest time.
    #[must_use]
    pub fn by_seconds(&self) -> [(f64, u64); BOUNDS + 1] {
        let mut place = 0;
        self.counts.map(|count| {
            let bound = Duration::from_micros(FIRST_BOUND << place).as_secs_f64();
            place += 1;
            (if place > BOUNDS { f64::MAX } else { bound }, count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_counted_where_its_time_is() {
        let commits = Commits::default();
        for micros in [0, 100, 101, 200, 13_107_200, 13_107_201, u64::MAX >> 1] {
            commits.add(2, Duration::from_micros(micros));
        }
        let done = commits.done();
        assert_eq!((done.commits, done.events), (7, 14));
        let counts = done.by_seconds().map(|(_, count)| count);
        assert_eq!((counts[0], counts[1], counts[17], counts[18]), (2, 2, 1, 2));
        assert_eq!((done.by_seconds()[0].0, done.by_seconds()[18].0), (0.000_1, f64::MAX));
    }
}
