//! The event store: the port through which the clerk appends and everybody reads, and the stores behind it.
//!
//! Knows the domain's events and nothing of HTTP, of decisions or of the index. Up the way: `clerk`. Down the way: the
//! disk. [`codec`] is the one place where an event becomes bytes, [`chain`] the one where bytes get their hash.
//!
//! An append is *submitted* and later *reported*: several may be in flight, and what a lost answer means is the store's
//! business. After a failed append everything that was submitted behind it has failed too, until
//! [`Appends::take_back`] says that the clerk has forgotten all of it.

pub mod chain;
pub mod codec;
pub mod embedded;
pub mod eventstoredb;

use std::sync::Arc;

use crate::domain::event::Event;

/// Where an append landed: its events have the positions from `first` on, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landed {
    /// The position of its first event.
    pub first: u64,
    /// The hash of its last event.
    pub hash: chain::Hash,
}

/// Why an append was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// There is no room; nothing was written, and the next may succeed.
    #[error("the disk is full")]
    Full,
    /// The store could not be written; nothing of it will appear.
    #[error("the store can't be written")]
    NotWritten,
    /// It may have been written or not. Final for this process: nothing is acknowledged any more until a new one has read
    /// back what is there.
    #[error("it is not known whether the store took it")]
    Unknown,
}

/// Called once for each append, in the order of their submission, from a thread of the store.
pub type Report = Box<dyn FnOnce(Result<Landed, AppendError>) + Send>;

/// The writing side of a store, held by the clerk alone.
pub trait Appends: Send {
    /// Hands over events that were decided together. They become durable together or not at all.
    fn submit(&mut self, events: &[Arc<Event>], report: Report);

    /// After a failed append: forgets whatever was submitted behind it, and goes on from the last durable event.
    fn take_back(&mut self);

    /// Waits for what is in flight and lets go of the store.
    ///
    /// # Errors
    /// When it can't be left tidy. Nothing that was reported durable is lost by that.
    fn close(self: Box<Self>) -> Result<(), CloseError>;
}

/// Why a store can't be left tidy.
pub type CloseError = Box<dyn std::error::Error + Send + Sync>;
