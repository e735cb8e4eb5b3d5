//! A round: commands of one stream, decided together on what is known of it. It is pure: what it needs was fetched before,
//! and nothing is changed until its append is durable.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::clerk::rule::{Decided, First, Past, Ruling, Seen, rule};
use crate::domain::command::Command;
use crate::domain::event::{Event, EvolveError};
use crate::domain::ids::Id;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::domain::trace::Trace;
use crate::index::record::Role;
use crate::store::chain::Hash;
use crate::store::eventstoredb::Proposed;

use super::booked::Booked;
use super::lookups::Lookups;
use super::stream_view::StreamView;

/// Decisions on one stream that are appended together.
pub(super) struct Round<'a> {
    view: &'a StreamView,
    lookups: &'a Lookups,
    now: Timestamp,
    state: Option<State>,
    events: Vec<Arc<Event>>,
    booked: HashMap<Id, Arc<Event>, RandomState>,
    /// What is known of the IDs that were asked for, with what this round decided on them.
    traces: HashMap<Id, Trace, RandomState>,
    proposed: Proposed,
}

/// What a round wants to append, and what comes of it.
pub(super) struct Proposal {
    pub(super) state: Option<State>,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) proposed: Proposed,
}

impl Proposal {
    /// The hash of its last event.
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
            now: now.max(view.recorded_at),
            state: view.state.clone(),
            events: Vec::new(),
            booked: HashMap::default(),
            traces: HashMap::default(),
            proposed: Proposed::after(stream, view.last()),
        }
    }

    /// Rules on one more command; `None` when there is no room for its event any more.
    pub(super) fn rule(&mut self, command: &Command) -> Result<Option<Ruling>, EvolveError> {
        let now = self.now;
        rule(self, command, now)
    }

    pub(super) fn proposal(self) -> Proposal {
        Proposal { state: self.state, events: self.events, proposed: self.proposed }
    }

    /// The durable event with an ID: the stream's own before another's.
    fn durable(&self, id: Id, stream: &StreamName) -> Option<&Booked> {
        self.view.seen(id).or_else(|| {
            let booked = || self.lookups.of(id).filter(|(role, _)| *role == Role::Booked).map(|(_, b)| b);
            booked().find(|booked| booked.event.stream == *stream).or_else(|| booked().next())
        })
    }

    /// What the index and the stream behind it say of an ID, and this round, if it booked the ID. What else this round
    /// decided on an ID is in `traces` already.
    fn fetched(&self, id: Id, stream: &StreamName) -> Trace {
        let indexed = self.lookups.of(id).map(|(_, booked)| &booked.event);
        let newer = self.view.seen(id).map(|booked| &booked.event).into_iter().chain(self.view.naming(id));
        let here = self.booked.get(&id);
        let mut events: Vec<&Arc<Event>> =
            indexed.chain(newer).chain(here).filter(|event| event.stream == *stream).collect();
        // The index and the stream may both know the same event.
        events.sort_unstable_by_key(|event| event.revision);
        events.dedup_by_key(|event| event.revision);
        let mut trace = Trace::default();
        events.into_iter().for_each(|event| trace.take_in(id, event));
        trace
    }
}

impl Past for Round<'_> {
    type Error = EvolveError;

    fn seen(&mut self, id: Id, stream: &StreamName) -> Result<Seen, EvolveError> {
        if let Some(event) = self.booked.get(&id) {
            return Ok(Seen::Booked(First::AtHand(Arc::clone(event))));
        }
        if let Some(Booked { event, position }) = self.durable(id, stream) {
            return Ok(Seen::Booked(First::Durable(Arc::clone(event), *position)));
        }
        Ok(self.trace(id, stream)?.ruled_out_by.map_or(Seen::Never, Seen::RuledOut))
    }

    fn trace(&mut self, id: Id, stream: &StreamName) -> Result<Trace, EvolveError> {
        if let Some(trace) = self.traces.get(&id) {
            return Ok(trace.clone());
        }
        let trace = self.fetched(id, stream);
        self.traces.insert(id, trace.clone());
        Ok(trace)
    }

    fn state(&mut self, _stream: &StreamName) -> Result<Option<&State>, EvolveError> {
        Ok(self.state.as_ref())
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
        self.booked.insert(event.id, Arc::clone(&event));
        self.events.push(event);
        true
    }
}
