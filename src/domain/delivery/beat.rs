//! A beat is the moment at which something happens to a delivery, on both clocks, with a random number for it.

use crate::domain::time::Timestamp;

/// A `Beat` is a moment as the flow of a destination needs it. Waits are counted on the monotonic clock, so that a wall clock
/// that is set cannot make them longer or shorter; the wall clock's time only stands in events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// These are the milliseconds of the monotonic clock.
    pub tick_ms: u64,
    /// This is the time of the wall clock.
    pub wall: Timestamp,
    /// This is a random number, from which the jitter of a wait is drawn.
    pub dice: u32,
}

impl Beat {
    /// Returns a part of `whole` that the random number chooses: from nothing to all of it.
    #[must_use]
    pub fn part_of(&self, whole: u64) -> u64 {
        let part = u128::from(whole).saturating_mul(u128::from(self.dice)) >> 32;
        u64::try_from(part).unwrap_or(whole)
    }

    /// Returns the wall clock's time in so many milliseconds.
    #[must_use]
    pub fn wall_in(&self, ms: u64) -> Timestamp {
        let micros = i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.wall.micros().saturating_add(micros))
    }
}
