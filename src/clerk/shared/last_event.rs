//! [`LastEvent`] is the last event that the index has, and it says whether the store still has it.
//!
//! It is asked of the event's own stream, and of the leader: a node answers a read of all streams at a position that it
//! does not have with an error that says nothing. Only when the stream shows less than it had is the position asked
//! for, since somebody may have cut the stream, which concerns that account alone. It costs one read of one event.

use crate::domain::stream::StreamName;
use crate::index::Reached;
use crate::store::chain::Hash;
use crate::store::eventstoredb::{Error, Recorded, Store};

/// A `LastEvent` is the last event that the index has.
#[derive(Clone, Debug, Default)]
pub(super) struct LastEvent {
    /// This is its position and its own hash; `None` before the first event.
    at: Option<(u64, Hash)>,
    /// This is its stream and revision. It is not known when an earlier run took the event in.
    place: Option<(StreamName, u64)>,
}

/// A `Compared` says what a comparison found.
pub(super) enum Compared {
    /// The event is where it was.
    Same,
    /// Nothing is at the place. A node that has just begun may not show the event yet.
    Missing(String),
    /// Another event is at the place.
    Other(String),
}

impl LastEvent {
    pub(super) fn new(reached: Reached, place: Option<(StreamName, u64)>) -> Self {
        Self { at: (reached.position > 0).then_some((reached.position, reached.event)), place }
    }

    /// Compares the store with the last event, and says whether it is still where it was.
    pub(super) async fn compare(&self, store: &Store) -> Result<Compared, Error> {
        let Some((position, hash)) = self.at else { return Ok(Compared::Same) };
        let found = match self.in_stream(store).await? {
            None => store.at_leader(position).await?,
            found => found,
        };
        let Some(found) = found else {
            return Ok(Compared::Missing(format!(
                "the event that was seen at position {position} is not there any more: the store was put back, or is \
                 another one"
            )));
        };
        Ok(match found.read() {
            Ok(read) if read.line.hash == hash && found.position == position => Compared::Same,
            _ => Compared::Other(format!(
                "another event than was seen stands at position {position}: this is another journal"
            )),
        })
    }

    async fn in_stream(&self, store: &Store) -> Result<Option<Recorded>, Error> {
        let Some((stream, revision)) = &self.place else { return Ok(None) };
        match store.stream(stream, *revision, 1).await {
            Ok(found) => Ok(found.into_iter().find(|found| found.revision == *revision)),
            Err(Error::Deleted) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
