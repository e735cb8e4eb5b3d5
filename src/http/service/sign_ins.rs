//! Failed sign-ins are counted, each, by their reason, and logged with the key's id and the address: the first 20 in
//! a minute, and
//! then how many were left out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use crate::keys::ring::Refused;

/// This is the most lines in a [`WINDOW`].
const LINES: u32 = 20;
/// This is the time for which lines are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// `SignIns` are the sign-ins that failed.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    failed: Family<Vec<(&'static str, &'static str)>, Counter>,
    logged: Mutex<Logged>,
}

/// A `Logged` says what was logged in this minute.
#[derive(Debug, Default)]
struct Logged {
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl SignIns {
    /// Returns the counters, by `reason`.
    pub(crate) fn counters(&self) -> Family<Vec<(&'static str, &'static str)>, Counter> {
        self.failed.clone()
    }

    /// Counts a failed sign-in. `key` is the id that the token has, whether there is such a key or not.
    pub(crate) fn failed(&self, why: Refused, key: Option<&str>, address: Option<SocketAddr>) {
        let reason = reason(why);
        self.failed.get_or_create(&vec![("reason", reason)]).inc();
        let Some(left_out) = self.logged.lock().take_a_line(Instant::now()) else { return };
        let address = address.map(|address| address.ip().to_canonical().to_string());
        if left_out > 0 {
            tracing::warn!(
                reason,
                key,
                address,
                left_out,
                "a sign-in failed, after others that were not logged"
            );
        } else {
            tracing::warn!(reason, key, address, "a sign-in failed");
        }
    }
}

impl Logged {
    /// Returns how many failures were left out since the last line, if there is room for one more now.
    fn take_a_line(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            (self.since, self.lines) = (Some(now), 0);
        }
        if self.lines >= LINES {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Returns the reason, as figures and log name it.
fn reason(why: Refused) -> &'static str {
    match why {
        Refused::NotLocal => "not_local",
        Refused::NoToken => "no_token",
        Refused::Unknown => "unknown",
        Refused::Wrong => "wrong",
        Refused::Revoked => "revoked",
        Refused::Expired => "expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_logged_twenty_times_a_minute_and_told_in_sum() {
        let (mut logged, begun) = (Logged::default(), Instant::now());
        let told: Vec<_> = (0..500).filter_map(|_| logged.take_a_line(begun)).collect();
        assert_eq!(told, [0; 20]);
        assert_eq!(logged.take_a_line(begun + WINDOW), Some(480));
        assert_eq!(logged.take_a_line(begun + WINDOW), Some(0));
    }
}
