//! The wakes tell the followers that the ring has grown: a few followers at once, and all at once only where they are few.
//!
//! A follower that is woken sends what it was given. Hundreds that are woken together keep the threads busy which serve
//! everybody for tens of milliseconds, and each short request waits behind them. So the followers stand in lanes, and the lanes
//! are woken one after the other in the time for which the reader rests anyway.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// This is the number of lanes.
const LANES: usize = 64;
/// Up to this many followers are woken together.
const FEW: usize = 16;
/// This is the shortest pause between two lanes: the timer knows nothing shorter.
const SHORTEST: Duration = Duration::from_millis(1);

/// The `Wakes` are the lanes in which the followers wait.
#[derive(Debug)]
pub(super) struct Wakes {
    lanes: [watch::Sender<()>; LANES],
    /// This is how many followers have got a lane so far.
    given: AtomicUsize,
}

impl Default for Wakes {
    fn default() -> Self {
        Self { lanes: std::array::from_fn(|_| watch::Sender::new(())), given: AtomicUsize::new(0) }
    }
}

impl Wakes {
    /// Gives a follower its place, which is told whenever its lane is woken.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        let lane = self.given.fetch_add(1, Ordering::Relaxed) % LANES;
        self.lanes.get(lane).map_or_else(|| watch::Sender::new(()).subscribe(), watch::Sender::subscribe)
    }

    /// Wakes all followers now.
    pub(super) fn all(&self) {
        self.lanes.iter().for_each(|lane| lane.send_replace(()));
    }

    /// Wakes the lanes of one step of a [`Round`].
    pub(super) fn step(&self, round: &Round, step: usize) {
        self.lanes.iter().skip(step * round.lanes).take(round.lanes).for_each(|lane| lane.send_replace(()));
    }
}

/// A `Round` wakes each lane once, in equal steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// This is the number of its steps.
    pub(super) steps: usize,
    /// This is the number of lanes that are woken in one step.
    lanes: usize,
    /// This is the pause after each step.
    pub(super) pause: Duration,
}

impl Round {
    /// Spreads so many followers over a rest.
    pub(super) fn over(rest: Duration, followers: usize) -> Self {
        let ticks = usize::try_from(rest.as_millis() / SHORTEST.as_millis()).unwrap_or(LANES);
        let lanes = if followers <= FEW { LANES } else { LANES.div_ceil(ticks.clamp(1, LANES)) };
        let steps = LANES.div_ceil(lanes);
        Self { steps, lanes, pause: rest / u32::try_from(steps).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many followers were woken in each step.
    fn woken(followers: usize, rest: Duration) -> (Vec<usize>, Round) {
        let wakes = Wakes::default();
        let mut waiting: Vec<_> = (0..followers).map(|_| wakes.subscribe()).collect();
        let round = Round::over(rest, followers);
        let step = |step| {
            wakes.step(&round, step);
            let woken = waiting.iter_mut().filter(|waits| waits.has_changed().unwrap());
            woken.map(watch::Receiver::mark_unchanged).count()
        };
        ((0..round.steps).map(step).collect(), round)
    }

    #[test]
    fn each_follower_is_woken_once_within_the_rest() {
        for followers in [0, 1, 16, 17, 64, 65, 300, 1_000] {
            for ms in [0, 1, 3, 10, 63, 64, 337, 100_000] {
                let rest = Duration::from_millis(ms);
                let (woken, round) = woken(followers, rest);
                assert_eq!(woken.iter().sum::<usize>(), followers, "{followers} in {ms} ms: {woken:?}");
                assert!(round.pause * u32::try_from(round.steps).unwrap() <= rest);
            }
        }
    }

    /// Guards against: hundreds of feeds that are written to at once while single commands wait.
    #[test]
    fn many_are_woken_few_at_once_and_few_without_a_wait() {
        assert_eq!(woken(16, Duration::from_millis(10)).0, [16]);
        assert_eq!(woken(300, Duration::from_millis(337)).0.iter().max(), Some(&5));
        assert_eq!(woken(300, Duration::from_millis(10)).0.len(), 10);
    }
}
