//! A correction is what an operator asked for to put an account right, as the auditor holds it.

use crate::audit::values::chain;
use crate::audit::values::span::Span;

/// This is the ledger's own account on the other side of each correction.
pub(crate) const CORRECTIONS: &[u8] = b"@corrections";

/// In the text of a list each ID has 36 bytes, two quotes, and a comma but for the last one.
const ITEM: usize = 39;

/// A correction is the request, whether it was booked or declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Correction {
    pub(crate) wanted: Wanted,
    /// This is the revision that the account's last event was to have, where the request names it.
    pub(crate) expected_revision: Option<u64>,
    /// This is the list of the transactions that were wrong, where the request names any.
    pub(crate) corrects: Option<Span>,
    /// This says whether the correction may pass the overdraft limit.
    pub(crate) force: bool,
}

/// A `Wanted` is what a correction is to make of the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The balance becomes this one.
    Balance(i128),
    /// The guarded account gets this sum: an amount or its negative.
    Move(i128),
}

impl Correction {
    /// Gives the IDs of the transactions that were wrong, from the block that the event is in.
    pub(crate) fn corrects(self, block: &[u8]) -> impl Iterator<Item = u128> {
        let list = self.corrects.map_or(&[][..], |corrects| corrects.of(block));
        list.chunks(ITEM).filter_map(|item| chain::read_uuid(item.get(1..)?.first_chunk()?))
    }
}
