//! What a process knows of a parked message is here, beside what is recorded of it.

use crate::domain::delivery::progress::{End, Parked};

/// A `Kept` is a parked message, as this process knows it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// This is what is recorded of it.
    pub(super) row: Parked,
    pub(super) place: Place,
    /// This is how often it was sent, as far as it is known.
    pub(super) tries: u32,
    /// This is the count of delivered messages when it was parked.
    pub(super) placed_at: u64,
    pub(super) is_late: bool,
}

/// A `Place` says where a parked message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It waits until this time of the monotonic clock.
    Waits {
        due: u64,
    },
    UnderWay,
    /// It becomes a dead letter.
    Dies,
    /// It has ended, and what comes after it in its account is not known yet. Until then it stays recorded as parked, so that
    /// a crash does not lose what waits behind it.
    Ended(End),
}
