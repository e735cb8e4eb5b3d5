//! [`SetClock`] is the clock of one machine: the run's time, and what somebody has set the clock off by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bookonce::domain::time::{Clock, Timestamp};

use crate::world::{BEGINNING, World};

/// A `SetClock` is the clock of one machine. It goes on when the instance on the machine has crashed.
#[derive(Clone, Default)]
pub struct SetClock {
    /// This is by how many microseconds it is off.
    off: Arc<AtomicI64>,
    /// This is the furthest that it was ever set forward.
    furthest: Arc<AtomicI64>,
}

impl SetClock {
    /// Sets it by so many microseconds.
    pub fn set_by(&self, micros: i64) {
        let off = self.off.fetch_add(micros, Ordering::Relaxed).saturating_add(micros);
        self.furthest.fetch_max(off, Ordering::Relaxed);
    }

    /// Returns the furthest that it was ever set forward, in microseconds.
    #[must_use]
    pub fn furthest(&self) -> i64 {
        self.furthest.load(Ordering::Relaxed)
    }

    /// Sets it to so many microseconds before the run's time.
    pub fn set_to(&self, micros: i64) {
        self.off.store(micros, Ordering::Relaxed);
    }

    /// Returns the clock as an instance reads it.
    #[must_use]
    pub fn reader(&self, world: &World) -> Clock {
        let (off, world) = (Arc::clone(&self.off), world.clone());
        Arc::new(move || {
            let passed = i64::try_from(world.time().as_micros()).unwrap_or(i64::MAX);
            let off = off.load(Ordering::Relaxed);
            Timestamp::from_micros(BEGINNING.micros().saturating_add(passed).saturating_add(off))
        })
    }
}
