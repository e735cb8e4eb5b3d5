//! The breaker says whether a destination is tried at all. While it is open, one message at a time goes as a probe, after
//! waits that grow from a second to a minute.
//!
//! It has no end of its own: a destination that is away for a night is tried all night, and no message is given up for it.

use super::beat::Beat;

/// This is the first wait, in milliseconds.
const FIRST_MS: u64 = 1_000;
/// This is the longest wait that it draws from, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// This is the longest time for which a receiver can ask to be left alone, in milliseconds: an hour.
const LONGEST_FLOOR_MS: u64 = 3_600_000;
/// This is how many doubtful failures in a row open it.
const ROW: u32 = 5;

/// A `Breaker` counts the failures of a destination as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// These are the doubtful failures since the last sign of life.
    row: u32,
    open: Option<Open>,
    /// This is true where the next probe is another message's than the oldest one's.
    is_others_turn: bool,
}

/// `Open` is what is known of a breaker that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    /// This is when it opened, on the monotonic clock.
    since_ms: u64,
    /// This is how often it failed, with the failure that opened it.
    failures: u32,
    /// This is when the next probe may go.
    until_ms: u64,
    /// This is the position of the message that is under way as a probe.
    probe: Option<u64>,
}

/// A `Gate` says what may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anything may be sent.
    All,
    /// One message may be sent, to see whether the destination is there again.
    Probe {
        /// This is true where it is the turn of another message than the oldest.
        is_others_turn: bool,
    },
    /// Nothing may be sent before this time of the monotonic clock.
    Wait(u64),
    /// Nothing may be sent before the probe that is under way has come back.
    Probing,
}

impl Breaker {
    /// Says what may be sent now.
    #[must_use]
    pub fn gate(&self, beat: &Beat) -> Gate {
        match self.open {
            None => Gate::All,
            Some(Open { probe: Some(_), .. }) => Gate::Probing,
            Some(open) if open.until_ms > beat.tick_ms => Gate::Wait(open.until_ms),
            Some(_) => Gate::Probe { is_others_turn: self.is_others_turn },
        }
    }

    /// Returns since when it is open, on the monotonic clock; `None` while it is closed.
    #[must_use]
    pub fn open_since(&self) -> Option<u64> {
        self.open.map(|open| open.since_ms)
    }

    /// Returns when the next probe may go, on the monotonic clock; `None` while it is closed, or one is under way.
    #[must_use]
    pub fn next_probe(&self) -> Option<u64> {
        self.open.filter(|open| open.probe.is_none()).map(|open| open.until_ms)
    }

    /// The message at this position is sent. While it is open that is the probe.
    pub fn sent(&mut self, position: u64) {
        if let Some(open) = &mut self.open {
            open.probe = Some(position);
            self.is_others_turn = !self.is_others_turn;
        }
    }

    /// The receiver showed that it is there: it took a message, or refused one for the message's own fault.
    pub fn alive(&mut self) {
        (self.row, self.open) = (0, None);
    }

    /// The attempt at a position failed, and the destination as a whole is at fault. It opens, or stays open for longer.
    /// Messages that were under way when it opened fail after it: they count for nothing, but that the receiver wants to be
    /// left alone is heeded.
    pub fn fail(&mut self, position: u64, retry_after_seconds: Option<u64>, beat: &Beat) {
        let floor = retry_after_seconds.unwrap_or_default().saturating_mul(1_000).min(LONGEST_FLOOR_MS);
        let alone = beat.tick_ms.saturating_add(floor);
        let before = match self.open {
            Some(mut open) if open.probe != Some(position) => {
                open.until_ms = open.until_ms.max(alone);
                self.open = Some(open);
                return;
            }
            before => before,
        };
        let failures = before.map_or(0, |open| open.failures);
        let most = LONGEST_MS.min(FIRST_MS.saturating_mul(1 << failures.min(6)));
        self.open = Some(Open {
            since_ms: before.map_or(beat.tick_ms, |open| open.since_ms),
            failures: failures.saturating_add(1),
            until_ms: alone.max(beat.tick_ms.saturating_add(beat.part_of(most))),
            probe: None,
        });
    }

    /// The attempt at a position failed, and nobody knows whose fault it is. Five in a row are a failure of the whole.
    pub fn doubt(&mut self, position: u64, retry_after_seconds: Option<u64>, beat: &Beat) {
        self.row = self.row.saturating_add(1);
        if self.row >= ROW || self.open.is_some() {
            self.fail(position, retry_after_seconds, beat);
        }
    }
}
