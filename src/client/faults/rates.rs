//! Fault rates say how often each fault happens, in a thousand. A number that is drawn chooses one.

use std::time::Duration;

use crate::client::random::mix;

/// A fault is what is done to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request passes untouched.
    None,
    /// The service never sees the request; the client's connection breaks.
    LoseRequest,
    /// The service takes the request and answers; the client's connection breaks in place of the answer.
    LoseAnswer,
    /// The service gets the request twice at once; the client gets one of the answers.
    Double,
    /// The request waits before it goes on.
    Delay(Duration),
    /// The client gets the first half of the answer; then its connection breaks.
    Cut,
    /// The request waits until another one has passed it, or for this long.
    Reorder(Duration),
    /// The client gets the answer byte by byte, the whole of it after this time.
    Drip(Duration),
}

/// Fault rates say how often each fault happens, in a thousand requests.
#[derive(Clone, Copy, Debug)]
pub struct FaultRates {
    /// [`Fault::LoseRequest`].
    pub lose_request: u64,
    /// [`Fault::LoseAnswer`].
    pub lose_answer: u64,
    /// [`Fault::Double`].
    pub double: u64,
    /// [`Fault::Delay`].
    pub delay: u64,
    /// [`Fault::Cut`].
    pub cut: u64,
    /// [`Fault::Reorder`].
    pub reorder: u64,
    /// [`Fault::Drip`].
    pub drip: u64,
    /// This is the longest delay, the time that a request waits to be passed, and the time that a drip takes.
    pub longest_delay: Duration,
}

impl FaultRates {
    /// These rates have no fault at all.
    pub const NONE: Self = Self {
        lose_request: 0,
        lose_answer: 0,
        double: 0,
        delay: 0,
        cut: 0,
        reorder: 0,
        drip: 0,
        longest_delay: Duration::from_millis(900),
    };

    /// Returns the sum of the rates, which is at most a thousand.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        let Self { lose_request, lose_answer, double, delay, cut, reorder, drip, longest_delay: _ } = *self;
        lose_request + lose_answer + double + delay + cut + reorder + drip
    }

    /// Gives the fault that this number draws.
    #[must_use]
    pub fn draw(&self, number: u64) -> Fault {
        let longest = self.longest_delay;
        let faults = [
            (self.lose_request, Fault::LoseRequest),
            (self.lose_answer, Fault::LoseAnswer),
            (self.double, Fault::Double),
            (self.delay, Fault::Delay(drawn(longest, number))),
            (self.cut, Fault::Cut),
            (self.reorder, Fault::Reorder(longest)),
            (self.drip, Fault::Drip(longest)),
        ];
        chosen(&faults, number).unwrap_or(Fault::None)
    }
}

/// Chooses by a number one of things that each have a share of a thousand.
pub(super) fn chosen<T: Copy>(shares: &[(u64, T)], number: u64) -> Option<T> {
    let mut at = mix(number) % 1000;
    shares.iter().find_map(|(share, thing)| match at.checked_sub(*share) {
        None => Some(*thing),
        Some(rest) => {
            at = rest;
            None
        }
    })
}

/// Draws a time from a millisecond up to the longest.
pub(super) fn drawn(longest: Duration, number: u64) -> Duration {
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(1 + mix(number ^ 1) % longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: FaultRates = FaultRates {
        lose_request: 100,
        lose_answer: 100,
        double: 100,
        delay: 100,
        cut: 100,
        reorder: 100,
        drip: 100,
        longest_delay: Duration::from_millis(9),
    };

    #[test]
    fn faults_come_as_often_as_asked_and_the_same_again() {
        let drawn: Vec<_> = (0..10_000).map(|number| SOME.draw(number)).collect();
        assert_eq!(drawn, (0..10_000).map(|number| SOME.draw(number)).collect::<Vec<_>>());
        let often = |fault: fn(&Fault) -> bool| drawn.iter().filter(|drawn| fault(drawn)).count();
        for count in [
            often(|fault| *fault == Fault::LoseRequest),
            often(|fault| *fault == Fault::LoseAnswer),
            often(|fault| *fault == Fault::Double),
            often(|fault| matches!(fault, Fault::Delay(delay) if (1..=9).contains(&delay.as_millis()))),
            often(|fault| *fault == Fault::Cut),
            often(|fault| matches!(fault, Fault::Reorder(_))),
            often(|fault| matches!(fault, Fault::Drip(_))),
        ] {
            assert!((850..1150).contains(&count), "{count} of 10,000 where 1,000 were asked for");
        }
        assert_eq!(SOME.sum(), 700);
        assert!((0..10_000).all(|number| FaultRates::NONE.draw(number) == Fault::None));
    }
}
