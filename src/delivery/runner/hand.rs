//! The hand has the bodies of the messages in a flow's window, so that an attempt reads nothing again. Bodies of parked
//! messages are not in it: they are read from the journal when they are due.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delivery::message::Message;
use crate::domain::delivery::flow::Flow;

/// This is the most bytes of all destinations together.
const MOST_OF_ALL: usize = 64 * 1024 * 1024;
/// This is the most bytes of one.
const MOST_OF_ONE: usize = 8 * 1024 * 1024;

/// A `Hand` has bodies by their positions.
#[derive(Debug)]
pub(super) struct Hand {
    messages: BTreeMap<u64, Arc<Message>>,
    bytes: usize,
    most: usize,
}

impl Hand {
    /// Makes one that has its part of what all destinations may have. It is a fixed part: a destination that is down keeps
    /// nothing from the others.
    pub(super) fn among(destinations: usize) -> Self {
        let part = MOST_OF_ALL.checked_div(destinations).unwrap_or(MOST_OF_ALL);
        Self { messages: BTreeMap::new(), bytes: 0, most: part.min(MOST_OF_ONE) }
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes < self.most
    }

    pub(super) fn get(&self, position: u64) -> Option<Arc<Message>> {
        self.messages.get(&position).cloned()
    }

    pub(super) fn put(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(message.body.len());
        self.messages.insert(message.position, Arc::new(message));
    }

    /// Lets go what has left the window of the flow. What was delivered is named, because that is the usual case; where more
    /// has left, all is looked through.
    pub(super) fn let_go(&mut self, settled: Option<u64>, flow: &Flow) {
        if let Some(gone) = settled.and_then(|position| self.messages.remove(&position)) {
            self.bytes = self.bytes.saturating_sub(gone.body.len());
        }
        if self.messages.len() > flow.in_window() {
            self.messages.retain(|position, _| flow.has_in_window(*position));
            self.bytes = self.messages.values().map(|message| message.body.len()).sum();
        }
    }
}
