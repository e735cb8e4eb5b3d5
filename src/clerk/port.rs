//! The port: what the ledger asks of a clerk, whichever it is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::command::Command;
use crate::domain::ids::Id;
use crate::domain::stream::StreamName;
use crate::store::{CloseError, Position};

use super::verdict::{Unavailable, Verdict};

/// How much may wait for the clerk.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs, each of one command or of a batch.
    pub jobs: usize,
    /// Commands in them.
    pub commands: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: 2_048, commands: 65_536 }
    }
}

/// What was made durable since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Commits.
    pub commits: u64,
    /// The events in them.
    pub events: u64,
}

/// How a clerk is doing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Condition {
    /// Why it takes no commands, if it takes none.
    pub reason: Option<&'static str>,
    /// The same as a word for a figure, where there are several.
    pub kind: Option<&'static str>,
    /// Jobs that wait for it.
    pub waiting: usize,
    /// What was made durable since the start.
    pub done: Done,
    /// Events that are in the store and not in the index, about: what positions tell.
    pub lag_events: usize,
    /// How long the oldest of them has been there at least.
    pub lag: Duration,
    /// Commands of which something that they rest on could not be read.
    pub unreadable: u64,
    /// Appends of which nobody knows whether the store took them.
    pub unresolved: usize,
    /// Streams that are in memory, each with a task of its own.
    pub in_use: usize,
    /// Streams that are damaged.
    pub damaged: usize,
    /// Events that the store lacks and that the index never had.
    pub missing_events: u64,
    /// IDs that were recorded on two streams, in a race between two instances.
    pub booked_twice: usize,
}

/// One verdict for each command that came together, in their order, when all that they rest on is durable.
pub type Verdicts<'a> = Pin<Box<dyn Future<Output = Result<Vec<Verdict>, Unavailable>> + Send + 'a>>;

/// A clerk, as the ledger knows it.
pub trait Port: Send + Sync {
    /// Rules on commands. An error means that none of them was taken, or that the machinery could not rule: nothing of
    /// that is the answer of an ID.
    fn rule(&self, commands: Arc<[Command]>) -> Verdicts<'_>;

    /// The last position that a caller was told and that the head of the journal may not have reached; 0 for none.
    fn answered(&self) -> Position;

    /// Is an append with this ID on its way, and nobody knows what became of it?
    fn is_unresolved(&self, id: Id) -> bool;

    /// May the ledger be read at all?
    ///
    /// # Errors
    /// Why not.
    fn readable(&self) -> Result<(), Unavailable>;

    /// May this stream be read?
    ///
    /// # Errors
    /// When it is damaged.
    fn stream_readable(&self, stream: &StreamName) -> Result<(), Unavailable>;

    /// Streams that are damaged, at most `limit` of them.
    fn damaged(&self, limit: usize) -> Vec<StreamName>;

    /// What is behind the reason for which it takes no commands, in words for an operator.
    fn cause(&self) -> Option<String>;

    /// How it is doing.
    fn condition(&self) -> Condition;

    /// Takes no new jobs. Does not wait.
    fn stop(&self);

    /// Finishes what is in hand and lets go of the store. Blocks.
    ///
    /// # Errors
    /// When the store can't be left tidy. Nothing that was answered is lost by it.
    fn close(&self) -> Result<(), CloseError>;
}
