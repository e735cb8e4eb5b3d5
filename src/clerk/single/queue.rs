//! The queue in front of the clerk's thread: jobs, and how many of them wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use tokio::sync::oneshot;

use crate::clerk::rule::Ruling;
use crate::clerk::verdict::Unavailable;
use crate::domain::command::Command;
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
    pub(super) commits: AtomicU64,
    pub(super) events: AtomicU64,
}
