//! [`Turns`] say when commands of long jobs are decided and appended, and how many.
//!
//! While clients send short jobs, long ones have turns: few commands of theirs are under way at once, and after each turn they
//! rest until as many short ones have come, or four times as long as the turn took. So a short job finds the node, the
//! connection and the processors free in most moments, whatever the long ones ask for. Where no short job comes, long ones
//! have all of it at once.
//!
//! It costs nothing for a short job, and for a part of a long one two locks that nobody holds for long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::tasks::{now, sleep};

use super::admission::Admission;

/// This is the most commands of long jobs that are decided together on a stream: a few more than fit into one append.
const TOGETHER: usize = 2_048;

/// This is the most commands of long jobs that are under way on all streams, while clients send short ones.
const TURN: usize = 64;

/// An append of fewer commands than this is counted as one of so many.
const LEAST: usize = 8;

/// Long jobs rest for so many times as long as their turn took, if not as many short commands have come before.
const REST: u32 = 4;

/// They rest for so long at most, however long an append took.
const LONGEST: Duration = Duration::from_millis(500);

/// While they rest, it is looked so often whether enough short commands have come.
const LOOK: Duration = Duration::from_millis(1);

/// The `Turns` of long jobs.
#[derive(Debug)]
pub(super) struct Turns {
    admission: Arc<Admission>,
    /// Whoever waits for a turn first has this, and gets the next one.
    first: tokio::sync::Mutex<()>,
    had: Mutex<Had>,
    /// This is told when a turn has ended.
    ended: Notify,
}

/// What is known of the turns that long jobs had.
#[derive(Clone, Debug, Default)]
struct Had {
    /// This is when the present turn began, if there is one.
    began: Option<Instant>,
    /// This is how many commands were given in it.
    given: usize,
    /// This is how many parts of it have not ended.
    parts: usize,
    rest: Option<Rest>,
}

/// A `Rest` ends at a moment, or when so many short commands have come in all.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    short: u64,
}

/// A `Part` is a stream's part of a turn. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Part {
    /// This is the most commands that may be decided in it.
    pub(super) commands: usize,
    /// These are the turns, where clients send short jobs.
    of: Option<Arc<Turns>>,
}

/// A `Given` says what becomes of a wish for a part.
enum Given {
    Now(usize),
    After(Duration),
    WhenOneEnds,
}

impl Turns {
    pub(super) fn new(admission: Arc<Admission>) -> Self {
        Self { admission, first: tokio::sync::Mutex::default(), had: Mutex::default(), ended: Notify::new() }
    }

    /// Waits until so many commands of long jobs may be decided on a stream, or some of them. Who came first is first.
    pub(super) async fn part(self: &Arc<Self>, wanted: usize) -> Part {
        if !self.admission.expects_short(now()) {
            return Part { commands: TOGETHER, of: None };
        }
        let _first = self.first.lock().await;
        loop {
            let now = now();
            if !self.admission.expects_short(now) {
                return Part { commands: TOGETHER, of: None };
            }
            let given = self.had.lock().give(wanted, self.admission.short(), now);
            match given {
                Given::Now(commands) => return Part { commands, of: Some(Arc::clone(self)) },
                Given::After(rest) => sleep(rest.min(LOOK)).await,
                Given::WhenOneEnds => self.ended.notified().await,
            }
        }
    }
}

impl Had {
    fn give(&mut self, wanted: usize, short: u64, now: Instant) -> Given {
        if let Some(rest) = self.rest {
            let left = rest.until.saturating_duration_since(now);
            if !left.is_zero() && short < rest.short {
                return Given::After(left);
            }
            self.rest = None;
        }
        let room = TURN.saturating_sub(self.given);
        if room < LEAST {
            return Given::WhenOneEnds;
        }
        let commands = wanted.min(room);
        self.began.get_or_insert(now);
        self.given += commands.max(LEAST);
        self.parts += 1;
        Given::Now(commands)
    }

    /// Notes that a part has ended. Long jobs rest when it was the last of its turn.
    fn end(&mut self, short: u64, now: Instant) {
        self.parts = self.parts.saturating_sub(1);
        if self.parts > 0 {
            return;
        }
        let took = self.began.take().map_or(Duration::ZERO, |began| now.saturating_duration_since(began));
        let given = std::mem::take(&mut self.given) as u64;
        let until = now + (took * REST).min(LONGEST);
        self.rest = Some(Rest { until, short: short + given });
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(turns) = &self.of {
            turns.had.lock().end(turns.admission.short(), now());
            turns.ended.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn given(had: &mut Had, wanted: usize, short: u64, now: Instant) -> Option<usize> {
        match had.give(wanted, short, now) {
            Given::Now(commands) => Some(commands),
            Given::After(_) | Given::WhenOneEnds => None,
        }
    }

    /// Guards against: a client whose withdrawals wait behind the batches of another one.
    #[test]
    fn a_turn_has_few_commands_and_few_appends() {
        let (mut had, now) = (Had::default(), Instant::now());
        assert_eq!(given(&mut had, 10_000, 0, now), Some(TURN), "one stream");
        assert_eq!(given(&mut had, 1, 0, now), None);
        had = Had::default();
        let appends = (0..100).filter(|_| given(&mut had, 1, 0, now) == Some(1)).count();
        assert_eq!(appends, TURN / LEAST, "many streams");
    }

    /// Guards against: long jobs that have one turn after the other.
    #[test]
    fn after_a_turn_long_jobs_rest_for_four_times_its_time_or_as_many_short_ones() {
        let (mut had, begun) = (Had::default(), Instant::now());
        assert_eq!(given(&mut had, 40, 100, begun), Some(40));
        assert_eq!(given(&mut had, 40, 100, begun), Some(24));
        had.end(100, begun + MS);
        assert!(had.rest.is_none(), "the other part has not ended");
        let ended = begun + 2 * MS;
        had.end(200, ended);
        let at = |short: u64, now| given(&mut had.clone(), 1, short, now);
        assert_eq!([at(200, ended + 7 * MS), at(200, ended + 8 * MS)], [None, Some(1)]);
        assert_eq!([at(200 + 63, ended), at(200 + 64, ended)], [None, Some(1)]);
    }

    /// Guards against: batches that stand still for minutes after an append that took long.
    #[test]
    fn no_rest_is_long() {
        let (mut had, begun) = (Had::default(), Instant::now());
        given(&mut had, 1, 0, begun);
        had.end(0, begun + 3_000 * MS);
        assert_eq!(given(&mut had, 1, 0, begun + 3_000 * MS + LONGEST), Some(1));
    }
}
