//! The desk says which message is sent next. It knows neither the file nor the network, and is told the time.
//!
//! Each account is a line: its messages go in their order, the next when the one before is final. A transfer stands in two
//! lines. A message that needs attention holds up its own lines, and no other. What it costs to find the next one does not
//! grow with the number of messages that wait.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::heard::Heard;
use super::pace::{Breaker, Moment, Pace, Repeats};
use super::state::{Change, State};

/// A message's number in the file.
pub type Number = i64;

/// An `Entry` is what the desk knows of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// This is its number in the file.
    pub number: Number,
    /// These decide its place in its lines: messages go in their order.
    pub order: Order,
    /// These are its lines: the accounts that it touches.
    pub lines: Vec<Arc<str>>,
    /// This is where it stands.
    pub state: State,
    /// This is how many attempts were begun.
    pub attempts: u32,
    /// It is not sent before.
    pub due: Moment,
    /// Without an answer by then, its outcome is unknown.
    pub deadline: Moment,
}

/// The order of a message is its place, which a reversal that rules it out and a message that replaces it share with it; then
/// the reversal first; then its number.
pub type Order = (Number, u8, Number);

/// A `Next` is what there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this message.
    Send(Number),
    /// The deadline of this message has passed.
    Expire(Number),
    /// Wait for an answer, or until this time.
    Wait(Moment),
    /// Wait for an answer.
    Answer,
    /// Nothing can go further.
    Nothing,
}

/// The `Desk` has every message that is not final.
#[derive(Debug)]
pub struct Desk {
    pace: Pace,
    /// A message that needs attention does not hold up its lines.
    go_on: bool,
    entries: HashMap<Number, Entry>,
    lines: HashMap<Arc<str>, BTreeSet<Order>>,
    /// These may go, as soon as they are due: those that were never sent, and those that were.
    fresh: BTreeSet<(Moment, Order)>,
    again: BTreeSet<(Moment, Order)>,
    deadlines: BTreeSet<(Moment, Order)>,
    under_way: HashSet<Number>,
    breaker: Breaker,
    repeats: Repeats,
    /// The service has refused the key: nothing is sent any more.
    is_stopped: bool,
}

impl Desk {
    /// Makes an empty desk.
    #[must_use]
    pub fn new(pace: Pace, go_on: bool) -> Self {
        let repeats = Repeats::full(&pace);
        Self {
            pace,
            go_on,
            entries: HashMap::new(),
            lines: HashMap::new(),
            fresh: BTreeSet::new(),
            again: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            under_way: HashSet::new(),
            breaker: Breaker::default(),
            repeats,
            is_stopped: false,
        }
    }

    /// Takes a message as it stands in the file now, in place of what was known of it.
    pub fn put(&mut self, entry: Entry) {
        let mut lines = self.take_out(entry.number);
        if !entry.state.is_final() {
            lines.extend(entry.lines.iter().cloned());
            if self.stands_in_line(entry.state) {
                for line in &entry.lines {
                    self.lines.entry(Arc::clone(line)).or_default().insert(entry.order);
                }
            }
            if is_sent(entry.state) && !self.under_way.contains(&entry.number) {
                self.deadlines.insert((entry.deadline, entry.order));
            }
            self.entries.insert(entry.number, entry);
        }
        self.look_at_heads(&lines);
    }

    /// Forgets a message that is no longer in the file.
    pub fn forget(&mut self, number: Number) {
        let lines = self.take_out(number);
        self.look_at_heads(&lines);
    }

    /// Returns what is known of a message; nothing of one that is final.
    #[must_use]
    pub fn entry(&self, number: Number) -> Option<&Entry> {
        self.entries.get(&number)
    }

    /// Returns the messages that are under way.
    pub fn under_way(&self) -> impl Iterator<Item = Number> {
        self.under_way.iter().copied()
    }

    /// Says whether the service has refused the key.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Says what there is to do now.
    pub fn next(&mut self, now: Moment) -> Next {
        let deadline = self.deadlines.first().copied();
        if let Some((_, order)) = deadline.filter(|(at, _)| *at <= now) {
            return Next::Expire(order.2);
        }
        let idle = if self.under_way.is_empty() { Next::Nothing } else { Next::Answer };
        if self.is_stopped || self.under_way.len() >= self.pace.most_under_way {
            return idle;
        }
        let Some(opens) = self.breaker.lets_through_at() else { return idle };
        let fresh = self.fresh.first().map(|(due, order)| ((*due).max(opens), order.2));
        let again = self.again.first().copied().map(|(due, order)| {
            let repeats = self.repeats.next_at(now, &self.pace);
            (due.max(opens).max(repeats), order.2)
        });
        let Some((at, number)) = fresh.into_iter().chain(again).min() else { return idle };
        if at <= now {
            return Next::Send(number);
        }
        Next::Wait(deadline.map_or(at, |(deadline, _)| deadline.min(at)))
    }

    /// An attempt to send this message begins.
    pub fn begun(&mut self, number: Number) {
        let Some(mut entry) = self.entries.get(&number).cloned() else { return };
        let Some(state) = entry.state.after(Change::Begun) else { return };
        if entry.attempts > 0 {
            self.repeats.take();
        }
        self.breaker.begun();
        self.under_way.insert(number);
        entry.state = state;
        entry.attempts = entry.attempts.saturating_add(1);
        self.put(entry);
    }

    /// The attempt did not begin after all: the message has changed in the file, and is put anew.
    pub fn not_begun(&mut self, number: Number) {
        self.under_way.remove(&number);
        self.breaker.not_begun();
        self.forget(number);
    }

    /// This was heard of the attempt that was under way. Returns the state of the message now, and how long it waits for its
    /// next attempt; nothing when it has ended meanwhile.
    pub fn heard(
        &mut self,
        number: Number,
        heard: Heard,
        now: Moment,
        draw: u64,
    ) -> Option<(State, Duration)> {
        self.under_way.remove(&number);
        let mut asked = None;
        match heard {
            Heard::Open { service_is_down: true, asked: wanted } => {
                asked = wanted;
                self.breaker.failed(now, &self.pace, draw.rotate_left(32));
            }
            Heard::Open { service_is_down: false, asked: wanted } => {
                asked = wanted;
                self.breaker.answered();
            }
            Heard::KeyRefused => {
                self.breaker.answered();
                self.is_stopped = true;
            }
            Heard::Confirmed | Heard::Declined | Heard::Refused | Heard::RefusedInDoubt => {
                self.breaker.answered();
                self.repeats.answered(&self.pace);
            }
        }
        let mut entry = self.entries.get(&number).cloned()?;
        entry.state = entry.state.after(Change::Heard(heard))?;
        let wait = match heard {
            Heard::Open { .. } => self.pace.delay(entry.attempts, asked, draw),
            Heard::Confirmed
            | Heard::Declined
            | Heard::Refused
            | Heard::RefusedInDoubt
            | Heard::KeyRefused => Duration::ZERO,
        };
        let state = entry.state;
        self.put(Entry { due: now + wait, ..entry });
        Some((state, wait))
    }

    fn take_out(&mut self, number: Number) -> Vec<Arc<str>> {
        let Some(old) = self.entries.remove(&number) else { return Vec::new() };
        for line in &old.lines {
            if let Some(orders) = self.lines.get_mut(line) {
                orders.remove(&old.order);
                if orders.is_empty() {
                    self.lines.remove(line);
                }
            }
        }
        self.fresh.remove(&(old.due, old.order));
        self.again.remove(&(old.due, old.order));
        self.deadlines.remove(&(old.deadline, old.order));
        old.lines
    }

    const fn stands_in_line(&self, state: State) -> bool {
        match state {
            State::Pending | State::Sending => true,
            State::NeedsAttention(_) => !self.go_on,
            State::Confirmed | State::Declined | State::RuledOut | State::Replaced => false,
        }
    }

    /// Looks anew at the first two of each of these lines: one of them has become the first, or is no longer.
    fn look_at_heads(&mut self, lines: &[Arc<str>]) {
        let heads = |line: &Arc<str>| self.lines.get(line).into_iter().flatten().take(2).map(|order| order.2);
        let heads: Vec<Number> = lines.iter().flat_map(heads).collect();
        for number in heads {
            self.look_at(number);
        }
    }

    fn look_at(&mut self, number: Number) {
        let Some(entry) = self.entries.get(&number) else { return };
        let place = (entry.due, entry.order);
        let is_first = |line| self.lines.get(line).and_then(BTreeSet::first) == Some(&entry.order);
        let may_go =
            is_sent(entry.state) && !self.under_way.contains(&number) && entry.lines.iter().all(is_first);
        self.fresh.remove(&place);
        self.again.remove(&place);
        if may_go {
            let waiting = if entry.attempts == 0 { &mut self.fresh } else { &mut self.again };
            waiting.insert(place);
        }
    }
}

/// Says whether a message in this state is sent when its turn comes.
const fn is_sent(state: State) -> bool {
    matches!(state, State::Pending | State::Sending)
}

#[cfg(test)]
mod tests;
