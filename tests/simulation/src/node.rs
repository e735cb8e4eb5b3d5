//! [`Node`] is a simulated node of EventStoreDB, with the habits that a real one was seen to have.
//!
//! An append at an exact revision below the present one is acknowledged again when its event ids are those stored there. A
//! conflict is told before the event that caused it can be read. What the leader has and no other node is cut when the leader
//! goes. A request may never arrive, or arrive long after its answer is given up; an answer may be lost; a subscription may
//! end, or fall silent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bookonce::domain::stream::StreamName;
use bookonce::store::codec::{self, Line};
use bookonce::store::eventstoredb::{Appended, Recorded, Store};
use bookonce::store::{Journal, ReadError};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::executor::{Owner, WORLD, pause};
use crate::marks::LATE;
use crate::world::World;

/// This is how long an append waits for its answer.
pub const DEADLINE: Duration = Duration::from_secs(2);

/// A `Node` is the store of several instances. It outlives every crash.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    world: World,
    state: Mutex<State>,
    /// This is told when something can be read that could not be read before, and when the leader goes.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    log: Vec<Recorded>,
    /// These are who sent each record of the log, and when it was stored.
    by: Vec<Author>,
    /// This is how many records of the log can be read: those that other nodes have, too.
    readable: usize,
    /// This is how many leaders have gone.
    terms: u64,
    away_until: Duration,
    /// This is the place of a record that somebody has changed, and the record as it was.
    changed: Option<(usize, Recorded)>,
    /// These are the streams that were damaged at any time.
    damaged: BTreeSet<String>,
    /// These are the handles of the living instances.
    stores: Vec<(Owner, Store)>,
}

/// An `Author` is who sent an event, and when it was stored.
pub type Author = (Owner, Duration);

/// These are the types of events with which a transfer ends.
const ENDS: [&str; 4] = ["TransferCompleted", "TransferDeclined", "TransferCompensated", "TransferCancelled"];

/// A `Took` says what the leader did with an append.
pub enum Took {
    /// It is in the log, or was there before. It is known to the caller when so much of the log can be read.
    Logged { end: usize, term: u64, position: u64, revision: u64, again: bool },
    /// Another event is at the revision.
    Conflict,
}

impl Node {
    /// Makes an empty node.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let (state, changed) = (Mutex::default(), watch::Sender::new(0));
        Self(Arc::new(Inner { world: world.clone(), state, changed }))
    }

    /// Returns the world in which it is.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// Takes note of an instance's handle, whose connections end when the leader goes.
    pub fn know(&self, owner: Owner, store: Store) {
        self.0.state.lock().stores.push((owner, store));
    }

    /// Forgets the handle of an instance, or of all.
    pub fn forget(&self, owner: Option<Owner>) {
        let gone = {
            let mut state = self.0.state.lock();
            let stores = std::mem::take(&mut state.stores);
            let (kept, gone): (Vec<_>, Vec<_>) =
                stores.into_iter().partition(|(known, _)| owner.is_some_and(|owner| owner != *known));
            state.stores = kept;
            gone
        };
        drop(gone);
    }

    /// Says whether there is a leader.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !self.0.world.is_faulty() || self.0.world.time() >= self.0.state.lock().away_until
    }

    /// Returns the records that can be read.
    pub fn read<T>(&self, read: impl FnOnce(&[Recorded]) -> T) -> T {
        let state = self.0.state.lock();
        read(&state.log[..state.readable])
    }

    /// Returns who sent each record of the ledger that can be read.
    #[must_use]
    pub fn authors(&self) -> Vec<Author> {
        let state = self.0.state.lock();
        let read = state.log[..state.readable].iter().zip(&state.by);
        read.filter(|(record, _)| StreamName::is_claimed(&record.stream)).map(|(_, by)| *by).collect()
    }

    /// Returns a receiver that is told when something changes, and the number of leaders that have gone.
    #[must_use]
    pub fn changes(&self) -> (watch::Receiver<u64>, u64) {
        let terms = self.0.state.lock().terms;
        (self.0.changed.subscribe(), terms)
    }

    /// Returns the number of leaders that have gone, and how much of the log can be read.
    #[must_use]
    pub fn terms(&self) -> (u64, usize) {
        let state = self.0.state.lock();
        (state.terms, state.readable)
    }

    /// Does what the leader does with an append.
    pub fn take(&self, by: Owner, stream: &str, expected: Option<u64>, events: &[Recorded]) -> Took {
        let world = &self.0.world;
        let mut state = self.0.state.lock();
        let own: Vec<usize> =
            (0..state.log.len()).filter(|place| state.log[*place].stream == stream).collect();
        let first = expected.map_or(0, |expected| usize::try_from(expected + 1).unwrap_or(usize::MAX));
        if first < own.len() {
            let stored = own[first..].iter().map(|place| &state.log[*place]);
            let same = events.len() <= own.len() - first
                && events.iter().zip(stored).all(|(event, stored)| event.event_id == stored.event_id);
            if same {
                let place = own[first + events.len() - 1];
                let (position, revision) = (state.log[place].position, state.log[place].revision);
                return Took::Logged { end: place + 1, term: state.terms, position, revision, again: true };
            }
        }
        if first != own.len() {
            if own.last().is_some_and(|place| *place >= state.readable) {
                world.mark("conflict that can not be read yet");
            }
            return Took::Conflict;
        }
        for event in events {
            let gap = world.draw(|random| random.between(100, 900));
            let position = state.log.last().map_or(0, |last| last.position) + gap;
            world.step("stored", format!("{stream} {} at {position}: {}", event.revision, event.kind));
            state.log.push(Recorded { position, ..event.clone() });
            state.by.push((by, world.time()));
        }
        world.appended(
            by,
            events
                .iter()
                .map(|event| weight(&[stream.as_bytes(), event.kind.as_bytes(), &event.data].concat())),
        );
        let (end, term) = (state.log.len(), state.terms);
        let last = state.log.last().map_or((0, 0), |last| (last.position, last.revision));
        drop(state);
        self.replicate(end, term);
        Took::Logged { end, term, position: last.0, revision: last.1, again: false }
    }

    /// Lets what was stored be read: at once, or in a while.
    fn replicate(&self, end: usize, term: u64) {
        let world = &self.0.world;
        if !world.goes_wrong(world.plan().store) {
            return self.show(end, term);
        }
        let (node, later) = (self.clone(), world.draw(|random| random.between(500, 120_000)));
        world.tasks().spawn(WORLD, async move {
            pause(Duration::from_micros(later)).await;
            node.show(end, term);
        });
    }

    fn show(&self, end: usize, term: u64) {
        {
            let mut state = self.0.state.lock();
            if state.terms == term {
                state.readable = state.readable.max(end.min(state.log.len()));
            }
        }
        self.0.changed.send_modify(|changes| *changes += 1);
    }

    /// Waits until so much of the log can be read. Returns `false` when the leader went before.
    pub async fn shown(&self, end: usize, term: u64) -> bool {
        let (mut changes, _) = self.changes();
        loop {
            let (terms, readable) = self.terms();
            if terms != term || readable >= end {
                return terms == term;
            }
            if changes.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Stores an append that arrives long after its answer was given up.
    pub fn take_late(&self, by: Owner, stream: String, expected: Option<u64>, events: Vec<Recorded>) {
        let (node, world) = (self.clone(), self.0.world.clone());
        let later = world.draw(|random| random.between(5_000, 7_000_000));
        world.clone().tasks().spawn(WORLD, async move {
            pause(Duration::from_micros(later)).await;
            if matches!(node.take(by, &stream, expected, &events), Took::Logged { again: false, .. }) {
                world.mark("append lands late");
                events.iter().for_each(|event| mark_late(&world, &event.kind));
                world.step("late", stream);
            }
        });
    }

    /// Lets the leader go. What it alone had is lost, every connection ends, and it takes a while until another is there.
    pub fn lose_the_leader(&self) {
        let world = &self.0.world;
        let away = world.draw(|random| random.between(100_000, 6_000_000));
        let stores = {
            let mut state = self.0.state.lock();
            state.terms += 1;
            let readable = state.readable;
            if state.log.len() > readable {
                world.mark("tail cut with the leader");
                state.log.truncate(readable);
                state.by.truncate(readable);
            }
            state.away_until = world.time() + Duration::from_micros(away);
            state.stores.clone()
        };
        world.mark("leader gone");
        world.step("leader gone", format!("for {away} us"));
        stores.iter().for_each(|(_, store)| store.doubt());
        self.0.changed.send_modify(|changes| *changes += 1);
    }

    /// Changes a byte of a stored event, which is not one of the last: the instances take a store whose end is another for
    /// another store.
    pub fn damage(&self) {
        self.damage_one(|_| true);
    }

    /// Changes a byte of a stored event of a stream. Returns `false` where that can't be done.
    pub fn damage_in(&self, stream: &str) -> bool {
        self.damage_one(|record| record.stream == stream);
        self.damaged().is_some_and(|damaged| damaged == stream)
    }

    /// Returns the accounts that are to be paid by transfers which have not ended.
    #[must_use]
    pub fn being_paid(&self) -> Vec<String> {
        self.read(|log| {
            let ended = |stream: &str| {
                let of = log.iter().filter(|record| record.stream == stream);
                of.last().is_some_and(|last| ENDS.contains(&last.kind.as_str()))
            };
            let requests = log.iter().filter(|record| record.kind == "TransferRequested");
            let to = |record: &Recorded| {
                let data: serde_json::Value = serde_json::from_slice(&record.data).ok()?;
                let data = data.get("data").unwrap_or(&data);
                Some(format!("account-{}", data.get("to")?.as_str()?))
            };
            requests.filter(|record| !ended(&record.stream)).filter_map(to).collect()
        })
    }

    fn damage_one(&self, fits: impl Fn(&Recorded) -> bool) {
        let world = &self.0.world;
        let mut state = self.0.state.lock();
        let oldest = state.readable.saturating_sub(12);
        if state.changed.is_some() {
            return;
        }
        let places: Vec<usize> = (0..oldest).filter(|place| fits(&state.log[*place])).collect();
        if places.is_empty() {
            return;
        }
        let place = places[world.draw(|random| random.place(places.len()))];
        let record = state.log[place].clone();
        let Some(at) = record.data.iter().position(|byte| (b'1'..=b'8').contains(byte)) else { return };
        if !StreamName::is_claimed(&record.stream) {
            return;
        }
        let mut data = record.data.to_vec();
        data[at] += 1;
        state.log[place].data = data.into();
        world.mark("stream damaged");
        world.step("damaged", format!("{} {}", record.stream, record.revision));
        state.damaged.insert(record.stream.clone());
        state.changed = Some((place, record));
    }

    /// Puts a changed event right.
    pub fn mend(&self) {
        let mut state = self.0.state.lock();
        if let Some((place, record)) = state.changed.take() {
            self.0.world.mark("stream damaged, then mended");
            self.0.world.step("mended", format!("{} {}", record.stream, record.revision));
            state.log[place] = record;
        }
    }

    /// Says whether a stream was damaged at any time.
    #[must_use]
    pub fn was_damaged(&self, stream: &str) -> bool {
        self.0.state.lock().damaged.contains(stream)
    }

    /// Returns the name of the stream that is damaged.
    #[must_use]
    pub fn damaged(&self) -> Option<String> {
        self.0.state.lock().changed.as_ref().map(|(_, record)| record.stream.clone())
    }

    /// Stores an event of somebody else.
    pub fn add_foreign(&self) {
        let event = Recorded {
            position: 0,
            stream: "somebody-else".to_owned(),
            revision: self.read(|log| log.iter().filter(|record| record.stream == "somebody-else").count())
                as u64,
            event_id: uuid::Uuid::from_u128(u128::from(self.0.world.draw(|random| random.any()))),
            kind: "Something".to_owned(),
            data: bytes::Bytes::from_static(b"{}"),
            metadata: bytes::Bytes::from_static(b"{}"),
        };
        let expected = event.revision.checked_sub(1);
        let _taken = self.take(WORLD, "somebody-else", expected, &[event]);
    }
}

/// Waits for the answer that does not come.
pub async fn give_up() -> Appended {
    pause(DEADLINE).await;
    Appended::Unknown("no answer in time".to_owned())
}

/// Returns how often whoever appended this crashes after it, beside others: never after what is of no transfer.
pub fn weight(line: &[u8]) -> u64 {
    let line = String::from_utf8_lossy(line);
    let has = |what: &[&str]| what.iter().any(|what| line.contains(what));
    match has(&["\"transfer\":", "transfer-"]) {
        false => 0,
        true if has(&[
            "PayoutSent",
            "PayoutSettled",
            "HoldReleased",
            "HoldPrevented",
            "CreditPrevented",
            "TransferTimedOut",
        ]) =>
        {
            6
        }
        true if has(&["@external:", "TransferRequested"]) => 4,
        true => 1,
    }
}

/// Notes that an append landed late, by the type of its event.
fn mark_late(world: &World, kind: &str) {
    if let Some((_, state)) = LATE.iter().find(|(known, _)| *known == kind) {
        world.mark(state);
    }
}

impl Journal for Node {
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
        self.read(|log| {
            let mut lines = Vec::new();
            let is_next =
                |record: &&Recorded| record.position > after && StreamName::is_claimed(&record.stream);
            for record in log.iter().filter(is_next).take(limit) {
                let line = record.line().map_err(|error| ReadError::Damaged(error.to_string().into()))?;
                lines.extend_from_slice(&line);
                lines.push(b'\n');
            }
            Ok(lines)
        })
    }

    fn event(&self, position: u64) -> Result<Line, ReadError> {
        let line = self.lines(position.saturating_sub(1), 1)?;
        let line = codec::decode(line.strip_suffix(b"\n").unwrap_or(&line));
        let line = line.map_err(|error| ReadError::Damaged(error.into()))?;
        if line.position == position {
            Ok(line)
        } else {
            Err(ReadError::Damaged("there is no such event".into()))
        }
    }
}
