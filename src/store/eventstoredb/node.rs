//! A [`Node`] answers the few calls of which everything in this folder is made. A service reaches its node through the
//! `eventstore` crate; a simulation has a node of its own, and everything else here stays the same over it.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::mpsc;

use super::appended::Appended;
use super::error::Error;
use super::followed::Followed;
use super::recorded::Recorded;

/// An `Answer` is what a node says in a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A `From` is the place from which events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// They are read from the first one.
    Start,
    /// They are read from this revision or position on; it is one of them.
    At(u64),
    /// They are read from the last one back.
    End,
}

/// A `Range` says which events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// This is where the reading begins.
    pub from: From,
    /// This is true when it goes to older events.
    pub backwards: bool,
    /// This is the most events that are read.
    pub limit: usize,
}

/// A `Node` is a node of the store.
pub trait Node: Send + Sync {
    /// Appends events to a stream when its last revision is `expected`; with `None` the stream must not exist. The position of
    /// each event is 0, since the node gives it.
    fn append(&self, stream: String, expected: Option<u64>, events: Vec<Recorded>) -> Answer<'_, Appended>;

    /// Reads events of a stream. There are none when it does not exist.
    fn stream(&self, stream: String, range: Range) -> Answer<'_, Result<Vec<Recorded>, Error>>;

    /// Reads events of all streams, in the order of their positions.
    fn all(&self, range: Range) -> Answer<'_, Result<Vec<Recorded>, Error>>;

    /// Follows all streams after a position, or from the start. The subscription ends with an error.
    fn follow(
        &self,
        after: Option<u64>,
    ) -> Answer<'_, Result<mpsc::Receiver<Result<Followed, Error>>, Error>>;
}
