//! Stream chains say how far each stream has come, and what its next event must follow. They are needed where events are
//! chained along their streams.
//!
//! Along the journal each line follows the line before it, so that any thread can check the two. Along streams the event that a
//! line follows may be anywhere before it; this is therefore checked in order. A stream costs about 150 bytes.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::audit::values::chain::{self, Hash, Hasher};
use crate::audit::values::event::Event;
use crate::audit::values::finding::Flaw;
use crate::audit::values::moment::Moment;

/// The newest event of a stream is what the next one is compared with.
#[derive(Debug, Clone, Copy)]
struct Newest {
    revision: u64,
    hash: Hash,
    recorded_at: Moment,
}

/// `StreamChains` are the chains of all streams that were seen.
#[derive(Debug, Default)]
pub(crate) struct StreamChains {
    newest: HashMap<Box<[u8]>, Option<Newest>, RandomState>,
    hasher: Hasher,
}

impl StreamChains {
    /// Takes the next event in the journal's order. `whole` says that none went before the first that was taken. In a fragment
    /// it is not known what the first event of a stream follows, unless its revision is 0.
    ///
    /// # Errors
    /// Fails when the event does not follow the one before it in its stream.
    pub(crate) fn take(&mut self, event: &Event, block: &[u8], whole: bool) -> Result<(), Flaw> {
        let name = event.stream.of(block);
        if !self.newest.contains_key(name) {
            self.newest.insert(name.into(), None);
        }
        let Some(newest) = self.newest.get_mut(name) else { return Ok(()) };
        let expected = match newest {
            Some(newest) => newest.revision.saturating_add(1),
            None if whole => 0,
            None => event.revision,
        };
        // This check comes before the hash, which can't be right then: that an event is missing says more.
        if event.revision != expected {
            return Err(Flaw::Revision { says: event.revision, expected });
        }
        let previous = match newest {
            Some(newest) => Some(newest.hash),
            None if event.revision == 0 => Some(chain::of_stream(name)),
            None => None,
        };
        if let Some(previous) = previous {
            let (front, back) = event.canonical;
            self.hasher.take(front.of(block), back.of(block));
            if self.hasher.hash(&previous) != event.hash {
                return Err(Flaw::StreamChain);
            }
        }
        if newest.is_some_and(|newest| newest.recorded_at > event.recorded_at) {
            return Err(Flaw::StreamTimeBack);
        }
        let Event { revision, hash, recorded_at, .. } = *event;
        *newest = Some(Newest { revision, hash, recorded_at });
        Ok(())
    }

    /// Lists the streams that were seen, in the order of their names. The stream of an event that was found wrong is among
    /// them.
    #[must_use]
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let mut names: Vec<String> = self.newest.keys().map(|key| name(key)).collect();
        names.sort_unstable();
        names
    }
}
