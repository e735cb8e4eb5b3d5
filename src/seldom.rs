//! [`Seldom`] limits how often a line of the log is written.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A `Seldom` is a line of the log that is written at once, and then once a minute with the number of times that it was
/// due, however often that is.
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
    /// This is the time from one line to the next.
    const PAUSE: Duration = Duration::from_secs(60);

    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Meant { logged: None, times: 0 }))
    }

    /// Notes that it is due once more. Returns the number of times since the last line, when another one is to be written.
    pub(crate) fn due(&self) -> Option<u64> {
        let mut meant = self.0.lock();
        meant.times = meant.times.saturating_add(1);
        if meant.logged.is_some_and(|logged| logged.elapsed() < Self::PAUSE) {
            return None;
        }
        meant.logged = Some(Instant::now());
        Some(std::mem::take(&mut meant.times))
    }

    /// Notes that what the line is about is over: the next line is written at once again.
    pub(crate) fn over(&self) {
        *self.0.lock() = Meant { logged: None, times: 0 };
    }
}
