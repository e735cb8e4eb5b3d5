//! Parking takes a message out of the checkpoint's way, and the account's later messages with it.

use crate::domain::delivery::Destination;
use crate::domain::delivery::beat::Beat;
use crate::domain::delivery::failure::Failure;
use crate::domain::delivery::progress::{End, Parked};
use crate::domain::delivery::terms::Order;
use crate::domain::stream::StreamName;

use super::Flow;
use super::behind::{After, Behind};
use super::kept::{Kept, Place};
use super::message::{Dead, Message, Next};

impl Flow {
    /// Takes up what an earlier process parked. Everything of an account that is up to `through`, and after its parked
    /// message, may have been held back.
    pub(super) fn take_up_parked(&mut self, state: &Destination, through: u64, beat: &Beat) {
        for (position, row) in state.parked.iter() {
            let due = beat.tick_ms.saturating_add(self.terms.retry.rest(row.attempts, row.next_at, beat));
            let kept = Kept {
                row: row.clone(),
                place: Place::Waits { due },
                tries: row.attempts,
                placed_at: 0,
                is_late: self.terms.order == Order::None,
            };
            self.due.insert((due, *position));
            self.parked.insert(*position, kept);
            match self.terms.order {
                Order::Account => {
                    let begin = || Behind::new(*position, through);
                    self.behind.entry(row.stream.clone()).or_insert_with(begin);
                }
                Order::Journal => self.lines.holds(),
                Order::None => {}
            }
        }
    }

    /// Parks a message of the window, which has failed for the first time that counts.
    pub(super) fn park(&mut self, position: u64, failure: Failure, beat: &Beat) {
        let Some(entry) = self.window.remove(&position) else { return };
        self.bytes = self.bytes.saturating_sub(entry.message.bytes);
        let left = self.lines.is_parked(&entry.message);
        if self.terms.order == Order::Account {
            let mut behind = Behind::new(position, position);
            for position in left {
                let Some(entry) = self.window.remove(&position) else { continue };
                self.bytes = self.bytes.saturating_sub(entry.message.bytes);
                behind.hold(&entry.message);
            }
            self.behind.insert(entry.message.stream.clone(), behind);
        }
        let wait = self.terms.retry.wait(1, beat).unwrap_or_default();
        let row = Parked {
            stream: entry.message.stream,
            revision: entry.message.revision,
            attempts: 1,
            next_at: beat.wall_in(wait),
            error: failure,
        };
        self.keep(position, row, (wait, entry.tries, entry.is_late), beat);
    }

    fn keep(&mut self, position: u64, row: Parked, (wait, tries, is_late): (u64, u32, bool), beat: &Beat) {
        let due = beat.tick_ms.saturating_add(wait);
        let kept = Kept { row, place: Place::Waits { due }, tries, placed_at: self.passed, is_late };
        self.due.insert((due, position));
        self.parked.insert(position, kept);
        self.record.touch(position);
    }

    /// A parked message failed again, and that counts: it waits longer, or is given up.
    pub(super) fn failed_again(&mut self, position: u64, failure: Failure, beat: &Beat) {
        let Some(kept) = self.parked.get_mut(&position) else { return };
        let attempts = kept.row.attempts.saturating_add(1);
        match self.terms.retry.wait(attempts, beat) {
            Some(wait) => {
                kept.row.attempts = attempts;
                kept.row.next_at = beat.wall_in(wait);
                kept.row.error = failure;
                let due = beat.tick_ms.saturating_add(wait);
                kept.place = Place::Waits { due };
                self.due.insert((due, position));
                self.record.touch(position);
            }
            None => {
                kept.place = Place::Dies;
                self.dying.insert(position, (Dead { position, attempts, failure }, false));
            }
        }
    }

    /// A parked message failed, and that says nothing of it: it is tried again after a wait.
    pub(super) fn waits_again(&mut self, position: u64, wait: u64, beat: &Beat) {
        let Some(kept) = self.parked.get_mut(&position) else { return };
        let due = beat.tick_ms.saturating_add(wait);
        kept.place = Place::Waits { due };
        self.due.insert((due, position));
    }

    /// A parked message has ended. The next message of its account takes its place; where it is not known, its stream is read.
    pub(super) fn ended(&mut self, position: u64, end: End, beat: &Beat) {
        let Some(kept) = self.parked.get_mut(&position) else { return };
        let stream = kept.row.stream.clone();
        let after = match self.behind.get_mut(&stream).filter(|behind| behind.at == position) {
            Some(behind) => behind.after(),
            None => After::Nothing,
        };
        match after {
            After::Read(to) => {
                kept.place = Place::Ended(end);
                self.to_read.insert(stream, to);
            }
            After::Message(message) => {
                self.leaves(position, end, Some(message.position));
                self.takes_its_place(message, beat);
            }
            After::Nothing => {
                if self.behind.get(&stream).is_some_and(|behind| behind.at == position) {
                    self.behind.remove(&stream);
                }
                self.leaves(position, end, None);
                if self.terms.order == Order::Journal && self.parked.is_empty() {
                    self.lines.goes_on();
                }
            }
        }
    }

    fn leaves(&mut self, position: u64, end: End, next: Option<u64>) {
        self.parked.remove(&position);
        self.record.ended(position, end, next);
    }

    fn takes_its_place(&mut self, message: Message, beat: &Beat) {
        if self.parked.contains_key(&message.position) {
            // It was parked before the order was that of accounts, and goes when it is due.
            return;
        }
        let row = Parked {
            stream: message.stream,
            revision: message.revision,
            attempts: 0,
            next_at: beat.wall,
            error: Failure::waiting(),
        };
        self.keep(message.position, row, (0, 0, false), beat);
    }

    /// Asks for the messages of a stream that come after its parked one, which has ended.
    pub(super) fn read_again(&mut self, stream: StreamName, to: u64) -> Next {
        let at = self.behind.get(&stream).and_then(|behind| self.parked.get(&behind.at));
        let after = at.map_or(0, |kept| kept.row.revision);
        Next::Read { stream, after, to }
    }

    /// These are the chosen messages of a stream that were asked for with [`Next::Read`], in their order: all up to the
    /// position that it named, or the first [`MOST_READ`](super::MOST_READ) of them.
    pub fn found(&mut self, stream: &StreamName, messages: Vec<Message>, to: u64, beat: &Beat) {
        let Some(behind) = self.behind.get_mut(stream) else { return };
        let at = behind.at;
        behind.found(messages, to);
        if let Some(Place::Ended(end)) = self.parked.get(&at).map(|kept| kept.place) {
            self.ended(at, end, beat);
        }
    }

    /// A dead letter is durable, or it is not.
    pub fn buried(&mut self, position: u64, is_durable: bool, beat: &Beat) {
        if !is_durable {
            if let Some((_, is_under_way)) = self.dying.get_mut(&position) {
                *is_under_way = false;
            }
            return;
        }
        if self.dying.remove(&position).is_none() {
            return;
        }
        if self.lost.remove(&position) {
            self.record.unconfirmed(position);
        } else if self.window.contains_key(&position) {
            self.settles(position);
        } else {
            self.ended(position, End::Dead, beat);
        }
    }
}
