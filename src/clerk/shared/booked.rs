//! A durable event, with what is known of its place.

use std::sync::Arc;

use crate::domain::event::Event;
use crate::store::Position;

/// An event of a stream, and a position at or before which it is.
#[derive(Clone, Debug)]
pub(super) struct Booked {
    pub(super) event: Arc<Event>,
    pub(super) position: Position,
}
