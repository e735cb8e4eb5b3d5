//! The queue in front of the clerk's thread: jobs, and how many of them wait.

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::clerk::rule::Ruling;
use crate::clerk::verdict::Unavailable;
use crate::domain::command::Command;
use crate::domain::ids::Id;
use crate::store::Position;

/// The rulings on a job's commands, in order, and a position at or before which all that they rest on is durable.
pub(super) type Rulings = (Vec<Ruling>, Position);

/// Who waits for the rulings on a job.
pub(super) type Reply = oneshot::Sender<Result<Rulings, Unavailable>>;

/// Commands that came together, and who waits for the rulings.
pub(super) struct Job {
    pub(super) commands: Arc<[Command]>,
    pub(super) reply: Reply,
}

pub(super) enum Message {
    Job(Job),
    Stop,
}

/// What is waiting, counted where it comes in and where it is taken; and what was done.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) jobs: AtomicUsize,
    pub(super) commands: AtomicUsize,
    pub(super) stopping: AtomicBool,
    /// Why no job is ruled on any more.
    pub(super) trouble: parking_lot::Mutex<Option<Unavailable>>,
    /// Commands of which something that they rest on could not be read.
    unreadable: AtomicU64,
    /// The IDs of which that was logged.
    logged: parking_lot::Mutex<HashSet<Id>>,
    pub(super) commits: AtomicU64,
    pub(super) events: AtomicU64,
}

/// The most IDs of which it was logged that what they name can't be read.
const MOST_LOGGED: usize = 1_024;

impl Waiting {
    /// Counts a command of which something that it rests on can't be read; the log is told once for an ID.
    pub(super) fn unreadable(&self, id: Id, why: &str) {
        self.unreadable.fetch_add(1, Ordering::Relaxed);
        let mut logged = self.logged.lock();
        if logged.len() < MOST_LOGGED && logged.insert(id) {
            tracing::error!(%id, why, "what a command rests on can't be read");
        }
    }

    /// How many commands there were of which something that they rest on could not be read.
    pub(super) fn unreadable_count(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }
}

/// An error with all that caused it, on one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
