//! Recording makes one event of all that happened: the difference between what is durable and what is so now.

use crate::domain::delivery::beat::Beat;
use crate::domain::delivery::progress::{Progress, Room};

use super::Flow;

/// This is the shortest time between two records, in milliseconds.
const EVERY_MS: u64 = 1_000;
/// This is how many settled messages are recorded at once, however short the time since the last record is.
const MOST_SETTLED: u64 = 4_096;

impl Flow {
    /// Returns what is to be recorded now, if it is time; in any case with `is_last`, for who stops.
    pub(super) fn progress(&mut self, beat: &Beat, is_last: bool) -> Option<Box<Progress>> {
        let through = self.through();
        let record = &self.record;
        let is_time = beat.tick_ms >= record.next_ms || record.fresh >= MOST_SETTLED || is_last;
        if record.taken.is_some() || !record.has_news(through) || !is_time {
            return None;
        }
        let progress = Box::new(self.difference(through));
        let record = &mut self.record;
        (record.delivered, record.fresh) = (0, 0);
        record.touched.retain(|position| {
            self.parked.contains_key(position)
                && !progress.parked.contains_key(position)
                && !progress.attempted.contains_key(position)
        });
        record.ends.retain(|position, _| record.parked.contains(position));
        let is_whole = record.touched.is_empty() && record.ends.len() == progress.settled.len();
        record.next_ms = beat.tick_ms.saturating_add(if is_whole { EVERY_MS } else { 0 });
        record.taken = Some(progress.clone());
        Some(progress)
    }

    /// Returns the last progress of a flow that stops, once nothing is under way; `None` where nothing is to be recorded.
    pub fn last_progress(&mut self, beat: &Beat) -> Option<Box<Progress>> {
        self.progress(beat, true)
    }

    /// Returns the difference between what is durable and what is so now, as far as one event has room for it.
    ///
    /// The checkpoint does not pass a message whose row has no room, and a row is not taken away before the row of the message
    /// that takes its place is there: a crash would lose what waits behind it.
    fn difference(&self, mut through: u64) -> Progress {
        let record = &self.record;
        let mut room = Room::default();
        let mut progress = Progress { term: self.term, delivered: record.delivered, ..Progress::default() };
        for position in &record.unconfirmed {
            if room.take_short() {
                progress.unconfirmed.push(*position);
            } else {
                through = through.min(position.saturating_sub(1));
            }
        }
        for position in &record.touched {
            let Some(kept) = self.parked.get(position) else { continue };
            // The room for the row that it may take away is kept with it.
            let has_room = room.take(&kept.row) && room.take_short();
            let is_new = !record.parked.contains(position);
            if has_room && is_new {
                progress.parked.insert(*position, kept.row.clone());
            } else if has_room {
                progress.attempted.insert(*position, kept.row.clone());
            } else if is_new {
                through = through.min(position.saturating_sub(1));
            }
        }
        for (position, end) in &record.ends {
            let is_recorded = record.parked.contains(position);
            if is_recorded && self.is_replaced(*position, &progress) && room.take_short() {
                progress.settled.insert(*position, *end);
            }
        }
        progress.through = through.max(record.through);
        progress
    }

    /// Says whether the message that has the place of one that has ended now is recorded as parked, if there is one.
    fn is_replaced(&self, ended: u64, progress: &Progress) -> bool {
        let mut next = self.record.places.get(&ended);
        while let Some(position) = next {
            if self.record.parked.contains(position) || progress.parked.contains_key(position) {
                return true;
            }
            if self.parked.contains_key(position) {
                return false;
            }
            next = self.record.places.get(position);
        }
        true
    }

    /// What was to be recorded is durable, or nothing of it is.
    pub fn recorded(&mut self, is_durable: bool) {
        let Some(taken) = self.record.taken.take() else { return };
        let record = &mut self.record;
        if !is_durable {
            record.delivered = record.delivered.saturating_add(taken.delivered);
            record.fresh = record.fresh.saturating_add(1);
            record.touched.extend(taken.parked.keys().chain(taken.attempted.keys()));
            return;
        }
        record.through = taken.through;
        record.settled.retain(|position| *position > taken.through);
        record.unconfirmed.retain(|position| !taken.unconfirmed.contains(position));
        record.parked.extend(taken.parked.keys());
        for position in taken.settled.keys() {
            record.parked.remove(position);
            record.ends.remove(position);
        }
        record.forget_places();
    }
}
