//! The clock watch holds the machine's clock against a steady one, which nobody sets. A clock that was set is noticed before
//! anything is decided by it.
//!
//! The steady clock goes on while a machine sleeps, so that a laptop that was asleep for a night has the right time. A clock
//! that was off by little and is corrected in small steps is followed. A step of more than a minute is not believed: until the
//! clock is right again, the time is that of the steady clock, and no command is taken. Whoever starts the service anew says by
//! it that the clock is right. A start at which the clock is more than an hour behind the last event is not believed either,
//! because either the clock is wrong or it was wrong then; an operator has to say that it is right.
//!
//! It costs two readings of a clock for each command, some 50 ns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::Mutex;

use crate::domain::time::{Clock, Timestamp};

/// This is the largest step against the steady clock that is believed, in microseconds.
const STEP_MICROS: i64 = 60 * 1_000_000;
/// The clock may be behind the last event by this much at the start, in seconds. A clock that keeps local time, and is set back
/// by an hour once a year, is not off by more.
const BEHIND_SECONDS: i64 = 3_600;

/// A `Steady` is a clock that nobody sets. It gives the microseconds since some moment, and goes on while the machine sleeps.
pub type Steady = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Returns the machine's steady clock.
#[must_use]
pub fn system_steady() -> Steady {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const STEADY: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    // Elsewhere this one goes on while the machine sleeps.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const STEADY: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    Arc::new(|| {
        let now = rustix::time::clock_gettime(STEADY);
        now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
    })
}

/// A `ClockWatch` has the machine's clock and what it is held against.
pub(super) struct ClockWatch {
    wall: Clock,
    /// `None` where the clock is not watched: a script in a test.
    steady: Option<Steady>,
    /// This is the wall clock less the steady one, as it was last believed.
    trusted: AtomicI64,
    /// The wall clock is a step away from the trusted time.
    has_stepped: AtomicBool,
    /// This is the moment that the clock must have reached before it is believed at all; 0 for none.
    must_reach: AtomicI64,
    /// An operator has said that the clock is right at the start.
    is_accepted: bool,
    /// This is when the last event was recorded that was there at the start.
    last: Mutex<Option<Timestamp>>,
}

impl ClockWatch {
    pub(super) fn new(wall: Clock, steady: Option<Steady>, is_accepted: bool) -> Arc<Self> {
        // What an unwatched clock says is not asked for before it is needed.
        let trusted = steady.as_ref().map_or(0, |steady| wall().micros().saturating_sub(steady()));
        Arc::new(Self {
            wall,
            steady,
            trusted: AtomicI64::new(trusted),
            has_stepped: AtomicBool::new(false),
            must_reach: AtomicI64::new(0),
            is_accepted,
            last: Mutex::new(None),
        })
    }

    /// Returns the clock that decisions are made by.
    pub(super) fn clock(self: &Arc<Self>) -> Clock {
        let this = Arc::clone(self);
        Arc::new(move || this.now())
    }

    /// Learns when the last event was recorded that was there at the start.
    pub(super) fn begin_after(&self, last: Timestamp) {
        let Some(steady) = &self.steady else { return };
        *self.last.lock() = Some(last);
        let earliest = last.plus_seconds(-BEHIND_SECONDS);
        if self.now_of(steady) >= earliest {
            return;
        }
        if self.is_accepted {
            tracing::warn!(%last, "the clock is behind the last event, and accepted as it is");
        } else {
            self.must_reach.store(earliest.micros(), Ordering::Release);
            tracing::error!(%last, "the clock is more than an hour behind the last event: no command is taken");
        }
    }

    /// Returns the time: the wall clock's, or what it would be without the step that it has made.
    fn now(&self) -> Timestamp {
        match &self.steady {
            Some(steady) => self.now_of(steady),
            None => (self.wall)(),
        }
    }

    fn now_of(&self, steady: &Steady) -> Timestamp {
        let (wall, steady) = ((self.wall)(), steady());
        let offset = wall.micros().saturating_sub(steady);
        let trusted = self.trusted.load(Ordering::Acquire);
        let step = offset.saturating_sub(trusted);
        let has_stepped = step.saturating_abs() > STEP_MICROS;
        if has_stepped != self.has_stepped.load(Ordering::Acquire)
            && self.has_stepped.swap(has_stepped, Ordering::AcqRel) != has_stepped
        {
            match has_stepped {
                true => tracing::error!(seconds = step / 1_000_000, "the clock was set: no command is taken"),
                false => tracing::info!("the clock is right again"),
            }
        }
        if has_stepped {
            return Timestamp::from_micros(steady.saturating_add(trusted));
        }
        // A store for each command would take the cache line from the other threads.
        if step != 0 && step.saturating_abs() > STEP_MICROS / 1_000 {
            self.trusted.store(offset, Ordering::Release);
        }
        wall
    }

    /// Says whether the clock can be believed at this moment.
    pub(super) fn is_right(&self) -> bool {
        let Some(steady) = &self.steady else { return true };
        let now = self.now_of(steady);
        if self.has_stepped.load(Ordering::Acquire) {
            return false;
        }
        let must_reach = self.must_reach.load(Ordering::Acquire);
        if must_reach != 0 && now.micros() >= must_reach {
            self.must_reach.store(0, Ordering::Release);
            tracing::info!("the clock is right again");
            return true;
        }
        must_reach == 0
    }

    /// Says in words for an operator why the clock is not believed; `None` when it is.
    pub(super) fn doubt(&self) -> Option<String> {
        if self.is_right() {
            return None;
        }
        let wall = (self.wall)();
        let steady = self.steady.as_ref()?;
        if self.has_stepped.load(Ordering::Acquire) {
            let trusted =
                Timestamp::from_micros(steady().saturating_add(self.trusted.load(Ordering::Acquire)));
            return Some(format!(
                "It says {wall}, where {trusted} was to be expected since it was last right: it was set. Set it right, or \
                 restart the service if it is right now."
            ));
        }
        let last = (*self.last.lock())?;
        Some(format!(
            "It says {wall}, and the last event was recorded at {last}: it is wrong, or was wrong then. Set it right, or \
             start the service with --accept-clock if it is right."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `Machine` is a machine whose clock a test sets and whose time a test lets pass, in seconds.
    #[derive(Clone, Default)]
    struct Machine(Arc<(AtomicI64, AtomicI64)>);

    const YEAR: i64 = 365 * 86_400;

    impl Machine {
        fn watch(&self, accepted: bool) -> Arc<ClockWatch> {
            self.set_to(50 * YEAR);
            let (wall, steady) = (self.clone(), self.clone());
            let wall: Clock = Arc::new(move || Timestamp::from_micros(wall.0.0.load(Ordering::Relaxed)));
            let steady: Steady = Arc::new(move || steady.0.1.load(Ordering::Relaxed));
            ClockWatch::new(wall, Some(steady), accepted)
        }

        fn set_to(&self, seconds: i64) {
            self.0.0.store(seconds * 1_000_000, Ordering::Relaxed);
        }

        /// Sets the clock by this much.
        fn step(&self, seconds: i64) {
            self.0.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
        }

        /// Lets time pass, awake or asleep.
        fn pass(&self, seconds: i64) {
            self.step(seconds);
            self.0.1.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
        }
    }

    fn seconds(at: Timestamp) -> i64 {
        at.micros() / 1_000_000
    }

    #[test]
    fn a_step_of_more_than_a_minute_is_not_believed_until_it_is_taken_back() {
        for step in [61, -61, YEAR, -YEAR] {
            let machine = Machine::default();
            let watch = machine.watch(false);
            machine.pass(10);
            assert!(watch.is_right());
            machine.step(step);
            machine.pass(5);
            assert_eq!(seconds(watch.now()), 50 * YEAR + 15, "the time without the step");
            assert!(!watch.is_right() && watch.doubt().unwrap().contains("it was set"));
            machine.pass(86_400);
            assert!(!watch.is_right(), "it does not become right by waiting");
            machine.step(-step);
            assert!(watch.is_right() && watch.doubt().is_none());
            assert_eq!(seconds(watch.now()), 50 * YEAR + 15 + 86_400);
        }
    }

    #[test]
    fn small_corrections_and_a_long_sleep_are_believed() {
        let machine = Machine::default();
        let watch = machine.watch(false);
        for _ in 0..100 {
            machine.step(59);
            assert!(watch.is_right());
        }
        machine.pass(30 * 86_400);
        assert!(watch.is_right());
        assert_eq!(seconds(watch.now()), 50 * YEAR + 100 * 59 + 30 * 86_400);
    }

    #[test]
    fn a_start_more_than_an_hour_behind_the_last_event_waits_for_the_clock_or_an_operator() {
        let machine = Machine::default();
        let watch = machine.watch(false);
        watch.begin_after(Timestamp::from_micros((50 * YEAR + 3_600) * 1_000_000));
        assert!(watch.is_right(), "an hour is allowed");
        watch.begin_after(Timestamp::from_micros((50 * YEAR + 3_661) * 1_000_000));
        assert!(!watch.is_right() && watch.doubt().unwrap().contains("--accept-clock"));
        machine.pass(61);
        assert!(watch.is_right());
        let accepted = machine.watch(true);
        accepted.begin_after(Timestamp::from_micros(51 * YEAR * 1_000_000));
        assert!(accepted.is_right());
    }
}
