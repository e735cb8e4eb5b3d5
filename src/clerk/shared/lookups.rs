//! What the index and the journal say of the IDs that some commands name: fetched before any of them is decided, so that
//! the decisions themselves wait for nothing.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::ids::Id;
use crate::index::Index;
use crate::index::record::{Mark, Role};
use crate::store::Position;
use crate::store::eventstoredb::Store;

use super::booked::Booked;
use super::reserved_ids::ReservedIds;
use super::trouble::Trouble;

#[derive(Debug, Default)]
pub(super) struct Lookups {
    marks: HashMap<Id, Vec<(Role, Booked)>, RandomState>,
}

impl Lookups {
    /// Looks up every ID that these commands name.
    pub(super) async fn fetch(
        store: &Store,
        index: &Index,
        reserved: &ReservedIds,
        commands: impl Iterator<Item = &Command>,
    ) -> Result<Self, Trouble> {
        let mut lookups = Self::default();
        let mut named: HashMap<Id, Vec<Mark>, RandomState> = HashMap::default();
        for command in commands {
            // Before the index is asked: what it learns is reserved no more after that.
            if let Some(booked) = reserved.booked_elsewhere(command.id, &command.stream) {
                lookups.marks.insert(command.id, vec![(Role::Booked, booked)]);
            }
            for id in std::iter::once(command.id).chain(command.names()) {
                if named.contains_key(&id) {
                    continue;
                }
                let marks = index.marks(id).map_err(|error| {
                    tracing::error!(%error, "the index can't be read");
                    Trouble::Unreachable
                })?;
                if !marks.is_empty() {
                    named.insert(id, marks);
                }
            }
        }
        if named.is_empty() {
            return Ok(lookups);
        }
        let mut positions: Vec<_> =
            named.values().flat_map(|marks| marks.iter().map(|mark| mark.position)).collect();
        positions.sort_unstable();
        positions.dedup();
        let events = fetch(store, &positions).await?;
        for (id, marks) in named {
            let found = marks.into_iter().filter_map(|mark| {
                let event = Arc::clone(events.get(&mark.position)?);
                Some((mark.role, Booked { event, position: mark.position }))
            });
            lookups.marks.entry(id).or_default().extend(found);
        }
        Ok(lookups)
    }

    /// What the index knows of an ID.
    pub(super) fn of(&self, id: Id) -> impl Iterator<Item = (Role, &Booked)> {
        self.marks.get(&id).into_iter().flatten().map(|(role, booked)| (*role, booked))
    }
}

async fn fetch(store: &Store, positions: &[Position]) -> Result<HashMap<Position, Arc<Event>>, Trouble> {
    let found = store.all_at(positions).await?;
    let mut events = HashMap::with_capacity(found.len());
    for recorded in found {
        let read = recorded
            .read()
            .map_err(|foreign| Trouble::Unreadable(format!("position {}: {foreign}", recorded.position)))?;
        events.insert(recorded.position, Arc::new(read.line.event));
    }
    match positions.iter().find(|position| !events.contains_key(position)) {
        Some(missing) => {
            Err(Trouble::Unreadable(format!("the event that was seen at position {missing} is gone")))
        }
        None => Ok(events),
    }
}
