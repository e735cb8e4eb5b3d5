//! The flow of a destination is what one process knows of the messages that it has in hand: (state, what happened, now) →
//! state, what to do next.
//!
//! Its driver offers it the chosen messages in the order of the journal, asks it what to do ([`Flow::next`]), does that, and
//! tells it what came of it. It does no I/O and has no clock, so every order of happenings can be tried.
//!
//! A message is in one of these places: in the *window* (offered, not settled), *parked* (beside the checkpoint), or *behind*
//! a parked one of its account. Each has a bound: 4,096 messages or 8 MiB in the window, 10,000 parked, eight messages kept
//! behind each. When one is reached, the flow wants no more messages, and nothing else waits for it.

mod answered;
mod behind;
mod kept;
mod lines;
mod message;
mod parking;
mod record;
mod recording;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Destination;
use super::beat::Beat;
use super::breaker::{Breaker, Gate};
use super::failure::{Failure, FailureClass};
use super::terms::{Guarantee, Order, Terms};
use crate::domain::stream::StreamName;

pub use message::{Dead, Message, Next};

use behind::Behind;
use kept::{Kept, Place};
use lines::Lines;
use record::Record;

/// This is the most messages in the window.
const MOST_MESSAGES: usize = 4_096;
/// This is the most bytes of the messages in the window.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// This is the most parked messages.
const MOST_PARKED: usize = 10_000;
/// This is the most messages that go again after a crash: those in hand, and those that are not recorded yet.
const MOST_AGAIN: usize = 8_192;

/// This is the most messages that a driver returns for [`Next::Read`]. It returns fewer only where there are no more.
pub const MOST_READ: usize = behind::KEPT + 1;

/// A `Flow` is the flow of one destination, in the process that serves it.
#[derive(Clone, Debug)]
pub struct Flow {
    terms: Arc<Terms>,
    term: u64,
    /// Every chosen message up to this position was offered.
    read_to: u64,
    window: BTreeMap<u64, Entry>,
    bytes: usize,
    lines: Lines,
    parked: BTreeMap<u64, Kept>,
    /// These are the parked messages that wait, by when they are due.
    due: BTreeSet<(u64, u64)>,
    behind: BTreeMap<StreamName, Behind>,
    /// These streams must be read again, each with the position up to which.
    to_read: BTreeMap<StreamName, u64>,
    /// These become dead letters; true where that is under way.
    dying: BTreeMap<u64, (Dead, bool)>,
    /// These were claimed by an earlier process, and nobody knows whether they were sent.
    lost: BTreeSet<u64>,
    claimed_to: u64,
    is_claiming: bool,
    breaker: Breaker,
    in_flight: usize,
    /// This is how many messages this process has delivered.
    passed: u64,
    gone: Gone,
    /// This is true when nothing more is sent or claimed, because its process stops serving the destination.
    is_stopping: bool,
    record: Record,
}

/// A `Gone` says whether the receiver said that it is gone for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    No,
    Unsaid,
    Said,
}

/// An `Entry` is a message in the window.
#[derive(Clone, Debug)]
struct Entry {
    message: Message,
    is_under_way: bool,
    tries: u32,
    /// This is the count of delivered messages when it first failed in doubt.
    doubted_at: Option<u64>,
    doubts: u32,
    /// It is not sent before this time of the monotonic clock.
    not_before: u64,
    is_late: bool,
}

/// A `Candidate` is a message that may be sent now: where it is, and its stream.
#[derive(Clone, Debug)]
struct Candidate {
    position: u64,
    stream: StreamName,
}

impl Flow {
    /// Begins the flow of a destination, after everything up to `through`. It is `None` while nobody serves the destination.
    ///
    /// What an earlier process claimed and did not settle becomes a dead letter: nobody knows whether it was sent.
    #[must_use]
    pub fn new(state: &Destination, through: u64, beat: &Beat) -> Option<Self> {
        let through = state.through.unwrap_or(through);
        let mut flow = Self {
            terms: Arc::clone(&state.terms),
            term: state.term()?,
            read_to: through,
            window: BTreeMap::new(),
            bytes: 0,
            lines: Lines::new(state.terms.order),
            parked: BTreeMap::new(),
            due: BTreeSet::new(),
            behind: BTreeMap::new(),
            to_read: BTreeMap::new(),
            dying: BTreeMap::new(),
            lost: state.claimed.iter().copied().collect(),
            claimed_to: state.claimed_to.max(through),
            is_claiming: false,
            breaker: Breaker::default(),
            in_flight: 0,
            passed: 0,
            gone: Gone::No,
            is_stopping: false,
            record: Record::new(state.parked.keys().copied(), through, beat),
        };
        flow.take_up_parked(state, through, beat);
        for position in state.claimed.iter().copied() {
            let failure = Failure::new(FailureClass::Unconfirmed, "nobody knows whether it was sent");
            flow.dying.insert(position, (Dead { position, attempts: 1, failure }, false));
        }
        Some(flow)
    }

    /// Says whether it wants more messages.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.window.len() < MOST_MESSAGES
            && self.bytes < MOST_BYTES
            && self.parked.len() < MOST_PARKED
            && self.gone == Gone::No
            && !self.is_stopping
    }

    /// Nothing more is sent or claimed from now on. What is under way is waited for, and what came of it is recorded.
    pub fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Takes a chosen message. Those up to the position that it has come to are no news.
    pub fn offer(&mut self, message: Message) {
        let position = message.position;
        if position <= self.read_to {
            return;
        }
        self.read_to = position;
        let was_claimed = self.claims() && position <= self.claimed_to;
        if was_claimed || self.parked.contains_key(&position) {
            return;
        }
        if let Some(behind) = self.behind.get_mut(&message.stream) {
            behind.hold(&message);
            return;
        }
        self.lines.add(&message);
        self.bytes = self.bytes.saturating_add(message.bytes);
        self.window.insert(position, Entry::new(message));
    }

    /// Every chosen message up to this position was offered.
    pub fn read_to(&mut self, position: u64) {
        self.read_to = self.read_to.max(position);
    }

    /// Returns the position up to which everything is settled, parked or held back.
    #[must_use]
    pub fn through(&self) -> u64 {
        let first = [self.window.keys().next(), self.lost.first()].into_iter().flatten().min();
        first.map_or(self.read_to, |first| first.saturating_sub(1))
    }

    /// Returns how many messages are in the window. Their bodies are with the driver.
    #[must_use]
    pub fn in_window(&self) -> usize {
        self.window.len()
    }

    /// Says whether the message at a position is in the window.
    #[must_use]
    pub fn has_in_window(&self, position: u64) -> bool {
        self.window.contains_key(&position)
    }

    /// Returns how many messages are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns how many messages are parked.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// Returns the position of the oldest parked message.
    #[must_use]
    pub fn oldest_parked(&self) -> Option<u64> {
        self.parked.keys().next().copied()
    }

    /// Returns how many accounts are held back behind a parked message.
    #[must_use]
    pub fn held_accounts(&self) -> usize {
        self.behind.len()
    }

    /// Returns since when the destination is down, on the monotonic clock; `None` while it is not.
    #[must_use]
    pub fn down_since(&self) -> Option<u64> {
        self.breaker.open_since()
    }

    /// Returns when a message is tried again, on the monotonic clock: the next probe while the destination is down, else the
    /// parked message that is due first.
    #[must_use]
    pub fn tries_again(&self) -> Option<u64> {
        match self.breaker.open_since() {
            Some(_) => self.breaker.next_probe(),
            None => self.due.first().map(|(due, _)| *due),
        }
    }

    /// Says what to do next. Each thing to do is said once; the driver tells what came of it.
    pub fn next(&mut self, beat: &Beat) -> Next {
        if self.gone == Gone::Unsaid {
            self.gone = Gone::Said;
            return Next::Gone;
        }
        if let Some((dead, is_under_way)) = self.dying.values_mut().find(|(_, is_under_way)| !*is_under_way) {
            *is_under_way = true;
            return Next::Bury(dead.clone());
        }
        if let Some((stream, to)) = self.to_read.pop_first() {
            return self.read_again(stream, to);
        }
        if let Some(progress) = self.progress(beat, false) {
            return Next::Record(progress);
        }
        let recorded_at = self.record.is_due_at(self.through());
        let again = self.record.unrecorded().saturating_add(self.in_flight);
        let is_full = self.in_flight >= usize::from(self.terms.in_flight) || again >= MOST_AGAIN;
        if self.gone != Gone::No || self.is_stopping || is_full {
            return Next::Wait(recorded_at);
        }
        let until = match self.breaker.gate(beat) {
            Gate::All => match self.choose(beat) {
                Ok(chosen) => return self.begin(&chosen, usize::from(self.terms.claim), beat, recorded_at),
                Err(until) => until,
            },
            // At most once no message is tried for ever: the oldest is claimed, and no other for a turn of its own.
            Gate::Probe { is_others_turn } => match self.choose_probe(is_others_turn && !self.claims(), beat)
            {
                Some(chosen) => return self.begin(&chosen, 1, beat, recorded_at),
                None => self.due.first().map(|(at, _)| *at),
            },
            Gate::Wait(until) => Some(until),
            Gate::Probing => None,
        };
        Next::Wait([until, recorded_at].into_iter().flatten().min())
    }

    /// Says whether messages are claimed before they are sent.
    fn claims(&self) -> bool {
        self.terms.guarantee == Guarantee::AtMostOnce
    }

    /// Chooses the message that is sent next: a parked one that is due, else the oldest in the window. Where there is none, it
    /// says when there is one again.
    fn choose(&self, beat: &Beat) -> Result<Candidate, Option<u64>> {
        let due = self.due.first();
        if let Some((at, position)) = due
            && *at <= beat.tick_ms
            && let Some(kept) = self.parked.get(position)
        {
            return Ok(Candidate { position: *position, stream: kept.row.stream.clone() });
        }
        let mut until = due.map(|(at, _)| *at);
        for position in self.lines.ready() {
            let Some(entry) = self.window.get(&position) else { continue };
            if entry.not_before <= beat.tick_ms {
                return Ok(Candidate { position, stream: entry.message.stream.clone() });
            }
            until = Some(until.map_or(entry.not_before, |until| until.min(entry.not_before)));
        }
        Err(until)
    }

    /// Chooses a probe: the oldest message, or, in its turn, the oldest one of another account. So a message that fails for
    /// ever at the head of a quiet destination does not hold it shut.
    fn choose_probe(&self, is_others_turn: bool, beat: &Beat) -> Option<Candidate> {
        let due = self.due.iter().take_while(|(at, _)| *at <= beat.tick_ms).filter_map(|(_, position)| {
            let stream = self.parked.get(position)?.row.stream.clone();
            Some(Candidate { position: *position, stream })
        });
        let ready = self.lines.ready().filter_map(|position| {
            let stream = self.window.get(&position)?.message.stream.clone();
            Some(Candidate { position, stream })
        });
        let mut all = ready.chain(due);
        let oldest = all.next()?;
        let other = if is_others_turn { all.find(|other| other.stream != oldest.stream) } else { None };
        Some(other.unwrap_or(oldest))
    }

    /// Begins with a message: it is claimed, with those after it, or sent.
    fn begin(&mut self, chosen: &Candidate, most: usize, beat: &Beat, recorded_at: Option<u64>) -> Next {
        let position = chosen.position;
        if self.claims() && position > self.claimed_to {
            if std::mem::replace(&mut self.is_claiming, true) {
                return Next::Wait(recorded_at);
            }
            // Claims go forward alone: what is before the chosen one is claimed with it.
            let unclaimed =
                self.window.range(self.claimed_to.saturating_add(1)..).map(|(position, _)| *position);
            return Next::Claim(unclaimed.take(most).collect());
        }
        let (tries, is_late) = match (self.window.get_mut(&position), self.parked.get_mut(&position)) {
            (Some(entry), _) => {
                entry.is_under_way = true;
                (&mut entry.tries, entry.is_late)
            }
            (None, Some(kept)) => {
                if let Place::Waits { due } = std::mem::replace(&mut kept.place, Place::UnderWay) {
                    self.due.remove(&(due, position));
                }
                (&mut kept.tries, kept.is_late)
            }
            (None, None) => return Next::Wait(Some(beat.tick_ms)),
        };
        *tries = tries.saturating_add(1);
        let attempt = *tries;
        self.lines.sent(position);
        self.in_flight = self.in_flight.saturating_add(1);
        self.breaker.sent(position);
        self.passes(&chosen.stream, position);
        Next::Send { position, attempt, is_late }
    }

    /// A message goes out: where messages of one account do not wait for each other, those before it are late from now on.
    fn passes(&mut self, stream: &StreamName, position: u64) {
        if self.terms.order != Order::None {
            return;
        }
        let before = self.window.range_mut(..position);
        for (_, entry) in before.filter(|(_, entry)| entry.message.stream == *stream) {
            entry.is_late = true;
        }
        let before = self.parked.range_mut(..position);
        for (_, kept) in before.filter(|(_, kept)| kept.row.stream == *stream) {
            kept.is_late = true;
        }
    }

    /// A claim is durable, or nothing of it is.
    pub fn claimed(&mut self, positions: &[u64], is_durable: bool) {
        self.is_claiming = false;
        if let Some(last) = positions.last().filter(|_| is_durable) {
            self.claimed_to = self.claimed_to.max(*last);
        }
    }
}

impl Entry {
    fn new(message: Message) -> Self {
        Self {
            message,
            is_under_way: false,
            tries: 0,
            doubted_at: None,
            doubts: 0,
            not_before: 0,
            is_late: false,
        }
    }
}
