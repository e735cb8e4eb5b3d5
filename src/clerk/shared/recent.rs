//! The recent events are those that commands on other streams, or the next ones on their own, name a moment later: the requests
//! of transfers, and holds. The follower has read them anyway, so that the store is not asked for them again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::domain::event::Event;
use crate::domain::kind::Kind;
use crate::store::Position;

/// This is the most events that are kept.
const MOST: usize = 16_384;

/// `Recent` has the newest events that are named a moment later, each by its position.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    events: HashMap<Position, Arc<Event>, RandomState>,
    /// These are the positions, oldest first.
    order: VecDeque<Position>,
}

impl Recent {
    /// Keeps an event, if it is one that is named a moment later. The oldest is let go where there are too many.
    pub(super) fn keep(&self, event: &Event, position: Position) {
        if !matches!(event.kind(), Kind::Hold | Kind::Transfer) {
            return;
        }
        let mut kept = self.0.lock();
        if kept.events.insert(position, Arc::new(event.clone())).is_none() {
            kept.order.push_back(position);
        }
        if kept.order.len() > MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.events.remove(&oldest);
        }
    }

    /// Returns the event at a position, if it is kept.
    pub(super) fn at(&self, position: Position) -> Option<Arc<Event>> {
        self.0.lock().events.get(&position).cloned()
    }
}
