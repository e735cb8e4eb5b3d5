//! A part of a journal that does not begin at position 1: what can be told of it without the events before.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::event::{Event, Moment};
use super::flaw::Flaw;
use super::seen::{Known, Seen};

/// What was seen in the part so far.
#[derive(Debug)]
pub struct Part {
    from: u64,
    revisions: HashMap<Box<[u8]>, u64, RandomState>,
    seen: Seen,
    recorded_at: Option<Moment>,
}

impl Part {
    /// A part that begins at this position.
    #[must_use]
    pub fn new(from: u64) -> Self {
        Self { from, revisions: HashMap::default(), seen: Seen::default(), recorded_at: None }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When time or a stream's revisions do not go on from what the part has shown, or an ID comes twice in it.
    pub fn take(&mut self, event: &Event, block: &[u8]) -> Result<(), Flaw> {
        if self.recorded_at.is_some_and(|last| last > event.recorded_at) {
            return Err(Flaw::TimeBack);
        }
        self.recorded_at = Some(event.recorded_at);
        let name = event.account.of(block);
        match self.revisions.get_mut(name) {
            Some(last) if event.revision != *last + 1 => {
                return Err(Flaw::Revision { says: event.revision, expected: *last + 1 });
            }
            Some(last) => *last = event.revision,
            None => {
                self.revisions.insert(name.into(), event.revision);
            }
        }
        let known = Known { account: 0, moved: None };
        self.seen.insert(event.id, known).map_err(|place| Flaw::SeenBefore(self.from + place as u64))
    }
}
