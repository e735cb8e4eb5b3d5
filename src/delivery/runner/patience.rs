//! Patience is how long it is waited before something that was in vain is tried again.

use std::time::Duration;

use crate::client::random::Draws;
use crate::tasks;

/// This is the first wait.
const FIRST: Duration = Duration::from_millis(50);
/// This is the longest one.
const LONGEST: Duration = Duration::from_secs(5);

/// A `Patience` counts how often something was in vain.
#[derive(Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// Waits: a random part of a time that doubles from 50 ms to 5 s, and 10 ms at least.
    pub(super) async fn wait(&mut self, draws: &Draws) {
        let most = FIRST.saturating_mul(1 << self.0.min(7)).min(LONGEST);
        self.0 = self.0.saturating_add(1);
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        tasks::sleep(Duration::from_millis(draws.below(millis).max(10))).await;
    }
}
