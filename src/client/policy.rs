//! The policy says which requests are tried again with the same ID, and after how long.
//!
//! When it is not known whether the ledger booked, the request is tried again under the **same** ID, until there is an answer
//! or the patience ends. An answer about the request itself (201, 202, 402, 400, 404, …) is final: the same bytes would only
//! get it again.

use std::time::Duration;

/// Says whether this status is the answer to the request. When it is not, it says nothing about the transaction, and the
/// same ID is sent again.
///
/// `code` is the problem's stable code, where there is one: a 409 is tried again only as `in_progress`, when the first
/// request with this ID is still running.
#[must_use]
pub fn is_final(status: u16, code: Option<&str>) -> bool {
    !matches!((status, code), (408 | 425 | 429 | 500 | 502 | 503 | 504, _) | (409, Some("in_progress")))
}

/// A policy says how long an attempt may take, how long to wait between two, and when to give up.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// An attempt waits this long for its answer.
    pub timeout: Duration,
    /// This is the delay after the first attempt. It doubles with each further one.
    pub first_delay: Duration,
    /// This is the longest delay, which is not doubled any more.
    pub longest_delay: Duration,
    /// After this time since the first attempt no further one is begun.
    pub patience: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            first_delay: Duration::from_millis(50),
            longest_delay: Duration::from_secs(2),
            patience: Duration::from_secs(60),
        }
    }
}

/// A `Retry-After` is followed up to this time. A peer that asks for more is tried again earlier.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

impl Policy {
    /// Says how long to wait after attempt number `attempt` (from 1). The time is between half and all of the doubled delay,
    /// depending on `draw`, so that clients that failed together do not come back together. It is never less than the peer
    /// asked for.
    #[must_use]
    pub fn delay(&self, attempt: u32, asked: Option<Duration>, draw: u64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self.first_delay.saturating_mul(1 << doublings).min(self.longest_delay);
        let half = full / 2;
        let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let delay = half + Duration::from_micros(draw % spread);
        delay.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }

    /// Says whether another attempt may begin, this long after the first one, when this delay comes before it.
    #[must_use]
    pub fn goes_on(&self, since_first: Duration, delay: Duration) -> bool {
        since_first.saturating_add(delay) < self.patience
    }
}

/// Reads a `Retry-After` in seconds. Its other form, a date, is not used by the ledger, and is ignored.
#[must_use]
pub fn retry_after(header: &str) -> Option<Duration> {
    let digits = !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| header.parse().ok()).flatten().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen failing with 408, which a proxy on the way may say after the service has booked.
    #[test]
    fn what_leaves_it_open_is_tried_again() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(!is_final(status, Some("overloaded")), "{status}");
        }
        assert!(!is_final(503, Some("outcome_unknown")));
        assert!(!is_final(409, Some("in_progress")));
    }

    #[test]
    fn an_answer_about_the_request_is_final() {
        for status in [200, 201, 202, 400, 401, 402, 403, 404, 405, 413, 415, 422, 501] {
            assert!(is_final(status, None), "{status}");
        }
        assert!(is_final(409, Some("account_exists")));
        assert!(is_final(402, Some("in_progress")));
    }

    #[test]
    fn delays_double_up_to_their_cap_and_keep_their_jitter() {
        let policy = Policy::default();
        for (attempt, full) in [(1, 50), (2, 100), (3, 200), (6, 1600), (7, 2000), (90, 2000)] {
            let full = Duration::from_millis(full);
            assert_eq!(policy.delay(attempt, None, 0), full / 2, "least of attempt {attempt}");
            for draw in [1, 77, 12_345, u64::MAX] {
                let delay = policy.delay(attempt, None, draw);
                assert!(delay >= full / 2 && delay <= full, "attempt {attempt}: {delay:?}");
            }
        }
    }

    #[test]
    fn what_the_peer_asks_for_is_the_least_but_not_for_ever() {
        let policy = Policy::default();
        assert_eq!(policy.delay(1, Some(Duration::from_secs(3)), 9), Duration::from_secs(3));
        assert_eq!(policy.delay(1, Some(Duration::from_secs(86_400)), 9), LONGEST_ASKED);
    }

    #[test]
    fn patience_ends() {
        let policy = Policy { patience: Duration::from_secs(1), ..Policy::default() };
        assert!(policy.goes_on(Duration::from_millis(800), Duration::from_millis(100)));
        assert!(!policy.goes_on(Duration::from_millis(950), Duration::from_millis(100)));
    }

    #[test]
    fn retry_after_is_whole_seconds() {
        assert_eq!(retry_after("2"), Some(Duration::from_secs(2)));
        for text in ["", "-1", "1.5", "+1", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999999"] {
            assert_eq!(retry_after(text), None, "{text:?}");
        }
    }
}
