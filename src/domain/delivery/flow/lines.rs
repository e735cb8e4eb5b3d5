//! Lines keep the order among the messages in hand: of each line only the first message may be sent.
//!
//! What a line is follows from the destination's order: those of one account, all, or each message by itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::delivery::terms::Order;
use crate::domain::stream::StreamName;

use super::message::Message;

/// A `Key` names a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Stream(StreamName),
    All,
    Own(u64),
}

/// A `Line` is a line of messages, by their positions.
#[derive(Clone, Debug, Default)]
struct Line {
    waiting: VecDeque<u64>,
    /// This is true while a parked message of the line is before all of them.
    is_held: bool,
}

/// The `Lines` are all lines, with the messages that may be sent now.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    order: Order,
    lines: BTreeMap<Key, Line>,
    ready: BTreeSet<u64>,
}

impl Lines {
    pub(super) fn new(order: Order) -> Self {
        Self { order, lines: BTreeMap::new(), ready: BTreeSet::new() }
    }

    /// Returns the messages that may be sent, the oldest first.
    pub(super) fn ready(&self) -> impl Iterator<Item = u64> {
        self.ready.iter().copied()
    }

    /// A message is the last of its line now.
    pub(super) fn add(&mut self, message: &Message) {
        let key = self.key(message);
        let line = self.lines.entry(key).or_default();
        line.waiting.push_back(message.position);
        if line.waiting.len() == 1 && !line.is_held {
            self.ready.insert(message.position);
        }
    }

    /// The message is under way.
    pub(super) fn sent(&mut self, position: u64) {
        self.ready.remove(&position);
    }

    /// The message may be sent again.
    pub(super) fn is_back(&mut self, position: u64) {
        self.ready.insert(position);
    }

    /// The message leaves its line, and the next one may be sent.
    pub(super) fn leaves(&mut self, message: &Message) {
        self.take_out(message, false);
    }

    /// The message leaves its line because it is parked. Returns the positions of those behind it that leave the line with it,
    /// because they are read again; those of a line of all messages wait in it.
    pub(super) fn is_parked(&mut self, message: &Message) -> Vec<u64> {
        match self.order {
            Order::None => self.take_out(message, false),
            Order::Journal => self.take_out(message, true),
            Order::Account => {
                self.ready.remove(&message.position);
                let line = self.lines.remove(&self.key(message)).unwrap_or_default();
                return line.waiting.into_iter().filter(|other| *other != message.position).collect();
            }
        }
        Vec::new()
    }

    /// A parked message has ended: the line of all messages goes on.
    pub(super) fn goes_on(&mut self) {
        if let Some(line) = self.lines.get_mut(&Key::All) {
            line.is_held = false;
            self.ready.extend(line.waiting.front());
        }
    }

    /// A message is parked since an earlier process: the line of all messages waits.
    pub(super) fn holds(&mut self) {
        if self.order == Order::Journal {
            self.lines.entry(Key::All).or_default().is_held = true;
        }
    }

    fn take_out(&mut self, message: &Message, is_held: bool) {
        self.ready.remove(&message.position);
        let key = self.key(message);
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.waiting.retain(|other| *other != message.position);
        line.is_held |= is_held;
        match line.waiting.front() {
            Some(next) if !line.is_held => {
                self.ready.insert(*next);
            }
            None if !line.is_held => {
                self.lines.remove(&key);
            }
            Some(_) | None => {}
        }
    }

    fn key(&self, message: &Message) -> Key {
        match self.order {
            Order::Account => Key::Stream(message.stream.clone()),
            Order::Journal => Key::All,
            Order::None => Key::Own(message.position),
        }
    }
}
