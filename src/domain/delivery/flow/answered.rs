//! What came of an attempt is taken in here. Whose fault a failure is decides what becomes of its message.

use crate::domain::delivery::beat::Beat;
use crate::domain::delivery::failure::{Attempted, Blame, Failure};
use crate::domain::delivery::progress::End;
use crate::domain::delivery::terms::Guarantee;

use super::message::Dead;
use super::{Flow, Gone};

/// This is the first wait of a message that failed in doubt, in milliseconds. It doubles with each further one, five times.
const FIRST_WAIT_MS: u64 = 1_000;
/// This is the longest time for which a receiver can ask to be left alone, in milliseconds: an hour.
const LONGEST_FLOOR_MS: u64 = 3_600_000;

impl Flow {
    /// An attempt is over.
    pub fn answered(&mut self, position: u64, came: Attempted, beat: &Beat) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match came {
            Attempted::Delivered => self.delivered(position, beat),
            Attempted::Failed { blame, failure, retry_after_seconds } => {
                self.failed(position, (blame, failure), retry_after_seconds, beat);
            }
        }
    }

    fn delivered(&mut self, position: u64, beat: &Beat) {
        self.breaker.alive();
        self.passed = self.passed.saturating_add(1);
        self.record.delivered();
        if self.window.contains_key(&position) {
            self.settles(position);
        } else {
            self.ended(position, End::Delivered, beat);
        }
    }

    /// A message of the window is settled.
    pub(super) fn settles(&mut self, position: u64) {
        let Some(entry) = self.window.remove(&position) else { return };
        self.bytes = self.bytes.saturating_sub(entry.message.bytes);
        self.lines.leaves(&entry.message);
        self.record.settled(position);
    }

    fn failed(
        &mut self,
        position: u64,
        (blame, failure): (Blame, Failure),
        retry_after: Option<u64>,
        beat: &Beat,
    ) {
        let is_its_own = blame == Blame::Message || (blame == Blame::Doubt && self.is_to_blame(position));
        match blame {
            // The receiver is there, and has judged this message alone.
            Blame::Message => self.breaker.alive(),
            Blame::Destination { .. } => self.breaker.fail(position, retry_after, beat),
            Blame::Doubt if is_its_own => {}
            Blame::Doubt => self.breaker.doubt(position, retry_after, beat),
            Blame::Gone => {
                if self.gone == Gone::No {
                    self.gone = Gone::Unsaid;
                }
            }
        }
        let is_unsent = blame == Blame::Destination { is_unsent: true };
        if self.terms.guarantee == Guarantee::AtMostOnce {
            if is_unsent {
                self.goes_back(position, 0, beat);
            } else {
                self.dying.insert(position, (Dead { position, attempts: 1, failure }, false));
            }
            return;
        }
        if is_its_own {
            self.counts(position, failure, beat);
        } else {
            let wait = if blame == Blame::Doubt { self.doubted(position, retry_after, beat) } else { 0 };
            self.goes_back(position, wait, beat);
        }
    }

    /// Says whether a doubtful failure is the message's own fault: the destination is not down, and another message was
    /// delivered since this one first failed. One that was parked for a failure has shown that already.
    fn is_to_blame(&self, position: u64) -> bool {
        if self.breaker.open_since().is_some() {
            return false;
        }
        match (self.window.get(&position), self.parked.get(&position)) {
            (Some(entry), _) => entry.doubted_at.is_some_and(|at| self.passed > at),
            (None, Some(kept)) => kept.row.attempts > 0 || self.passed > kept.placed_at,
            (None, None) => false,
        }
    }

    /// A failure that is the message's own: it is parked, or parked for longer.
    fn counts(&mut self, position: u64, failure: Failure, beat: &Beat) {
        if self.window.contains_key(&position) {
            self.park(position, failure, beat);
        } else {
            self.failed_again(position, failure, beat);
        }
    }

    /// A message failed in doubt, which does not count. Returns how long it waits.
    fn doubted(&mut self, position: u64, retry_after: Option<u64>, beat: &Beat) -> u64 {
        let mut doubts = 0;
        if let Some(entry) = self.window.get_mut(&position) {
            entry.doubted_at.get_or_insert(self.passed);
            doubts = entry.doubts;
            entry.doubts = doubts.saturating_add(1);
        }
        let most = FIRST_WAIT_MS.saturating_mul(1 << doubts.min(5));
        let floor = retry_after.unwrap_or_default().saturating_mul(1_000).min(LONGEST_FLOOR_MS);
        beat.part_of(most).max(floor)
    }

    /// A message is to be sent again, after a wait.
    fn goes_back(&mut self, position: u64, wait: u64, beat: &Beat) {
        match self.window.get_mut(&position) {
            Some(entry) => {
                entry.is_under_way = false;
                entry.not_before = beat.tick_ms.saturating_add(wait);
                self.lines.is_back(position);
            }
            None => self.waits_again(position, wait, beat),
        }
    }
}
