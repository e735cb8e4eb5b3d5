//! The admission counts the jobs and commands that are under way, and says whether one more job is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clerk::port::{Limits, OWN_JOBS, is_own};
use crate::domain::command::Command;

#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    jobs: AtomicUsize,
    commands: AtomicUsize,
    /// These are the jobs of the service's own.
    own: AtomicUsize,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, jobs: AtomicUsize::new(0), commands: AtomicUsize::new(0), own: AtomicUsize::new(0) }
    }

    /// Takes a job of these commands; `None` when too much is under way.
    pub(super) fn admit(self: &Arc<Self>, commands: &[Command]) -> Option<Admitted> {
        if is_own(commands) {
            if self.own.load(Ordering::Relaxed) >= OWN_JOBS {
                return None;
            }
            self.own.fetch_add(1, Ordering::Relaxed);
            return Some(Admitted { admission: Arc::clone(self), commands: None });
        }
        let commands = commands.len();
        if self.jobs.load(Ordering::Relaxed) >= self.limits.jobs
            || self.commands.load(Ordering::Relaxed) >= self.limits.commands
        {
            return None;
        }
        self.jobs.fetch_add(1, Ordering::Relaxed);
        self.commands.fetch_add(commands, Ordering::Relaxed);
        Some(Admitted { admission: Arc::clone(self), commands: Some(commands) })
    }

    /// Returns the number of jobs that are under way.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.load(Ordering::Relaxed) + self.own.load(Ordering::Relaxed)
    }
}

/// An `Admitted` is a job that was taken. It is counted until all of it is answered, even when its caller has gone
/// away.
pub(super) struct Admitted {
    admission: Arc<Admission>,
    /// This is how many commands a client's job has.
    commands: Option<usize>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        match self.commands {
            Some(commands) => {
                self.admission.jobs.fetch_sub(1, Ordering::Relaxed);
                self.admission.commands.fetch_sub(commands, Ordering::Relaxed);
            }
            None => drop(self.admission.own.fetch_sub(1, Ordering::Relaxed)),
        }
    }
}
