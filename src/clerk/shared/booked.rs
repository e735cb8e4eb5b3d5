//! [`Booked`] is a durable event with a position that bounds its place.

use std::sync::Arc;

use crate::domain::event::Event;
use crate::store::Position;

/// A `Booked` is a durable event of a stream. `position` is the event's position or a later one.
#[derive(Clone, Debug)]
pub(super) struct Booked {
    pub(super) event: Arc<Event>,
    pub(super) position: Position,
}
