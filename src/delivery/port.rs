//! The port is what a delivery needs of a ledger: the journal as it grows, a line of it, how a destination stands, and a way to
//! record what happened to one.
//!
//! What is recorded is decided where it is recorded: an operation that does not fit how the destination stands there is
//! refused, and whoever asked reads again how it stands.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::domain::delivery::Destination;
use crate::domain::delivery::decide::{DeliveryOperation, Refused};
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::terms::Terms;
use crate::domain::letter::DeadLettered;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::tasks;

use super::chunk::Chunk;
use super::message::Message;

/// A `Cause` is the error of the ledger that is behind an error of a port.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The terms that were set for a destination, in order, each with the position of its event.
pub type Sets = Vec<(u64, Arc<Terms>)>;

/// A function that says whether a line is wanted.
pub type Chooses = Box<dyn Fn(&[u8]) -> Option<bool> + Send>;

/// The reason why something could not be read. It may be read later.
#[derive(Debug, thiserror::Error)]
#[error("the ledger can't be read")]
pub struct Unreadable(#[source] pub Cause);

/// The reason why an operation was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum NotRecorded {
    /// It does not fit how the destination stands: to ask again would be in vain.
    #[error("it does not fit how the destination stands: {0:?}")]
    Refused(Refused),
    /// The ledger can't record at the moment, or can't say whether it did.
    #[error("the ledger can't record it")]
    Unavailable(#[source] Cause),
}

/// A `Port` is the way to one ledger.
pub trait Port: Send + Sync {
    /// Returns the id of the journal.
    fn journal(&self) -> Uuid;

    /// Returns the time, by the clock that the ledger goes by.
    fn now(&self) -> Timestamp;

    /// Returns a time, of the clock that tasks wait by: everything is known here that was in the journal at that time. It is
    /// `None` where that can't be said yet, and now where nobody else writes to the journal.
    fn seen_at(&self) -> Option<Instant> {
        Some(tasks::now())
    }

    /// Returns the position of the journal's last event.
    fn head(&self) -> u64;

    /// Counts the lines after a position and up to another one of which `chooses` says that they are wanted; it says nothing of
    /// one that can't be read.
    fn count(&self, after: u64, to: u64, chooses: Chooses) -> BoxFuture<'_, Result<u64, Unreadable>>;

    /// Gives the folder an id of its own for messages, made of a random number, where it has none, and returns it; `None` where
    /// the ledger lives in no folder.
    fn own_for_messages(&self, fresh: Uuid) -> BoxFuture<'_, Result<Option<Uuid>, Unreadable>>;

    /// Follows the journal from after a position.
    fn follow(&self, after: u64) -> Box<dyn Tail>;

    /// Returns the line at a position, without its line feed.
    fn line(&self, position: u64) -> BoxFuture<'_, Result<Vec<u8>, Unreadable>>;

    /// Returns up to `limit` lines of a stream after a revision, each with its line feed.
    fn lines_of<'a>(
        &'a self,
        stream: &'a StreamName,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, Unreadable>>;

    /// Returns all destinations that were ever set up, in the order of their names.
    fn destinations(&self) -> BoxFuture<'_, Result<Vec<(DestinationName, Destination)>, Unreadable>>;

    /// Returns how a destination stands; `None` where it was never set up.
    fn destination<'a>(
        &'a self,
        name: &'a DestinationName,
    ) -> BoxFuture<'a, Result<Option<Destination>, Unreadable>>;

    /// Returns the terms that were set in this life of a destination's name, in order, each with the position of its event.
    fn sets<'a>(&'a self, name: &'a DestinationName) -> BoxFuture<'a, Result<Sets, Unreadable>>;

    /// Records what is asked of a destination. It is durable when this returns.
    fn record<'a>(
        &'a self,
        name: &'a DestinationName,
        asked: &'a DeliveryOperation,
    ) -> BoxFuture<'a, Result<(), NotRecorded>>;

    /// Records the letter of a message. It is durable when this returns; one that was recorded before is, too.
    fn bury<'a>(&'a self, letter: DeadLettered, of: &'a Message) -> BoxFuture<'a, Result<(), NotRecorded>>;
}

/// A `Tail` reads the journal as it grows.
pub trait Tail: Send {
    /// Waits for the next lines and returns them. The future may be dropped before it is ready: nothing is lost by that.
    fn next(&mut self) -> BoxFuture<'_, Result<Chunk, Unreadable>>;
}
