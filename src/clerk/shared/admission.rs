//! The admission counts the jobs and commands that are under way, and says whether one more job is taken. It also says whether
//! clients send short jobs, for which long ones make room.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::clerk::port::{Limits, is_own};
use crate::clerk::room::{Room, is_long};
use crate::domain::command::Command;
use crate::tasks::now;

/// For so long after a short job another one is expected.
const EXPECTED: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    room: Room,
    began: Instant,
    /// This is how many commands have come in short jobs of clients.
    short: AtomicU64,
    /// This is when the last of them came, in nanoseconds since the beginning.
    last_short: AtomicU64,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            room: Room::default(),
            began: now(),
            short: AtomicU64::new(0),
            last_short: AtomicU64::new(0),
        }
    }

    /// Takes a job of these commands; `None` when too much is under way.
    pub(super) fn admit(self: &Arc<Self>, commands: &Arc<[Command]>) -> Option<Admitted> {
        if self.room.is_full_for(commands, self.limits) {
            return None;
        }
        self.room.count_in(commands);
        if !is_long(commands) && !is_own(commands) {
            self.short.fetch_add(commands.len() as u64, Ordering::Relaxed);
            self.last_short.store(self.since_the_beginning(now()), Ordering::Relaxed);
        }
        Some(Admitted { admission: Arc::clone(self), commands: Arc::clone(commands) })
    }

    fn since_the_beginning(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Returns the number of jobs that are under way.
    pub(super) fn jobs(&self) -> usize {
        self.room.jobs()
    }

    /// Returns how many commands have come in short jobs of clients since the beginning.
    pub(super) fn short(&self) -> u64 {
        self.short.load(Ordering::Relaxed)
    }

    /// Says whether short jobs of clients are under way, or one was there a moment ago.
    pub(super) fn expects_short(&self, now: Instant) -> bool {
        let last = Duration::from_nanos(self.last_short.load(Ordering::Relaxed));
        self.room.has_short()
            || (self.short() > 0 && now.saturating_duration_since(self.began) < last + EXPECTED)
    }
}

/// An `Admitted` is a job that was taken. It is counted until all of it is answered, even when its caller has gone
/// away.
pub(super) struct Admitted {
    admission: Arc<Admission>,
    commands: Arc<[Command]>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.room.count_out(&self.commands);
    }
}
