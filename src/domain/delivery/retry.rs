//! The retry schedule says how long a parked message waits before each further attempt, and when it is given up.

use std::sync::Arc;

use crate::domain::time::Timestamp;

use super::beat::Beat;

/// This is the most waits that a schedule has.
const MOST: usize = 32;
/// This is the longest wait of a schedule, in seconds: a week.
const LONGEST: u32 = 604_800;
/// A wait is longer or shorter than its step by up to this part of it: a fifth.
const JITTER: u64 = 5;

/// A `Retry` is the list of waits between the attempts at a parked message: one wait fewer than attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry(Arc<[u32]>);

impl Default for Retry {
    fn default() -> Self {
        const HOUR: u32 = 3_600;
        let hours = [2, 5, 10, 14, 20, 24].map(|hours: u32| hours.saturating_mul(HOUR));
        Self([5, 300, 1_800].into_iter().chain(hours).collect())
    }
}

impl Retry {
    /// Makes a schedule of waits in seconds; `None` for none, for too many, or for one that is zero or longer than a week.
    #[must_use]
    pub fn new(seconds: &[u32]) -> Option<Self> {
        let fits = (1..=MOST).contains(&seconds.len())
            && seconds.iter().all(|seconds| (1..=LONGEST).contains(seconds));
        fits.then(|| Self(seconds.into()))
    }

    /// Reads one wait as the settings and the events have it, such as `5s`, `30m` or `24h`; `None` for any other text.
    #[must_use]
    pub fn parse_wait(text: &str) -> Option<u32> {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return None,
        };
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        number.parse::<u32>().ok().filter(|_| is_plain)?.checked_mul(unit)
    }

    /// Writes one wait in the largest unit that has no remainder.
    #[must_use]
    pub fn write_wait(seconds: u32) -> String {
        for (unit, name) in [(3_600, "h"), (60, "m")] {
            if let (Some(count), Some(0)) = (seconds.checked_div(unit), seconds.checked_rem(unit)) {
                return format!("{count}{name}");
            }
        }
        format!("{seconds}s")
    }

    /// Returns the waits, in seconds.
    #[must_use]
    pub fn seconds(&self) -> &[u32] {
        &self.0
    }

    /// Returns how long a message waits after so many failed attempts, in milliseconds and with its jitter; `None` where no
    /// attempt is left.
    #[must_use]
    pub fn wait(&self, failures: u32, beat: &Beat) -> Option<u64> {
        let step = self.step(failures)?;
        let jitter = step.checked_div(JITTER).unwrap_or_default();
        Some(step.saturating_sub(jitter).saturating_add(beat.part_of(jitter.saturating_mul(2))))
    }

    /// Returns how long a message still waits that was parked by an earlier process, in milliseconds. The stored time counts
    /// for no more than its step: a wall clock that was set forward by a year does not hold a message for a year.
    #[must_use]
    pub fn rest(&self, failures: u32, next_at: Timestamp, beat: &Beat) -> u64 {
        let step = self.step(failures).unwrap_or_default();
        let most = step.saturating_add(step.checked_div(JITTER).unwrap_or_default());
        let micros = next_at.micros().saturating_sub(beat.wall.micros());
        u64::try_from(micros).unwrap_or_default().div_ceil(1_000).min(most)
    }

    /// Returns the step after so many failed attempts, in milliseconds.
    fn step(&self, failures: u32) -> Option<u64> {
        let place = usize::try_from(failures).ok()?.checked_sub(1)?;
        self.0.get(place).map(|seconds| u64::from(*seconds).saturating_mul(1_000))
    }
}
