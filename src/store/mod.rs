//! The event store is the port through which the clerk appends and everybody reads, and it has the stores behind that
//! port.
//!
//! It knows the domain's events and nothing of HTTP, of decisions or of the index. Its neighbour up the way is `clerk`,
//! and down the way is the disk. [`codec`] is the one place where an event becomes bytes, [`chain`] the one where bytes
//! get their hash.
//!
//! A store that this process holds is appended to through [`Appends`], one append at a time. One that several instances
//! write has appends of its own, each to one stream at an exact revision ([`eventstoredb::Store::append`]).

pub mod chain;
pub mod codec;
pub mod draft;
pub mod embedded;
pub mod eventstoredb;

use std::sync::Arc;

use uuid::Uuid;

use chain::Hash;
use codec::Line;
use draft::Draft;

/// A `Position` is a place in the journal; the first event is at 1, and 0 is before it.
pub type Position = u64;

/// A `Head` says where the journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// This is the id of the journal.
    pub journal_id: Uuid,
    /// This is the last event's position; 0 when there is none.
    pub position: Position,
    /// This is the last event's hash; the genesis hash when there is none.
    pub hash: Hash,
}

/// An `AppendError` is the reason why an append was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The store has no room; nothing was written, and the next append may succeed.
    #[error("the disk is full")]
    Full,
    /// The store could not be written at this moment, for example because another program has locked it. Nothing was
    /// written, and the next may succeed.
    #[error("the store can't be written at this moment")]
    NotBegun,
    /// The store could not be written; nothing of it will appear.
    #[error("the store can't be written")]
    NotWritten,
    /// It may have been written or not. This is final for this process: nothing is acknowledged any more until a new
    /// process has read back what is there.
    #[error("it is not known whether the store took it")]
    Unknown,
}

/// `Appends` is the writing side of a store that this process holds. One append is under way at a time.
pub trait Appends: Send {
    /// Makes the events of a draft durable: all of them, or none. It blocks. After a failed append the next draft goes on
    /// from the last durable event.
    ///
    /// # Errors
    /// Fails when they are not durable, or nobody knows.
    fn append(&mut self, draft: &Draft) -> Result<(), AppendError>;

    /// Closes the writing side and leaves the store tidy.
    ///
    /// # Errors
    /// Fails when it can't be left tidy. Nothing that was appended is lost by that.
    fn close(self: Box<Self>) -> Result<(), CloseError>;
}

/// A `Journal` is the reading side of a store: it gives lines in the order of the journal. Its calls block.
pub trait Journal: Send + Sync {
    /// Returns up to `limit` lines after a position, each with its line feed.
    ///
    /// # Errors
    /// Fails when they can't be read.
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError>;

    /// Returns the line at a position, with its line feed: the one after the position before, where positions have no gaps.
    ///
    /// # Errors
    /// Fails when the store can't be read, or nothing of the ledger is there.
    fn line(&self, position: u64) -> Result<Vec<u8>, ReadError> {
        self.lines(position.saturating_sub(1), 1)
    }

    /// Returns the event at a position.
    ///
    /// # Errors
    /// Fails when it is not there, or is no event.
    fn event(&self, position: u64) -> Result<Line, ReadError>;

    /// Returns the events at these positions, in their order.
    ///
    /// # Errors
    /// Fails when one is not there, or is no event.
    fn events(&self, positions: &[u64]) -> Result<Vec<Line>, ReadError> {
        positions.iter().map(|position| self.event(*position)).collect()
    }

    /// Closes what is kept open for the next reader.
    fn close(&self) {}
}

/// A `Reader` is a journal that many may read at the same time.
pub type Reader = Arc<dyn Journal>;

/// A `ReadError` is the reason why the journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store can't be reached at the moment.
    #[error("the store can't be reached")]
    Unreachable(#[source] Cause),
    /// What stands there is not what the ledger wrote.
    #[error("the journal is damaged")]
    Damaged(#[source] Cause),
    /// The store was reached, and what it has can't be read.
    #[error("the journal can't be read")]
    Failed(#[source] Cause),
}

/// A `Cause` is the error of a store's own library that is behind an error of this folder.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Returns the lines of a text, without their line feeds.
pub fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest)?;
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        Some(line)
    })
}

/// A `CloseError` is the reason why a store can't be closed cleanly.
pub type CloseError = Cause;
