//! A round is the commands of one stream that are decided together on what is known of the stream. It is pure: what it
//! needs was fetched before, and the task's view of the stream does not change until the round's append is durable.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::clerk::rule::{Decided, First, Past, Ruling, Seen, rule};
use crate::domain::account::event::Effect;
use crate::domain::command::Command;
use crate::domain::currency::Currency;
use crate::domain::event::{Event, EvolveError};
use crate::domain::ids::{AccountName, Id};
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::{Now, Timestamp};
use crate::domain::trace::Trace;
use crate::store::chain::Hash;
use crate::store::eventstoredb::Proposed;

use super::booked::Booked;
use super::lookups::{Found, Lookups};
use super::stream_view::StreamView;

/// Decisions on one stream that are appended together.
pub(super) struct Round<'a> {
    view: &'a StreamView,
    lookups: &'a Lookups,
    now: Now,
    state: Option<State>,
    events: Vec<Arc<Event>>,
    booked: HashMap<Id, Arc<Event>, RandomState>,
    /// This is what is known of the IDs that were asked for, including what this round decided on them.
    traces: HashMap<Id, Trace, RandomState>,
    proposed: Proposed,
}

/// A `Proposal` is the proposal of a round: the events that it wants to append, and the state of the stream after them.
pub(super) struct Proposal {
    pub(super) state: Option<State>,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) proposed: Proposed,
}

impl Proposal {
    /// Returns the hash of its last event.
    pub(super) fn hash(&self) -> Hash {
        self.proposed.hash()
    }
}

impl<'a> Round<'a> {
    pub(super) fn new(
        stream: &StreamName,
        view: &'a StreamView,
        lookups: &'a Lookups,
        now: Timestamp,
    ) -> Self {
        Self {
            view,
            lookups,
            now: Now::after(view.recorded_at, now),
            state: view.state.clone(),
            events: Vec::new(),
            booked: HashMap::default(),
            traces: HashMap::default(),
            proposed: Proposed::after(stream, view.last()),
        }
    }

    /// Rules on one more command; `None` when there is no room for its event any more.
    pub(super) fn rule(&mut self, command: &Command) -> Result<Option<Ruling>, RoundError> {
        let now = self.now;
        rule(self, command, now)
    }

    pub(super) fn proposal(self) -> Proposal {
        Proposal { state: self.state, events: self.events, proposed: self.proposed }
    }

    /// Returns what was fetched of an ID.
    fn found(&self, id: Id) -> Result<Option<&Found>, RoundError> {
        match self.lookups.of(id) {
            Some(Found { unreadable: Some(why), .. }) => Err(RoundError::Unreadable(why.clone())),
            found => Ok(found),
        }
    }

    /// Returns the durable event with an ID. An event of this stream comes before one of another stream.
    fn durable(&self, id: Id, stream: &StreamName) -> Result<Option<&Booked>, RoundError> {
        if let Some(own) = self.view.seen(id) {
            return Ok(Some(own));
        }
        let booked = || self.lookups.of(id).into_iter().flat_map(|found| &found.booked);
        match booked().find(|booked| booked.event.stream == *stream) {
            Some(own) => Ok(Some(own)),
            None => Ok(self.found(id)?.and_then(|found| found.booked.first())),
        }
    }

    /// Makes the trace of an ID from the index, from the stream's events that the index may not know, and from this
    /// round's event if it booked the ID. Whatever else this round decided on an ID is in `traces` already.
    fn fetched(&self, id: Id, stream: &StreamName) -> Result<Trace, RoundError> {
        let mut trace = Trace::default();
        let mut summed = None;
        if let Some(found) = self.found(id)? {
            let own = found.booked.iter().find(|booked| booked.event.stream == *stream);
            trace.first = own.map(|booked| Arc::clone(&booked.event));
            trace.ruled_out_by = found.ruled_out_by;
            trace.taken_back = found.taken_back.and_then(|taken_back| taken_back.sum);
            summed = found.taken_back.and_then(|taken_back| taken_back.revision);
        }
        // The index and the stream may both know the same event: what it took back counts once.
        let is_summed = |event: &Event| {
            matches!(event.names(), Some((named, Effect::TakenBack(_))) if named == id)
                && summed.is_some_and(|summed| event.revision <= summed)
        };
        let newer = self.view.seen(id).map(|booked| &booked.event).into_iter().chain(self.view.naming(id));
        for event in newer.filter(|event| !is_summed(event)).chain(self.booked.get(&id)) {
            trace.take_in(id, event);
        }
        Ok(trace)
    }
}

/// The reason why a command of a round can't be decided.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    /// A decided event does not follow from those before it, which is a fault of this program.
    #[error(transparent)]
    Evolve(#[from] EvolveError),
    /// An event that the command needs can't be read.
    #[error("{0}")]
    Unreadable(String),
}

impl Past for Round<'_> {
    type Error = RoundError;

    fn seen(&mut self, id: Id, stream: &StreamName) -> Result<Seen, RoundError> {
        if let Some(event) = self.booked.get(&id) {
            return Ok(Seen::Booked(First::AtHand(Arc::clone(event))));
        }
        if let Some(Booked { event, position }) = self.durable(id, stream)? {
            return Ok(Seen::Booked(First::Durable(Arc::clone(event), *position)));
        }
        Ok(self.trace(id, stream)?.ruled_out_by.map_or(Seen::Never, Seen::RuledOut))
    }

    fn trace(&mut self, id: Id, stream: &StreamName) -> Result<Trace, RoundError> {
        if let Some(trace) = self.traces.get(&id) {
            return Ok(trace.clone());
        }
        let trace = self.fetched(id, stream)?;
        self.traces.insert(id, trace.clone());
        Ok(trace)
    }

    fn state(&mut self, _stream: &StreamName) -> Result<Option<&State>, RoundError> {
        Ok(self.state.as_ref())
    }

    fn currency(&mut self, account: &AccountName) -> Result<Option<Currency>, RoundError> {
        Ok(self.lookups.currency(account))
    }

    fn take_in(&mut self, decided: Decided) -> bool {
        let Decided { event, state, named: _ } = decided;
        if !self.proposed.push(&event) {
            return false;
        }
        for id in std::iter::once(event.id).chain(event.names().map(|(id, _)| id)) {
            if let Some(trace) = self.traces.get_mut(&id) {
                trace.take_in(id, &event);
            }
        }
        self.state = Some(state);
        if !event.id.is_absent() {
            self.booked.insert(event.id, Arc::clone(&event));
        }
        self.events.push(event);
        true
    }
}
