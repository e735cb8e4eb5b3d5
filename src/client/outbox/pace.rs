//! The pace says how often and how soon a message is sent again: how long to wait, how many repeats there may be, and when
//! the service is left alone.
//!
//! All of it takes the time as an argument, as a [`Moment`] of a clock that only goes on.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// A `Moment` is the time since the sender began, by a clock that only goes on.
pub type Moment = Duration;

/// A `Pace` says how soon and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The wait after the first attempt is drawn from nothing up to this. It doubles with each further attempt.
    pub first_delay: Duration,
    /// The wait is never drawn from more than this.
    pub longest_delay: Duration,
    /// The service may ask for a longer wait, but not for more than this.
    pub longest_asked: Duration,
    /// An attempt waits this long for its whole answer.
    pub attempt_timeout: Duration,
    /// This many messages are under way at once, of as many accounts.
    pub most_under_way: usize,
    /// This many attempts in a row without an answer open the breaker.
    pub breaker_opens_after: u32,
    /// This many repeats may be made at once, in thousandths of a repeat.
    pub most_repeats: u64,
    /// This much of a repeat comes back with each second, in thousandths.
    pub repeats_a_second: u64,
    /// This much of a repeat comes back with each answer of the ledger, in thousandths.
    pub repeats_an_answer: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(20),
            longest_asked: Duration::from_secs(3600),
            attempt_timeout: Duration::from_secs(10),
            most_under_way: 16,
            breaker_opens_after: 5,
            most_repeats: 20_000,
            repeats_a_second: 1_000,
            repeats_an_answer: 500,
        }
    }
}

impl Pace {
    /// Returns the wait after attempt number `attempt` (from 1). It is drawn from nothing up to the doubled delay, so that
    /// senders that failed together do not come back together. What the service asked for is its least.
    #[must_use]
    pub fn delay(&self, attempt: u32, asked: Option<Duration>, draw: u64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let most = self.first_delay.saturating_mul(1 << doublings).min(self.longest_delay);
        let spread = u64::try_from(most.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let drawn = Duration::from_micros(draw % spread);
        drawn.max(asked.unwrap_or_default().min(self.longest_asked))
    }
}

/// Returns how much is left now of a wait that was stored: `until` by the wall clock of that time, and `step`, its length. It
/// is never more than its step and never less than nothing, whatever the wall clock did since.
#[must_use]
pub fn left(until: Timestamp, step: Duration, now: Timestamp) -> Duration {
    let micros = until.micros().saturating_sub(now.micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(step)
}

/// The `Breaker` leaves a service alone that does not answer. It lets one attempt through at a time to see whether it is
/// back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    /// This many attempts in a row had no answer.
    failures: u32,
    /// Until then nothing is sent; nothing, while it is shut.
    opened_until: Option<Moment>,
    /// A probe is under way.
    is_probing: bool,
}

impl Breaker {
    /// Says from when on the next attempt may begin; `None` while a probe is under way, whose end decides.
    #[must_use]
    pub fn lets_through_at(&self) -> Option<Moment> {
        if self.is_probing { None } else { Some(self.opened_until.unwrap_or_default()) }
    }

    /// Says whether it is open: the service is being left alone.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.opened_until.is_some()
    }

    /// An attempt begins.
    pub fn begun(&mut self) {
        self.is_probing = self.opened_until.is_some();
    }

    /// The attempt did not begin after all, and proves nothing.
    pub fn not_begun(&mut self) {
        self.is_probing = false;
    }

    /// The service has answered: it is there.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// An attempt had no answer. Attempts that were under way when it opened do not lengthen the wait.
    pub fn failed(&mut self, now: Moment, pace: &Pace, draw: u64) {
        let counts = self.opened_until.is_none() || self.is_probing;
        self.is_probing = false;
        if !counts {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if let Some(times) = self.failures.checked_sub(pace.breaker_opens_after.max(1)) {
            self.opened_until = Some(now + pace.delay(times.saturating_add(1), None, draw));
        }
    }
}

/// The `Repeats` are what is left of the repeats that may be made: a bucket that fills with time and with answers. First
/// attempts take nothing from it, so that a service in trouble gets few requests more than it would get anyhow.
#[derive(Clone, Copy, Debug)]
pub struct Repeats {
    left: u64,
    filled_at: Moment,
}

impl Repeats {
    /// Returns a full bucket.
    #[must_use]
    pub const fn full(pace: &Pace) -> Self {
        Self { left: pace.most_repeats, filled_at: Duration::ZERO }
    }

    fn fill(&mut self, now: Moment, pace: &Pace) {
        let millis = u64::try_from(now.saturating_sub(self.filled_at).as_millis()).unwrap_or(u64::MAX);
        let came = millis.saturating_mul(pace.repeats_a_second) / 1_000;
        if came > 0 {
            self.left = self.left.saturating_add(came).min(pace.most_repeats);
            self.filled_at = now;
        }
    }

    /// Returns from when on one may be made.
    pub fn next_at(&mut self, now: Moment, pace: &Pace) -> Moment {
        self.fill(now, pace);
        let missing = 1_000_u64.saturating_sub(self.left);
        let millis = missing.saturating_mul(1_000).div_ceil(pace.repeats_a_second.max(1));
        if missing == 0 { now } else { self.filled_at + Duration::from_millis(millis) }
    }

    /// Takes one.
    pub fn take(&mut self) {
        self.left = self.left.saturating_sub(1_000);
    }

    /// Gives a part of one back, for an answer.
    pub fn answered(&mut self, pace: &Pace) {
        self.left = self.left.saturating_add(pace.repeats_an_answer).min(pace.most_repeats);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_wait_is_drawn_from_nothing_up_to_its_most() {
        let pace = Pace::default();
        for (attempt, most) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 20), (90, 20)] {
            let drawn: Vec<_> =
                (0..999).map(|draw| pace.delay(attempt, None, (draw << 32) | (draw * 77))).collect();
            assert!(drawn.iter().all(|delay| *delay <= SECOND * most), "attempt {attempt}");
            assert!(drawn.iter().any(|delay| *delay > SECOND * most * 9 / 10), "attempt {attempt}");
            assert!(drawn.iter().any(|delay| *delay < SECOND * most / 10), "attempt {attempt}");
        }
    }

    #[test]
    fn what_the_service_asks_for_is_the_least_up_to_an_hour() {
        let pace = Pace::default();
        assert_eq!(pace.delay(1, Some(SECOND * 90), 7), SECOND * 90);
        assert_eq!(pace.delay(1, Some(Duration::from_secs(99_999_999_999)), 7), SECOND * 3600);
    }

    /// Guards against: a wall clock that was put back by a day, and a message that waits for a day.
    #[test]
    fn a_stored_time_counts_for_no_more_than_its_step() {
        let at = Timestamp::from_micros;
        let (day, second) = (86_400_000_000, 1_000_000);
        let until = at(10 * day + 5 * second);
        for (now, expected) in [
            (at(10 * day), SECOND * 5),
            (at(10 * day + 4 * second), SECOND),
            (at(10 * day + 5 * second), Duration::ZERO),
            (at(20 * day), Duration::ZERO),
            (at(9 * day), SECOND * 5),
            (at(i64::MIN), SECOND * 5),
            (at(i64::MAX), Duration::ZERO),
        ] {
            assert_eq!(left(until, SECOND * 5, now), expected, "{now}");
        }
    }

    #[test]
    fn the_breaker_opens_after_five_and_lets_one_probe_through() {
        let pace = Pace::default();
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.begun();
            breaker.failed(SECOND, &pace, u64::MAX);
        }
        assert!(!breaker.is_open() && breaker.lets_through_at() == Some(Duration::ZERO));
        breaker.failed(SECOND, &pace, 500_000);
        assert_eq!(breaker.lets_through_at(), Some(ms(1_500)));
        // Others that were under way meanwhile change nothing.
        breaker.failed(SECOND, &pace, 999_999);
        assert_eq!(breaker.lets_through_at(), Some(ms(1_500)));
        breaker.begun();
        assert_eq!(breaker.lets_through_at(), None);
        breaker.failed(SECOND * 2, &pace, 1_999_999);
        assert_eq!(breaker.lets_through_at(), Some(Duration::from_micros(3_999_999)));
        breaker.begun();
        breaker.answered();
        assert!(!breaker.is_open() && breaker.lets_through_at() == Some(Duration::ZERO));
    }

    #[test]
    fn repeats_run_out_and_come_back_with_time_and_with_answers() {
        let pace = Pace { most_repeats: 2_000, ..Pace::default() };
        let mut repeats = Repeats::full(&pace);
        for _ in 0..2 {
            assert_eq!(repeats.next_at(SECOND, &pace), SECOND);
            repeats.take();
        }
        assert_eq!(repeats.next_at(SECOND, &pace), SECOND * 2);
        assert_eq!(repeats.next_at(ms(1_400), &pace), SECOND * 2);
        assert_eq!(repeats.next_at(SECOND * 2, &pace), SECOND * 2);
        repeats.take();
        repeats.answered(&pace);
        assert_eq!(repeats.next_at(SECOND * 2, &pace), ms(2_500));
        repeats.answered(&pace);
        assert_eq!(repeats.next_at(SECOND * 2, &pace), SECOND * 2);
    }
}
