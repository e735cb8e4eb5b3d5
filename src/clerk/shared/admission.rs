//! The admission: how many jobs and commands are under way, and whether one more is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clerk::port::Limits;

#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    jobs: AtomicUsize,
    commands: AtomicUsize,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, jobs: AtomicUsize::new(0), commands: AtomicUsize::new(0) }
    }

    /// Takes a job of so many commands; `None` when too much is under way.
    pub(super) fn admit(self: &Arc<Self>, commands: usize) -> Option<Admitted> {
        if self.jobs.load(Ordering::Relaxed) >= self.limits.jobs
            || self.commands.load(Ordering::Relaxed) >= self.limits.commands
        {
            return None;
        }
        self.jobs.fetch_add(1, Ordering::Relaxed);
        self.commands.fetch_add(commands, Ordering::Relaxed);
        Some(Admitted { admission: Arc::clone(self), commands })
    }

    /// How many jobs are under way.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.load(Ordering::Relaxed)
    }
}

/// A job that is counted until all of it is answered, also when its caller has gone: it is waited on all the same.
pub(super) struct Admitted {
    admission: Arc<Admission>,
    commands: usize,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.jobs.fetch_sub(1, Ordering::Relaxed);
        self.admission.commands.fetch_sub(self.commands, Ordering::Relaxed);
    }
}
