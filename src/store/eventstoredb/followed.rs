//! [`Followed`] is what a subscription tells.

use super::recorded::Recorded;

/// A `Followed` is a message of a subscription. How far the node says it has looked is left out: nodes have said
/// 2^64-1, the same place again and again, and the place of an event that came only later. A caller who follows again
/// begins after the last event that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// This is an event of one of the ledger's streams, or of the metadata of one.
    Event(Recorded),
    /// All events that were there when the subscription began have come. From now on new ones come as they are stored.
    CaughtUp,
}
