//! A fragment is a part of a journal that does not begin with its first event. It is checked as far as that is possible without
//! the events before.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::audit::rules::double_use::NamedDoubleUse;
use crate::audit::rules::id_set::{IdSet, KnownId};
use crate::audit::values::chain::Chain;
use crate::audit::values::event::{Event, Moment};
use crate::audit::values::finding::Flaw;

/// A `Stream` is a stream, as far as the fragment has shown it.
#[derive(Debug)]
struct Stream {
    number: u32,
    revision: u64,
}

/// A `Fragment` is a fragment, as far as it was seen.
#[derive(Debug)]
pub(crate) struct Fragment {
    chain: Chain,
    streams: HashMap<Box<[u8]>, Stream, RandomState>,
    ids: IdSet,
    recorded_at: Option<Moment>,
}

impl Fragment {
    /// Begins a fragment at this position.
    #[must_use]
    pub(crate) fn new(chain: Chain, from: u64) -> Self {
        Self { chain, streams: HashMap::default(), ids: IdSet::new(chain, from), recorded_at: None }
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// Fails when time or a stream's revisions do not go on from what the fragment has shown, or an ID comes twice in it.
    pub(crate) fn take(&mut self, event: &Event, block: &[u8]) -> Result<(), Flaw> {
        // Along streams that is so within a stream only, and looked at with its chain.
        if self.chain == Chain::Journal && self.recorded_at.is_some_and(|last| last > event.recorded_at) {
            return Err(Flaw::TimeBack);
        }
        self.recorded_at = Some(event.recorded_at);
        let name = event.account.of(block);
        let number = match self.streams.get_mut(name) {
            Some(stream) => {
                let expected = stream.revision.saturating_add(1);
                if event.revision != expected {
                    return Err(Flaw::Revision { says: event.revision, expected });
                }
                stream.revision = expected;
                stream.number
            }
            None => {
                let number = u32::try_from(self.streams.len()).unwrap_or(u32::MAX);
                self.streams.insert(name.into(), Stream { number, revision: event.revision });
                number
            }
        };
        self.ids.take(event, KnownId { account: number, moved: None })
    }

    /// Lists the IDs that were seen on two accounts.
    #[must_use]
    pub(crate) fn double_uses(&self) -> Vec<NamedDoubleUse> {
        NamedDoubleUse::named(
            self.ids.double_uses(),
            self.streams.iter().map(|(name, stream)| (stream.number, &**name)),
        )
    }
}
