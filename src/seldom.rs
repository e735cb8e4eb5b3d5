//! A line of the log that is written seldom, however often it is meant.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A line of the log that comes at once, then once a minute with how often it was meant meanwhile, however often that is.
#[derive(Debug)]
pub(crate) struct Seldom(Mutex<Meant>);

#[derive(Debug)]
struct Meant {
    logged: Option<Instant>,
    times: u64,
}

impl Default for Seldom {
    fn default() -> Self {
        Self::new()
    }
}

impl Seldom {
    /// So long from one line to the next.
    const PAUSE: Duration = Duration::from_secs(60);

    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Meant { logged: None, times: 0 }))
    }

    /// It is meant once more: the times since the last line, when another is due.
    pub(crate) fn due(&self) -> Option<u64> {
        let mut meant = self.0.lock();
        meant.times = meant.times.saturating_add(1);
        if meant.logged.is_some_and(|logged| logged.elapsed() < Self::PAUSE) {
            return None;
        }
        meant.logged = Some(Instant::now());
        Some(std::mem::take(&mut meant.times))
    }

    /// What it is about is over: the next line comes at once again.
    pub(crate) fn over(&self) {
        *self.0.lock() = Meant { logged: None, times: 0 };
    }
}
