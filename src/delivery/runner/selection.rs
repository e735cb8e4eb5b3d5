//! The selection says by which terms an event was chosen: what is sent is a function of the journal, so a changed filter counts
//! from the position of the event that changed it, also for a destination that comes there days later.

use std::sync::Arc;

use crate::delivery::port::{Port, Sets, Unreadable};
use crate::domain::delivery::Destination;
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::select::Select;

/// A `Selection` has the terms that were set, each with the position of its event.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// They are in order. The first of them counts for everything before the second.
    terms: Sets,
    /// What is after the first position of one of these and not after the second was passed over, by an operator's order.
    skipped: Arc<Vec<(u64, u64)>>,
}

impl Selection {
    /// Reads the terms of a destination that stands so.
    pub(super) async fn read(
        port: &dyn Port,
        name: &DestinationName,
        state: &Destination,
    ) -> Result<Self, Unreadable> {
        Ok(Self { terms: port.sets(name).await?, skipped: Arc::clone(&state.skipped) })
    }

    /// Returns the position of the event that set the destination up in this life of its name.
    pub(super) fn begins(&self) -> u64 {
        self.terms.first().map_or(0, |(position, _)| *position)
    }

    /// Returns what chooses the event at a position; `None` where nothing does.
    pub(super) fn at(&self, position: u64) -> Option<&Select> {
        if self.skipped.iter().any(|(after, to)| position > *after && position <= *to) {
            return None;
        }
        let set = self.terms.iter().rev().find(|(set, _)| *set < position).or_else(|| self.terms.first());
        set.map(|(_, terms)| &terms.select)
    }
}
