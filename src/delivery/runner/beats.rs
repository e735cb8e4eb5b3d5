//! Beats are made here: the moments at which things happen to a delivery, on both clocks.

use std::time::{Duration, Instant};

use crate::client::random::Draws;
use crate::domain::delivery::beat::Beat;
use crate::domain::time::Timestamp;
use crate::tasks;

/// The `Beats` of one destination count from when it was begun.
pub(super) struct Beats {
    begun: Instant,
    draws: Draws,
}

impl Beats {
    pub(super) fn begin() -> Self {
        Self { begun: tasks::now(), draws: Draws::fresh() }
    }

    /// Returns the present moment, with the wall clock's time as it is given.
    pub(super) fn beat(&self, wall: Timestamp) -> Beat {
        let dice = u32::try_from(self.draws.next() >> 32).unwrap_or(u32::MAX);
        Beat { tick_ms: self.tick(), wall, dice }
    }

    /// Waits until a time of these beats; for ever where there is none.
    pub(super) async fn until(&self, tick_ms: Option<u64>) {
        match tick_ms {
            Some(at) => tasks::sleep(Duration::from_millis(at.saturating_sub(self.tick()))).await,
            None => std::future::pending().await,
        }
    }

    fn tick(&self) -> u64 {
        let since = tasks::now().saturating_duration_since(self.begun);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
