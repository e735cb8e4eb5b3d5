//! The view that a task has of its stream says how the stream stands after its last event, and the events that the index
//! does not know yet. It is loaded from what the index has and from the stream's events after that, and it reads on
//! when others write.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domain::event::Event;
use crate::domain::ids::Id;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::index::{Index, IndexError, Past, Tracked};
use crate::store::Position;
use crate::store::chain::Hash;
use crate::store::eventstoredb::{Recorded, Store};

use super::booked::Booked;
use super::trouble::Trouble;

/// This is the most events that are read of a stream at a time.
const PAGE: usize = 1_000;
/// This is the number of newest events that are kept even when the index knows them. Most retries come soon, and find
/// theirs here.
const KEPT: usize = 256;

#[derive(Debug)]
pub(super) struct StreamView {
    name: StreamName,
    /// This is the state of the stream; `None` before its first event.
    pub(super) state: Option<State>,
    /// This is the hash of its last event. Before the first event it is the hash of the stream's name, to which the
    /// first is chained.
    hash: Hash,
    pub(super) recorded_at: Timestamp,
    /// This has every event that the index did not know when it was last asked, and up to [`KEPT`] more that it knew, by
    /// their IDs.
    newer: HashMap<Id, Booked, RandomState>,
    /// These are the IDs of the same events, oldest first.
    order: VecDeque<Id>,
    /// This has, for each ID that some of these events reverse or rule out, the IDs of those events.
    naming: HashMap<Id, Vec<Id>, RandomState>,
}

impl StreamView {
    /// Makes the view of a stream that has no event.
    pub(super) fn empty(name: &StreamName) -> Self {
        Self {
            name: name.clone(),
            state: None,
            hash: Hash::of_stream(name),
            recorded_at: Timestamp::from_micros(0),
            newer: HashMap::default(),
            order: VecDeque::new(),
            naming: HashMap::default(),
        }
    }

    /// Loads the view: what the index has of the stream, and the stream's events from there on. It checks that the
    /// store still has the last event that the index saw; of a transfer that has ended all of them, as it reads them all.
    pub(super) async fn load(store: &Store, index: &Index, name: &StreamName) -> Result<Self, Trouble> {
        let (tracked, past) = known(index, name).map_err(|error| {
            tracing::error!(%error, "the index can't be read");
            Trouble::Unreachable
        })?;
        let mut view = Self::empty(name);
        let from = tracked.as_ref().map_or(0, |tracked| tracked.state.revision());
        let (cut, first) = tokio::join!(store.limited(name), store.stream(name, from, PAGE));
        if let Some(why) = cut? {
            return Err(Trouble::Damaged(why));
        }
        let mut page = first?;
        let full = page.len() == PAGE;
        if let Some(tracked) = tracked {
            let witness = page.first().filter(|event| event.revision == from);
            let Some(witness) = witness else {
                return Err(Trouble::Damaged(format!(
                    "revision {from}, which was seen before, is not there"
                )));
            };
            let read = witness.read().map_err(|foreign| Trouble::foreign(&foreign, from))?;
            if tracked.hash != Some(read.line.hash) {
                return Err(Trouble::Damaged(format!(
                    "revision {from} is not the event that was seen there"
                )));
            }
            view.recorded_at = read.line.event.recorded_at;
            view.hash = read.line.hash;
            view.state = Some(tracked.state);
            page.remove(0);
        }
        if let Some(past) = past {
            are_there(&past, &page)?;
        }
        page.iter().try_for_each(|recorded| view.take_in(recorded))?;
        if full {
            view.read_on(store).await?;
        }
        Ok(view)
    }

    /// Reads the stream to its end. Returns the number of events that were new.
    pub(super) async fn read_on(&mut self, store: &Store) -> Result<usize, Trouble> {
        let mut new = 0;
        loop {
            let page = store.stream(&self.name, self.next_revision(), PAGE).await?;
            page.iter().try_for_each(|recorded| self.take_in(recorded))?;
            new += page.len();
            if page.len() < PAGE {
                return Ok(new);
            }
        }
    }

    /// Returns the revision that comes next.
    pub(super) fn next_revision(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.revision() + 1)
    }

    /// Returns the revision and the hash of the last event.
    pub(super) fn last(&self) -> Option<(u64, Hash)> {
        self.state.as_ref().map(|state| (state.revision(), self.hash))
    }

    fn take_in(&mut self, recorded: &Recorded) -> Result<(), Trouble> {
        let damaged = |why: String| Trouble::Damaged(format!("revision {}: {why}", recorded.revision));
        if recorded.revision != self.next_revision() {
            return Err(Trouble::Damaged(format!(
                "revision {} stands where {} comes next",
                recorded.revision,
                self.next_revision()
            )));
        }
        let read = recorded.read().map_err(|foreign| Trouble::foreign(&foreign, recorded.revision))?;
        let hash = self.hash.then(&read.canonical);
        if hash != read.line.hash {
            return Err(damaged("its hash does not follow from the event before it".into()));
        }
        let event = read.line.event;
        let state = State::evolve(self.state.as_ref(), &event);
        self.state = Some(state.map_err(|error| damaged(error.to_string()))?);
        self.hash = hash;
        self.remember(Arc::new(event), recorded.position);
        Ok(())
    }

    /// Takes in events that this task appended and that became durable, at or before a position.
    pub(super) fn adopt(&mut self, state: State, hash: Hash, events: &[Arc<Event>], position: Position) {
        self.state = Some(state);
        self.hash = hash;
        events.iter().for_each(|event| self.remember(Arc::clone(event), position));
    }

    fn remember(&mut self, event: Arc<Event>, position: Position) {
        self.recorded_at = self.recorded_at.max(event.recorded_at);
        if let Some((named, _)) = event.names() {
            self.naming.entry(named).or_default().push(event.id);
        }
        self.order.push_back(event.id);
        self.newer.insert(event.id, Booked { event, position });
    }

    /// Removes old events that the index knows, and keeps at least the [`KEPT`] newest.
    pub(super) fn trim(&mut self, indexed: Position) {
        while self.order.len() > KEPT {
            let Some(oldest) = self.order.front() else { return };
            if self.newer.get(oldest).is_some_and(|booked| booked.position > indexed) {
                return;
            }
            if let Some(gone) = self.order.pop_front().and_then(|id| self.newer.remove(&id))
                && let Some((named, _)) = gone.event.names()
                && let Some(naming) = self.naming.get_mut(&named)
            {
                naming.retain(|id| *id != gone.event.id);
                if naming.is_empty() {
                    self.naming.remove(&named);
                }
            }
        }
    }

    /// Returns the event that was booked on this stream with an ID, if it is one of the newer events.
    pub(super) fn seen(&self, id: Id) -> Option<&Booked> {
        self.newer.get(&id)
    }

    /// Returns the newer events that reverse or rule out an ID.
    pub(super) fn naming(&self, id: Id) -> impl Iterator<Item = &Arc<Event>> {
        self.naming
            .get(&id)
            .into_iter()
            .flatten()
            .filter_map(|id| self.newer.get(id))
            .map(|booked| &booked.event)
    }
}

/// Returns what the index has of a stream: how it stands; or where its events are, of a transfer that has ended.
fn known(index: &Index, name: &StreamName) -> Result<(Option<Tracked>, Option<Past>), IndexError> {
    let tracked = index.tracked(name)?;
    let past = if tracked.is_none() { index.past(name)? } else { None };
    Ok((tracked, past))
}

/// Checks that the store still has the events of a transfer that the index saw, each where it was seen. The page begins with
/// the first event of the stream, and is longer than the past of any transfer of which the index has no state.
fn are_there(past: &Past, page: &[Recorded]) -> Result<(), Trouble> {
    for (revision, position) in past.positions().iter().enumerate() {
        match page.get(revision) {
            Some(recorded) if recorded.position == *position => {}
            Some(_) => {
                return Err(Trouble::Damaged(format!(
                    "revision {revision} is not the event that was seen there"
                )));
            }
            None => {
                return Err(Trouble::Damaged(format!(
                    "revision {revision}, which was seen before, is not there"
                )));
            }
        }
    }
    Ok(())
}
