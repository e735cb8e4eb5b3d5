//! The feed folds a journal's events into the index. Every store uses this one fold.
//!
//! Whoever reads the journal checks the bytes and the chain of an event; the feed checks that the event is the next of its
//! stream, and keeps how each stream stands. It is bounded: when more than [`MOST_STREAMS`] streams are in memory, all are
//! removed from it and looked up in the index again.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::domain::event::{Event, EvolveError};
use crate::domain::ids::Id;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::store::chain::Hash;

use super::error::IndexError;
use super::handle::{Besides, Index};
use super::layers::Tracked;
use super::lsm::memtable::{Note, Reached};
use super::past::Past;
use super::record::StreamKey;

/// This is the most streams that are kept in memory.
const MOST_STREAMS: usize = 65_536;

/// The reason why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The index can't be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The event does not follow from the events before it in its stream.
    #[error(transparent)]
    Evolve(#[from] EvolveError),
}

/// A `Feed` is a feed: it knows how each stream stands after the last event that was taken.
#[derive(Debug)]
pub struct Feed {
    index: Index,
    streams: HashMap<StreamName, Tracked, RandomState>,
}

impl Feed {
    /// Makes a feed of this index.
    #[must_use]
    pub fn new(index: Index) -> Self {
        Self { index, streams: HashMap::default() }
    }

    /// Returns how a stream stands; `None` when it has not begun.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub fn tracked(&mut self, stream: &StreamName) -> Result<Option<&Tracked>, IndexError> {
        if !self.streams.contains_key(stream)
            && let Some(tracked) = self.index.tracked(stream)?
        {
            self.streams.insert(stream.clone(), tracked);
        }
        Ok(self.streams.get(stream))
    }

    /// Returns the revision that the next event of a stream has.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub fn next_revision(&mut self, stream: &StreamName) -> Result<u64, IndexError> {
        if let Some(tracked) = self.tracked(stream)? {
            return Ok(tracked.state.revision().saturating_add(1));
        }
        self.index.next_revision(stream)
    }

    /// Returns where the events of an event's stream are, where its state must be folded from them before the event is taken:
    /// it is that of a transfer that has ended, and goes on all the same.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub fn lacks(&mut self, stream: &StreamName, revision: u64) -> Result<Option<Past>, IndexError> {
        if revision == 0 || self.tracked(stream)?.is_some() {
            return Ok(None);
        }
        self.index.past(stream)
    }

    /// Learns how a stream stands that was folded from its events.
    pub fn learn(&mut self, tracked: Tracked) {
        self.streams.insert(tracked.state.stream(), tracked);
    }

    /// Takes one event into `taken`. What the feed [`lacks`](Self::lacks) for it must be [learnt](Self::learn) before. `hash`
    /// is the event's own hash, and is given only where the chain runs along each stream.
    ///
    /// # Errors
    /// Fails when it is not the next of its stream, or the index can't be read.
    pub fn take(
        &mut self,
        event: Event,
        position: u64,
        hash: Option<Hash>,
        taken: &mut Taken,
    ) -> Result<(), FeedError> {
        let before = self.tracked(&event.stream)?;
        let state_before = before.map(|tracked| &tracked.state);
        let state = State::evolve(state_before, &event)?;
        taken.besides.ended.went_on(state_before, &state);
        let key = before.map_or_else(|| StreamKey::of(&event.stream), |tracked| tracked.key);
        let tracked = Tracked { state, key, hash };
        self.streams.insert(event.stream.clone(), tracked.clone());
        taken.states.insert(event.stream.clone(), tracked);
        taken.events.push((key, position, event));
        Ok(())
    }

    /// Takes a note when the ID of an event was booked before, on another stream, in a race between two instances. It
    /// must be called before the event is taken.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub fn note_if_booked_twice(&self, id: Id, taken: &mut Taken) -> Result<bool, IndexError> {
        let in_taken = !taken.ids.insert(id);
        let twice = in_taken || !self.index.used(id)?.booked.is_empty();
        if twice {
            taken.besides.notes.push(Note::Twice(id));
        }
        Ok(twice)
    }

    /// Gives to the index what was taken, and the place in the journal up to which it was taken.
    pub fn apply(&mut self, taken: Taken, reached: Reached) {
        let events = taken.events.iter().map(|(key, position, event)| (*key, *position, event));
        self.index.apply_with(events, taken.states.into_values(), taken.besides, reached);
        if self.streams.len() > MOST_STREAMS {
            self.streams.clear();
        }
    }
}

/// A `Taken` has the events, states and notes that are taken into the index together.
#[derive(Debug, Default)]
pub struct Taken {
    events: Vec<(StreamKey, u64, Event)>,
    states: HashMap<StreamName, Tracked, RandomState>,
    /// These are the IDs of the events, filled only where it is asked whether an ID was booked twice.
    ids: HashSet<Id, RandomState>,
    besides: Besides,
}

impl Taken {
    /// Returns the number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Says whether there is no event and no note.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.besides.notes.is_empty()
    }

    /// Adds a note.
    pub fn note(&mut self, note: Note) {
        self.besides.notes.push(note);
    }

    /// Returns the number of IDs that were found to be booked twice.
    #[must_use]
    pub fn booked_twice(&self) -> usize {
        self.besides.notes.iter().filter(|note| matches!(note, Note::Twice(_))).count()
    }
}
