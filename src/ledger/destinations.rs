//! These reads say how destinations stand, and which messages to them were given up.

use crate::domain::delivery::Destination;
use crate::domain::delivery::event::DeliveryEvent;
use crate::domain::delivery::name::DestinationName;
use crate::domain::letter::{Letter, LetterId};
use crate::domain::stream::StreamName;
use crate::index::record::StreamKey;
use crate::index::{Index, IndexError};

use super::handle::Ledger;
use super::history::placed;
use super::types::{Placed, ReadError};

impl Ledger {
    /// Returns a destination as it stands; `None` when there never was one of this name.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn destination(&self, name: &DestinationName) -> Result<Option<Destination>, ReadError> {
        let stream = StreamName::Delivery(name.clone());
        self.0.clerk.stream_readable(&stream)?;
        let index = self.0.index.clone();
        self.blocking(move || Ok(state(&index, &stream)?)).await
    }

    /// Returns the events that set up a destination in this life of its name, in their order. The filter of each counts from
    /// its position on.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn destination_sets(&self, name: &DestinationName) -> Result<Vec<Placed>, ReadError> {
        let stream = StreamName::Delivery(name.clone());
        self.0.clerk.stream_readable(&stream)?;
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || {
            let Some(destination) = state(&index, &stream)? else { return Ok(Vec::new()) };
            let key = StreamKey::of(&stream);
            let mut positions = Vec::with_capacity(destination.sets.len());
            for revision in destination.sets.iter() {
                let found = index.revisions(key, *revision..=*revision, false, 1)?;
                positions.extend(found.first().map(|(_, facts)| facts.position));
            }
            let events = placed(&reader, &positions)?;
            let is_set = |placed: &Placed| {
                placed.event.stream == stream
                    && matches!(placed.event.delivery(), Some(DeliveryEvent::Set { .. }))
            };
            if events.len() == destination.sets.len() && events.iter().all(is_set) {
                Ok(events)
            } else {
                Err(IndexError::damaged("an event is not what the index says of a destination").into())
            }
        })
        .await
    }

    /// Returns all destinations, in the order of their names. Those that were removed are among them.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn destinations(&self) -> Result<Vec<(DestinationName, Destination)>, ReadError> {
        let index = self.0.index.clone();
        self.blocking(move || Ok(index.overlay(|overlay| overlay.destinations())?)).await
    }

    /// Returns up to `limit` letters of the messages to a destination by their ids, from after `after`.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn letters_of(
        &self,
        name: &DestinationName,
        after: Option<LetterId>,
        limit: usize,
    ) -> Result<Vec<Letter>, ReadError> {
        let (index, name) = (self.0.index.clone(), name.clone());
        self.page(move || Ok(index.overlay(|overlay| overlay.letters(&name, after, limit))?)).await
    }
}

fn state(index: &Index, stream: &StreamName) -> Result<Option<Destination>, IndexError> {
    let tracked = index.tracked(stream)?;
    Ok(tracked.as_ref().and_then(|tracked| tracked.state.destination()).cloned())
}
