//! An [`Alarm`] says once that a destination has been down for five minutes.
//!
//! It counts on the monotonic clock: a wall clock that is set makes it neither early nor late. Each outage is told of once.

/// This is how long a destination is down before that is told.
const AFTER_MS: u64 = 5 * 60 * 1_000;

/// An `Alarm` is what is known of the present outage.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    is_told: bool,
}

/// An `Alert` says when an outage is to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alert {
    /// There is nothing to tell.
    Never,
    /// It is to be told at this time of the monotonic clock, if it lasts until then.
    At(u64),
    /// It is to be told now.
    Now,
}

impl Alarm {
    /// The destination has been down since a time of the monotonic clock, or is not down. Where this says that it is to be told
    /// now, it says so once.
    pub(super) fn look(&mut self, down_since: Option<u64>, tick_ms: u64) -> Alert {
        let Some(since) = down_since else {
            self.is_told = false;
            return Alert::Never;
        };
        let at = since.saturating_add(AFTER_MS);
        if self.is_told {
            Alert::Never
        } else if tick_ms < at {
            Alert::At(at)
        } else {
            self.is_told = true;
            Alert::Now
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against: an outage that is told with each probe, too early, or never because nothing else happens; and a second
    /// one that is not told.
    #[test]
    fn each_outage_is_told_once_when_it_has_lasted_five_minutes() {
        let mut alarm = Alarm::default();
        assert_eq!(alarm.look(None, 0), Alert::Never);
        for begun in [1_000, 2_000_000] {
            let end = begun + AFTER_MS;
            for tick in [begun, begun + 60_000, end - 1] {
                assert_eq!(alarm.look(Some(begun), tick), Alert::At(end));
            }
            assert_eq!(alarm.look(Some(begun), end), Alert::Now);
            for tick in [end, end + 1, end + 3 * AFTER_MS] {
                assert_eq!(alarm.look(Some(begun), tick), Alert::Never);
            }
            assert_eq!(alarm.look(None, end + 4 * AFTER_MS), Alert::Never);
        }
        // One that is over before is not told.
        assert_eq!(alarm.look(Some(9_000_000), 9_000_001), Alert::At(9_000_000 + AFTER_MS));
        assert_eq!(alarm.look(None, 9_100_000), Alert::Never);
    }
}
