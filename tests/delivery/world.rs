//! A world has one destination as it is recorded, the flow of the process that serves it, a journal, and a receiver. What
//! must always hold is checked at every step of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bookonce::domain::delivery::Destination;
use bookonce::domain::delivery::beat::Beat;
use bookonce::domain::delivery::decide::{Begin, DeliveryOperation, decide};
use bookonce::domain::delivery::event::TakenWhy;
use bookonce::domain::delivery::failure::{Attempted, Blame, Failure};
use bookonce::domain::delivery::flow::{Flow, MOST_READ, Message, Next};
use bookonce::domain::delivery::progress::Progress;
use bookonce::domain::delivery::retry::Retry;
use bookonce::domain::delivery::select::Select;
use bookonce::domain::delivery::terms::{Channel, Guarantee, Order, Terms};
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::domain::transfer::payout::Label;

/// This is the wall clock's time when the monotonic clock stands at 0.
const BEGIN: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Delivered,
    /// The receiver refuses this message.
    Refused,
    /// It arrived, and nobody learnt of it.
    Unheard,
    /// It did not arrive, and nobody knows.
    NotArrived,
    /// The destination is down, and said so.
    Down,
    /// The destination can't be reached: no byte left.
    Unreachable,
}

pub const ANSWERS: [Answer; 6] = [
    Answer::Delivered,
    Answer::Refused,
    Answer::Unheard,
    Answer::NotArrived,
    Answer::Down,
    Answer::Unreachable,
];

/// A `Fate` says what becomes of what the driver appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is durable, and the flow is told.
    Told,
    /// It is durable, and the process is killed before the flow is told.
    Killed,
    /// It is not durable, and the flow is told.
    NotDurable,
}

#[derive(Clone)]
pub struct World {
    pub state: Destination,
    pub flow: Flow,
    pub journal: Vec<Message>,
    /// These are under way, with whether a byte of each may have left.
    pub under_way: BTreeSet<u64>,
    /// This is how often each message arrived.
    pub arrived: BTreeMap<u64, u32>,
    /// This is how often each message may have left this machine.
    pub left: BTreeMap<u64, u32>,
    pub letters: BTreeSet<u64>,
    /// These are the reads that were asked for and are not done.
    pub reading: Vec<(StreamName, u64, u64)>,
    /// This is what is being made durable.
    pub recording: Option<Box<Progress>>,
    /// These were sent by this process, in their order.
    sent: Vec<u64>,
    offered: usize,
    pub tick: u64,
    pub dice: u32,
}

pub fn terms(guarantee: Guarantee, order: Order) -> Arc<Terms> {
    Arc::new(Terms {
        generation: 0,
        channel: Channel::Webhook { url: "https://crm.example/hooks".into() },
        guarantee,
        order,
        select: Select::default(),
        retry: Retry::new(&[5, 300]).unwrap(),
        in_flight: 3,
        claim: 2,
    })
}

pub fn taken(state: Option<&Destination>) -> DeliveryOperation {
    let why =
        if state.is_some_and(|state| state.serving.is_some()) { TakenWhy::Resumed } else { TakenWhy::First };
    let label = |text| Label::parse(text).unwrap();
    DeliveryOperation::Take { instance: label("a-1"), holder: Some(label("folder-1")), why, seen: None }
}

pub fn after(state: Option<&Destination>, asked: &DeliveryOperation) -> Destination {
    let event = decide(state, asked).unwrap_or_else(|refused| panic!("{asked:?}: {refused:?}"));
    let revision = state.map_or(0, |state| state.revision + 1);
    Destination::evolve(state, revision, &event).unwrap_or_else(|wrong| panic!("{event:?}: {wrong}"))
}

pub fn served(terms: &Arc<Terms>) -> Destination {
    let set = DeliveryOperation::Set { terms: Arc::clone(terms), begin: Begin::After(0) };
    let state = after(None, &set);
    after(Some(&state), &taken(Some(&state)))
}

fn stream(account: &str) -> StreamName {
    StreamName::parse(&format!("account-{account}")).unwrap()
}

impl World {
    pub fn new(guarantee: Guarantee, order: Order) -> Self {
        Self::with(&terms(guarantee, order))
    }

    pub fn with(terms: &Arc<Terms>) -> Self {
        let state = served(terms);
        let (tick, dice) = (1_000, 1 << 31);
        let beat = Beat { tick_ms: tick, wall: BEGIN, dice };
        let flow = Flow::new(&state, 0, &beat).unwrap();
        Self {
            state,
            flow,
            journal: Vec::new(),
            under_way: BTreeSet::new(),
            arrived: BTreeMap::new(),
            left: BTreeMap::new(),
            letters: BTreeSet::new(),
            reading: Vec::new(),
            recording: None,
            sent: Vec::new(),
            offered: 0,
            tick,
            dice,
        }
    }

    pub fn beat(&self) -> Beat {
        let micros = i64::try_from(self.tick).unwrap() * 1_000;
        let wall = Timestamp::from_micros(BEGIN.micros() + micros);
        Beat { tick_ms: self.tick, wall, dice: self.dice }
    }

    /// Books something on an account. Positions have holes, as those of chosen events have.
    pub fn books(&mut self, account: &str) -> u64 {
        let position = self.journal.last().map_or(0, |last| last.position) + 2;
        let stream = stream(account);
        let revision = self.journal.iter().filter(|message| message.stream == stream).count() as u64;
        self.journal.push(Message { position, stream, revision, bytes: 500 });
        position
    }

    fn offer(&mut self) {
        while self.flow.wants_more()
            && let Some(message) = self.journal.get(self.offered)
        {
            self.flow.offer(message.clone());
            self.offered += 1;
        }
    }

    /// Asks the flow what to do, and does it.
    pub fn step(&mut self, fate: Fate) -> Next {
        self.offer();
        let next = self.flow.next(&self.beat());
        let is_durable = fate != Fate::NotDurable;
        match &next {
            Next::Send { position, is_late, .. } => self.sends(*position, *is_late),
            Next::Claim(positions) => {
                let term = self.state.term().unwrap();
                self.append(&DeliveryOperation::Claim { term, positions: positions.clone() }, is_durable);
                self.flow.claimed(positions, is_durable);
            }
            Next::Bury(dead) => {
                if is_durable {
                    self.letters.insert(dead.position);
                }
                let beat = self.beat();
                self.flow.buried(dead.position, is_durable, &beat);
            }
            Next::Record(progress) => {
                assert!(self.recording.is_none(), "two records at once");
                self.recording = Some(progress.clone());
                return next;
            }
            Next::Read { stream, after, to } => {
                self.reading.push((stream.clone(), *after, *to));
                return next;
            }
            Next::Wait(_) | Next::Gone => return next,
        }
        if fate == Fate::Killed {
            self.restart();
        }
        next
    }

    /// What was to be recorded is durable, or it is not.
    pub fn records(&mut self, fate: Fate) {
        let Some(progress) = self.recording.take() else { return };
        let is_durable = fate != Fate::NotDurable;
        self.append(&DeliveryOperation::Progress(progress), is_durable);
        if fate == Fate::Killed {
            self.restart();
        } else {
            self.flow.recorded(is_durable);
        }
    }

    /// The oldest read that was asked for is done.
    pub fn finds(&mut self) {
        if self.reading.is_empty() {
            return;
        }
        let (stream, after, to) = self.reading.remove(0);
        let chosen = |message: &&Message| {
            message.stream == stream && message.revision > after && message.position <= to
        };
        let found = self.journal.iter().filter(chosen).take(MOST_READ).cloned().collect();
        let beat = self.beat();
        self.flow.found(&stream, found, to, &beat);
    }

    /// Asks the flow what to do, and does that to its end.
    pub fn does(&mut self) -> Next {
        let next = self.step(Fate::Told);
        self.records(Fate::Told);
        self.finds();
        next
    }

    fn append(&mut self, asked: &DeliveryOperation, is_durable: bool) {
        let before = self.state.clone();
        let state = after(Some(&before), asked);
        assert!(before.through <= state.through, "the checkpoint goes back");
        if is_durable {
            self.state = state;
        }
    }

    fn sends(&mut self, position: u64, is_late: bool) {
        let (guarantee, order) = (self.state.terms.guarantee, self.state.terms.order);
        let message = self.message(position).clone();
        let settled = |other: &Message| {
            self.arrived.contains_key(&other.position) || self.letters.contains(&other.position)
        };
        let goes_before = |other: &&Message| match order {
            Order::Account => other.stream == message.stream && other.position < position,
            Order::Journal => other.position < position,
            Order::None => false,
        };
        for other in self.journal.iter().filter(goes_before) {
            let is_lost = guarantee == Guarantee::AtMostOnce && self.state.claimed.contains(&other.position);
            assert!(settled(other) || is_lost, "{position} goes before {}", other.position);
        }
        let later = |sent: &&u64| **sent > position && self.message(**sent).stream == message.stream;
        let passed = self.sent.iter().find(later);
        if order == Order::None && passed.is_some() && !self.arrived.contains_key(&position) {
            assert!(is_late, "{position} goes after {passed:?}, and does not say that it is late");
        }
        assert!(order == Order::None || !is_late, "{position} says that it is late");
        if guarantee == Guarantee::AtMostOnce {
            assert!(self.state.claimed.contains(&position), "{position} is sent without a claim");
            assert_eq!(self.left.get(&position), None, "{position} is sent twice");
            assert!(!self.letters.contains(&position), "{position} is dead, and is sent");
        }
        assert!(self.under_way.insert(position), "{position} is under way twice");
        self.sent.push(position);
    }

    fn message(&self, position: u64) -> &Message {
        self.journal.iter().find(|message| message.position == position).unwrap()
    }

    pub fn answers(&mut self, position: u64, answer: Answer) {
        assert!(self.under_way.remove(&position));
        if matches!(answer, Answer::Delivered | Answer::Unheard) {
            *self.arrived.entry(position).or_default() += 1;
        }
        if answer != Answer::Unreachable {
            *self.left.entry(position).or_default() += 1;
        }
        let beat = self.beat();
        self.flow.answered(position, attempted(answer), &beat);
    }

    /// The process is killed, and another begins. What was under way may have arrived or not: here it has.
    pub fn restart(&mut self) {
        for position in std::mem::take(&mut self.under_way) {
            *self.left.entry(position).or_default() += 1;
            *self.arrived.entry(position).or_default() += 1;
        }
        let through = self.state.through.unwrap();
        self.flow = Flow::new(&self.state, through, &self.beat()).unwrap();
        self.offered = self.journal.iter().filter(|message| message.position <= through).count();
        self.sent.clear();
        self.reading.clear();
        self.recording = None;
    }

    /// The receiver takes everything from now on, and the flow comes to rest.
    pub fn comes_to_rest(&mut self) {
        for _ in 0..2_000 {
            if let Some(position) = self.under_way.first() {
                self.answers(*position, Answer::Delivered);
            }
            self.records(Fate::Told);
            self.finds();
            match self.step(Fate::Told) {
                Next::Wait(Some(until)) if self.under_way.is_empty() => self.tick = self.tick.max(until),
                Next::Wait(None) if self.under_way.is_empty() => return,
                _ => {}
            }
        }
        panic!("it does not come to rest: {:?}", self.flow);
    }

    /// Checks what must hold once everything is at rest.
    pub fn is_whole(&self) {
        for message in &self.journal {
            let (position, arrived) = (message.position, self.arrived.get(&message.position));
            let is_dead = self.letters.contains(&position);
            assert!(arrived.is_some() || is_dead, "{position} is lost");
            if self.state.terms.guarantee == Guarantee::AtMostOnce {
                assert!(arrived.is_none_or(|times| *times == 1), "{position} arrived {arrived:?} times");
            }
        }
        assert!(self.state.parked.is_empty(), "{:?}", self.state.parked);
        assert!(self.state.claimed.is_empty(), "{:?}", self.state.claimed);
        let last = self.journal.last().map_or(0, |last| last.position);
        assert_eq!(self.state.through, Some(last));
    }
}

pub fn attempted(answer: Answer) -> Attempted {
    let (blame, failure) = match answer {
        Answer::Delivered => return Attempted::Delivered,
        Answer::Refused => (Blame::Message, Failure::of_status(422, "no such card")),
        Answer::Unheard | Answer::NotArrived => (Blame::Doubt, Failure::of_status(500, "")),
        Answer::Down => (Blame::Destination { is_unsent: false }, Failure::of_status(503, "")),
        Answer::Unreachable => (Blame::Destination { is_unsent: true }, Failure::of_status(503, "")),
    };
    Attempted::Failed { blame, failure, retry_after_seconds: None }
}
