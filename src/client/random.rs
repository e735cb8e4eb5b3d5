//! Random numbers are drawn from a seed, by SplitMix64 (Steele, Lea, Flood 2014). They are for jitter, faults and loads, and
//! never for secrets.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::domain::ids::TransactionId;
use crate::tasks;

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes the bits of a number, so that neighbours become unrelated.
#[must_use]
pub(crate) const fn mix(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Draws are a sequence of numbers: the same seed gives the same sequence. They may be shared, as each draw is one atomic
/// addition.
#[derive(Debug)]
pub(crate) struct Draws {
    seed: u64,
    state: AtomicU64,
}

impl Draws {
    /// Begins the sequence of this seed.
    #[must_use]
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, state: AtomicU64::new(mix(seed)) }
    }

    /// Begins a sequence that nobody has seen before, with a seed from the system, or from the executor of the present thread.
    #[must_use]
    pub(crate) fn fresh() -> Self {
        Self::new(tasks::seed())
    }

    /// Gives the seed that it began with.
    #[must_use]
    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws the next 64 bits.
    pub(crate) fn next(&self) -> u64 {
        mix(self.state.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA))
    }

    /// Draws the next number below `bound` (0 when the bound is 0). The bias is below one in 2^32 for the small bounds used.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// Draws the next UUIDv4.
    pub(crate) fn id(&self) -> TransactionId {
        loop {
            let (high, low) = (self.next(), self.next());
            let bytes = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
            let uuid: Uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
            if let Some(id) = TransactionId::from_uuid(uuid) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_own_sequence_again() {
        let sequence = |seed| {
            let draws = Draws::new(seed);
            (0..5).map(|_| draws.next()).collect::<Vec<_>>()
        };
        assert_eq!(sequence(7), sequence(7));
        assert_ne!(sequence(7), sequence(8));
    }

    #[test]
    fn draws_stay_below_their_bound() {
        let draws = Draws::new(1);
        assert!((0..1000).all(|_| draws.below(10) < 10));
        assert_eq!(draws.below(0), 0);
    }
}
