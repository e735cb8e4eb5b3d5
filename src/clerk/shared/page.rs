//! [`Page`] is a page of the store's events, as the follower takes it into the index.

use uuid::Uuid;

use crate::domain::stream::StreamName;
use crate::index::Reached;
use crate::index::feed::Taken;
use crate::store::chain::Hash;
use crate::store::eventstoredb::Recorded;

/// A `Page` has the events that are taken in together, and says how far they lead.
pub(super) struct Page {
    pub(super) taken: Taken,
    /// This is the journal's id, when its first event is among them.
    pub(super) journal_id: Option<Uuid>,
    pub(super) reached: Reached,
    /// This is the last event's stream and revision.
    pub(super) place: Option<(StreamName, u64)>,
    pub(super) looked_at: u64,
}

impl Page {
    pub(super) fn after(reached: Reached, looked_at: u64) -> Self {
        Self { taken: Taken::default(), journal_id: None, reached, place: None, looked_at }
    }

    /// Counts an event that was taken, with its own hash.
    pub(super) fn event(&mut self, recorded: &Recorded, stream: &StreamName, hash: Hash) {
        if self.reached.position == 0 {
            self.journal_id = Some(recorded.event_id);
            self.reached.hash = Hash::genesis(recorded.event_id);
        }
        self.place = Some((stream.clone(), recorded.revision));
        self.reached =
            Reached { position: recorded.position, hash: self.reached.hash.and(&hash), event: hash };
    }
}
