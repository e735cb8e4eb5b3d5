//! The past of a transfer that has ended is found by its ID: the index keeps nothing else of it, and its state is folded from
//! its events again, when somebody asks for it or when its stream goes on all the same.
//!
//! What is appended to such a stream is a decline of what an operator or a client asks of it, or the word of a provider
//! against what is recorded. Costs: one look-up of an ID for a transfer that is new, which a filter answers; for one that has
//! ended, its records in the tree of revisions, and its events. There are no more of them than
//! [`LONG`](super::rows::LONG): one that has more keeps its row.

use std::borrow::Borrow;

use crate::domain::event::Event;
use crate::domain::ids::Id;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::store::chain::Hash;

use super::error::IndexError;
use super::handle::Index;
use super::layers::Tracked;
use super::record::StreamKey;

/// A `Past` says where the events of a transfer's stream are, of which the index has no state.
#[derive(Clone, Debug)]
pub struct Past {
    stream: StreamName,
    key: StreamKey,
    positions: Vec<u64>,
}

impl Index {
    /// Returns where the events of a stream are, if it is that of a transfer that has begun. It is asked after
    /// [`tracked`](Self::tracked) knew nothing of the stream.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn past(&self, stream: &StreamName) -> Result<Option<Past>, IndexError> {
        let Some(id) = stream.transfer() else { return Ok(None) };
        // The first event of a transfer has the ID of the transfer, so that most are known to be new by a filter.
        if self.used(Id::Client(id))?.booked.is_empty() {
            return Ok(None);
        }
        let key = StreamKey::of(stream);
        let found = self.revisions(key, 0..=u64::MAX, false, usize::MAX)?;
        let positions: Vec<u64> = found.into_iter().map(|(_, facts)| facts.position).collect();
        // The ID may have been booked on an account.
        Ok((!positions.is_empty()).then(|| Past { stream: stream.clone(), key, positions }))
    }

    /// Returns the revision that the next event of a stream has.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub fn next_revision(&self, stream: &StreamName) -> Result<u64, IndexError> {
        if let Some(tracked) = self.tracked(stream)? {
            return Ok(tracked.state.revision().saturating_add(1));
        }
        Ok(self.past(stream)?.map_or(0, |past| past.positions.len() as u64))
    }

    /// Returns how a stream stands after the last durable event, also where it is that of a transfer that has ended: `read`
    /// returns the events at these positions. Their hashes are not known here.
    ///
    /// # Errors
    /// Fails when the index can't be read, or `read` fails, or an event is not what the index says of it.
    pub fn stands<E: From<IndexError>, V: Borrow<Event>>(
        &self,
        stream: &StreamName,
        read: impl FnOnce(&[u64]) -> Result<Vec<V>, E>,
    ) -> Result<Option<Tracked>, E> {
        if let Some(tracked) = self.tracked(stream)? {
            return Ok(Some(tracked));
        }
        let Some(past) = self.past(stream)? else { return Ok(None) };
        Ok(Some(past.fold(read(past.positions())?, None)?))
    }
}

impl Past {
    /// Returns the positions of its events, in their order.
    #[must_use]
    pub fn positions(&self) -> &[u64] {
        &self.positions
    }

    /// Returns how the stream stands after its events, of which the last has this hash, where the chain runs along the stream.
    ///
    /// # Errors
    /// Fails when they are not the events of this stream.
    pub fn fold(
        &self,
        events: impl IntoIterator<Item: Borrow<Event>>,
        hash: Option<Hash>,
    ) -> Result<Tracked, IndexError> {
        let wrong = || IndexError::damaged("the events of a transfer are not what the index says of them");
        let mut state: Option<State> = None;
        for event in events {
            let event = event.borrow();
            if event.stream != self.stream {
                return Err(wrong());
            }
            state = Some(State::evolve(state.as_ref(), event).map_err(|_not_the_next| wrong())?);
        }
        let is_whole = |state: &State| state.revision() + 1 == self.positions.len() as u64;
        let state = state.filter(is_whole).ok_or_else(wrong)?;
        Ok(Tracked { state, key: self.key, hash })
    }
}
