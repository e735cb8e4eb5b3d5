//! The selection says by which terms an event was chosen: what is sent is a function of the journal, so a changed filter counts
//! from the position of the event that changed it, also for a destination that comes there days later.

use std::sync::Arc;

use crate::delivery::port::{Port, Unreadable};
use crate::domain::delivery::Destination;
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::select::Select;
use crate::domain::delivery::terms::Terms;

/// A `Selection` has the terms that count for what is still to be read, each with the position of its event.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// They are in order. The first of them counts for everything before the second.
    terms: Vec<(u64, Arc<Terms>)>,
}

impl Selection {
    /// Reads the terms of a destination that count after the position that it has come to. Of all that were ever set only
    /// these are read: the newest ones, back to the first that is not after that position.
    pub(super) async fn read(
        port: &dyn Port,
        name: &DestinationName,
        state: &Destination,
    ) -> Result<Self, Unreadable> {
        let mut terms = Vec::new();
        for revision in state.sets.iter().rev() {
            let (position, set) = port.terms_at(name, *revision).await?;
            terms.push((position, set));
            // What is parked was chosen before, and may be read again with what waits behind it.
            let first = state.parked.keys().next().copied().unwrap_or(u64::MAX);
            if state.through.is_some_and(|through| position <= through.min(first)) {
                break;
            }
        }
        terms.reverse();
        Ok(Self { terms })
    }

    /// Returns the position of the first event that set the destination up, as far as it was read.
    pub(super) fn begins(&self) -> u64 {
        self.terms.first().map_or(0, |(position, _)| *position)
    }

    /// Returns what chooses the event at a position.
    pub(super) fn at(&self, position: u64) -> Option<&Select> {
        let set = self.terms.iter().rev().find(|(set, _)| *set < position).or_else(|| self.terms.first());
        set.map(|(_, terms)| &terms.select)
    }
}
