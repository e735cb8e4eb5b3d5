//! A fragment is a part of a journal that does not begin with its first event. It is checked as far as that is possible without
//! the events before.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::audit::rules::double_use::NamedDoubleUse;
use crate::audit::rules::id_set::{IdSet, KnownId, Role};
use crate::audit::values::chain::Chain;
use crate::audit::values::event::Event;
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::Id;
use crate::audit::values::moment::Moment;

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
    /// These are the IDs of the service's own, with their positions. What they are for may be before the fragment.
    own_ids: HashMap<Id, u64, RandomState>,
    recorded_at: Option<Moment>,
}

impl Fragment {
    /// Begins a fragment at this position.
    #[must_use]
    pub(crate) fn new(chain: Chain, from: u64) -> Self {
        Self {
            chain,
            streams: HashMap::default(),
            ids: IdSet::new(chain, from),
            own_ids: HashMap::default(),
            recorded_at: None,
        }
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
        let name = event.stream.of(block);
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
        match event.id {
            Id::Client(id) => {
                self.ids.take(id, event.position, KnownId { account: number, role: Role::Other })
            }
            Id::Absent => Ok(()),
            Id::Own(_) => match self.own_ids.insert(event.id, event.position) {
                Some(position) => Err(Flaw::SeenBefore(position)),
                None => Ok(()),
            },
        }
    }

    /// Lists the IDs that were seen on two accounts.
    #[must_use]
    pub(crate) fn double_uses(&self) -> Vec<NamedDoubleUse> {
        NamedDoubleUse::named(
            self.ids.double_uses(),
            self.streams.iter().map(|(name, stream)| (stream.number, bare(name))),
        )
    }
}

/// Gives the name of an account, or the whole name of a transfer's stream.
fn bare(stream: &[u8]) -> &[u8] {
    stream.strip_prefix(b"account-").unwrap_or(stream)
}
