//! The port is everything that the ledger asks of a clerk. Both clerks are reached through it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::command::Command;
use crate::domain::ids::Id;
use crate::domain::stream::StreamName;
use crate::store::{CloseError, Position};

use super::commits::Done;
use super::verdict::{Unavailable, Verdict};

/// `Limits` are the limits of what may wait for the clerk. Beyond them a caller is told at once that the ledger is
/// overloaded.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// This is the most jobs that may wait. A job is one command or a batch.
    pub jobs: usize,
    /// This is the number of waiting commands at which no further job is taken.
    pub commands: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: 2_048, commands: 65_536 }
    }
}

/// This is the most jobs of the service's own that wait for a clerk, apart from those of clients: the steps of transfers, one
/// job of expiries, and what is recorded of deliveries.
pub const OWN_JOBS: usize = 4_097;

/// Says whether a job is the service's own. Such jobs have a place of their own before the clerk, so that no number of clients
/// keeps a transfer that is under way from its end, nor the other way round.
pub(super) fn is_own(job: &[Command]) -> bool {
    matches!(job.first(), Some(Command { id: Id::Step { .. } | Id::Absent, .. }))
}

/// A `Condition` is the condition of a clerk, for the status and the metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Condition {
    /// The reason why it takes no commands, if it takes none.
    pub reason: Option<&'static str>,
    /// This is the same reason as one word, for a metric that has it as a label.
    pub kind: Option<&'static str>,
    /// This is the number of jobs that wait for it.
    pub waiting: usize,
    /// The counts of what was made durable since the start.
    pub done: Done,
    /// This is the number of events that are in the store and not in the index. It is an estimate, from positions.
    pub lag_events: usize,
    /// This is the time for which the oldest of them has been there at least.
    pub lag: Duration,
    /// This is the number of commands that could not be ruled on, because an event or a record that they need could not
    /// be read.
    pub unreadable: u64,
    /// This is the number of appends of which it is not known whether the store took them.
    pub unresolved: usize,
    /// This is the number of streams that are in memory, each with a task of its own.
    pub in_use: usize,
    /// This is the number of streams that are damaged.
    pub damaged: usize,
    /// This is the number of events that the store lacks and that the index never had.
    pub missing_events: u64,
    /// This is the number of IDs that were recorded on two streams, in a race between two instances.
    pub booked_twice: usize,
}

/// `Verdicts` is a future of the verdicts: one for each command of a job, in their order. It is ready when everything
/// that they rest on is durable.
pub type Verdicts<'a> = Pin<Box<dyn Future<Output = Result<Vec<Verdict>, Unavailable>> + Send + 'a>>;

/// A `Port` is a clerk, as the ledger knows it.
pub trait Port: Send + Sync {
    /// Rules on commands. An error means that none of them was taken, or that the clerk could not rule on them. It is
    /// never the final answer to an ID.
    fn rule(&self, commands: Arc<[Command]>) -> Verdicts<'_>;

    /// Returns the last position that a caller was told and that the head of the journal may not have reached; 0 for
    /// none.
    fn answered(&self) -> Position;

    /// Returns the time over which the instances that write the store spread what each of them would do at the same moment;
    /// zero where there is only one.
    fn spread(&self) -> Duration;

    /// Says whether an append with this ID was sent to the store, and it is not known yet whether the store took it.
    fn is_unresolved(&self, id: Id) -> bool;

    /// Checks that the ledger may be read.
    ///
    /// # Errors
    /// Says why it may not be read.
    fn readable(&self) -> Result<(), Unavailable>;

    /// Checks that this stream may be read.
    ///
    /// # Errors
    /// Fails when the stream is damaged.
    fn stream_readable(&self, stream: &StreamName) -> Result<(), Unavailable>;

    /// Returns the streams that are damaged, at most `limit` of them.
    fn damaged(&self, limit: usize) -> Vec<StreamName>;

    /// Returns what is behind the reason for which it takes no commands, in words for an operator.
    fn cause(&self) -> Option<String>;

    /// Returns the clerk's condition.
    fn condition(&self) -> Condition;

    /// Returns a time, of the clock that tasks wait by: everything is known here that was in the journal at that time; `None`
    /// where that can't be said yet.
    fn seen_at(&self) -> Option<Instant>;

    /// Says whether no other process writes to the store.
    fn is_alone(&self) -> bool;

    /// Makes the clerk take no new jobs. It does not wait for those that it has.
    fn stop(&self);

    /// Finishes the jobs that were taken, and closes the store. It blocks until that is done.
    ///
    /// # Errors
    /// Fails when the store can't be closed cleanly. Nothing that was answered is lost by it.
    fn close(&self) -> Result<(), CloseError>;
}
