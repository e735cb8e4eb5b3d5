//! Patience is how long a driver waits before it asks again for what nobody could tell.

use std::time::{Duration, Instant};

use crate::client::random::Draws;
use crate::tasks;

/// This is the shortest wait.
const SHORTEST: Duration = Duration::from_millis(50);
/// This is the longest wait.
const LONGEST: Duration = Duration::from_secs(5);
/// This is how long an account may be damaged before an operator is needed.
const DAMAGED: Duration = Duration::from_secs(15 * 60);

/// A `Patience` counts how often one step could not be answered.
#[derive(Debug, Default)]
pub(super) struct Patience {
    tries: u32,
    damaged_since: Option<Instant>,
}

impl Patience {
    /// Says whether it has waited since the driver got on.
    pub(super) fn has_waited(&self) -> bool {
        self.tries > 0
    }

    /// Forgets what was, because the driver got on.
    pub(super) fn rest(&mut self) {
        *self = Self::default();
    }

    /// Notes that the account of the step is damaged. Says whether it has been so for so long that waiting does not help.
    pub(super) fn is_damaged_for_long(&mut self) -> bool {
        let since = *self.damaged_since.get_or_insert_with(tasks::now);
        tasks::now().saturating_duration_since(since) >= DAMAGED
    }

    /// Waits: a random time, up to a bound that doubles from 50 ms to 5 s.
    pub(super) async fn wait(&mut self, draws: &Draws) {
        let bound = SHORTEST.saturating_mul(1 << self.tries.min(7)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        tasks::sleep(Duration::from_millis(draws.below(millis).max(10))).await;
    }
}
