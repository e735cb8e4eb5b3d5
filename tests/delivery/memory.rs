//! A ledger in memory, for deliveries: its lines are real ones, its destinations are folded and decided by the domain. It can
//! stop for ever before or after something is recorded, as a kill there would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use bookonce::delivery::chunk::Chunk;
use bookonce::delivery::message::Message;
use bookonce::delivery::port::{Chooses, NotRecorded, Port, Tail, Unreadable};
use bookonce::domain::delivery::Destination;
use bookonce::domain::delivery::decide::{DeliveryOperation, decide};
use bookonce::domain::delivery::event::DeliveryEvent;
use bookonce::domain::delivery::name::DestinationName;
use bookonce::domain::delivery::terms::Terms;
use bookonce::domain::event::Event;
use bookonce::domain::letter::{DeadLettered, LetterId};
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::{Timestamp, system_clock};
use bookonce::store::chain::Hash;
use bookonce::store::codec::{Encoder, decode};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use uuid::Uuid;

use crate::wire::lines;

/// A `Point` is where a kill comes: at something that is recorded, before it is durable or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    Claim,
    Progress,
    Letter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    pub at: Point,
    pub is_durable: bool,
}

#[derive(Clone)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
    pub grown: watch::Sender<u64>,
    /// This is true once the kill has come.
    pub reached: watch::Sender<bool>,
}

struct Inner {
    /// These are all lines, by their positions. One of a destination or a letter has no more than its stream.
    lines: BTreeMap<u64, (StreamName, Vec<u8>)>,
    others: BTreeMap<u64, Vec<u8>>,
    revisions: BTreeMap<StreamName, u64>,
    destinations: BTreeMap<DestinationName, Vec<(u64, DeliveryEvent)>>,
    letters: BTreeMap<LetterId, DeadLettered>,
    hash: Hash,
    end: u64,
    kill: Option<Kill>,
    panics: BTreeSet<DestinationName>,
    template: Event,
}

pub fn name(text: &str) -> DestinationName {
    DestinationName::parse(text).unwrap()
}

impl Memory {
    pub fn new() -> Self {
        let template = lines("every-event")
            .iter()
            .map(|line| decode(line).unwrap())
            .find(|line| line.event.type_name() == "Deposited");
        let inner = Inner {
            lines: BTreeMap::new(),
            others: BTreeMap::new(),
            revisions: BTreeMap::new(),
            destinations: BTreeMap::new(),
            letters: BTreeMap::new(),
            hash: Hash([0; 32]),
            end: 0,
            kill: None,
            panics: BTreeSet::new(),
            template: template.unwrap().event,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            grown: watch::Sender::new(0),
            reached: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Books a deposit on an account, and returns its position.
    pub fn books(&self, account: &str) -> u64 {
        let mut inner = self.lock();
        let stream = StreamName::parse(&format!("account-{account}")).unwrap();
        let revision = inner.revisions.entry(stream.clone()).and_modify(|last| *last += 1).or_default();
        let mut event = Event { stream: stream.clone(), revision: *revision, ..inner.template.clone() };
        event.recorded_at = system_clock()();
        let position = inner.end + 1;
        let mut line = Vec::new();
        inner.hash = Encoder::default().line(&event, position, &inner.hash.clone(), &mut line);
        inner.lines.insert(position, (stream, line));
        inner.end = position;
        self.grown.send_replace(position);
        position
    }

    /// Says where the next kill comes.
    pub fn kill_at(&self, kill: Option<Kill>) {
        self.lock().kill = kill;
        self.reached.send_replace(false);
    }

    /// The task of this destination panics at the next record.
    pub fn panics_at(&self, destination: &str) {
        self.lock().panics.insert(name(destination));
    }

    pub fn state(&self, destination: &str) -> Option<Destination> {
        self.lock().fold(&name(destination))
    }

    /// Returns the events of a destination.
    pub fn events(&self, destination: &str) -> Vec<DeliveryEvent> {
        let events = self.lock().destinations.get(&name(destination)).cloned();
        events.unwrap_or_default().into_iter().map(|(_, event)| event).collect()
    }

    /// Returns the letters of a destination, by the positions of their messages.
    pub fn letters(&self, destination: &str) -> BTreeMap<u64, DeadLettered> {
        let inner = self.lock();
        let letters = inner.letters.values().filter(|letter| letter.source == name(destination));
        letters.map(|letter| (letter.position, letter.clone())).collect()
    }

    /// Waits until a destination stands so.
    pub async fn until(&self, destination: &str, stands: impl Fn(&Destination) -> bool) {
        let mut grown = self.grown.subscribe();
        let waits = async {
            while !self.state(destination).is_some_and(|state| stands(&state)) {
                grown.changed().await.unwrap();
            }
        };
        let came = tokio::time::timeout(std::time::Duration::from_secs(60), waits).await;
        came.unwrap_or_else(|_| panic!("it never stood so: {:#?}", self.state(destination)));
    }

    /// Ends a record where a kill comes, before it is durable or after.
    async fn killed(&self, at: Point, is_durable: bool) {
        if self.lock().kill == Some(Kill { at, is_durable }) {
            self.reached.send_replace(true);
            std::future::pending::<()>().await;
        }
    }
}

impl Inner {
    fn fold(&self, name: &DestinationName) -> Option<Destination> {
        let mut state = None;
        for (revision, (_, event)) in self.destinations.get(name)?.iter().enumerate() {
            state = Some(Destination::evolve(state.as_ref(), revision as u64, event).unwrap());
        }
        state
    }

    /// Takes a position for something of a destination or a letter.
    fn other(&mut self, stream: &str) -> u64 {
        self.end += 1;
        let line = format!("{{\"position\":{},\"stream\":\"{stream}\"}}\n", self.end);
        self.others.insert(self.end, line.into_bytes());
        self.end
    }
}

fn point(asked: &DeliveryOperation) -> Option<Point> {
    match asked {
        DeliveryOperation::Claim { .. } => Some(Point::Claim),
        DeliveryOperation::Progress(_) => Some(Point::Progress),
        _ => None,
    }
}

impl Port for Memory {
    fn journal(&self) -> Uuid {
        Uuid::from_u128(1)
    }

    fn now(&self) -> Timestamp {
        system_clock()()
    }

    fn head(&self) -> u64 {
        self.lock().end
    }

    fn count(&self, after: u64, to: u64, chooses: Chooses) -> BoxFuture<'_, Result<u64, Unreadable>> {
        let inner = self.lock();
        let lines = inner.lines.range(after + 1..=to).map(|(_, (_, line))| &line[..line.len() - 1]);
        let count = lines.filter(|line| chooses(line).unwrap()).count() as u64;
        Box::pin(async move { Ok(count) })
    }

    fn own_for_messages(&self, fresh: Uuid) -> BoxFuture<'_, Result<Option<Uuid>, Unreadable>> {
        Box::pin(async move { Ok(Some(fresh)) })
    }

    fn follow(&self, after: u64) -> Box<dyn Tail> {
        Box::new(Following { memory: self.clone(), after, grown: self.grown.subscribe() })
    }

    fn line(&self, position: u64) -> BoxFuture<'_, Result<Vec<u8>, Unreadable>> {
        let line = self.lock().lines.get(&position).map(|(_, line)| line[..line.len() - 1].to_vec());
        Box::pin(async move { line.ok_or_else(|| Unreadable("no such line".into())) })
    }

    fn lines_of<'a>(
        &'a self,
        stream: &'a StreamName,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, Unreadable>> {
        let inner = self.lock();
        let of_stream = inner.lines.values().filter(|(of, _)| of == stream);
        let found: Vec<u8> = of_stream
            .skip(usize::try_from(after).unwrap() + 1)
            .take(limit)
            .flat_map(|(_, line)| line.clone())
            .collect();
        Box::pin(async { Ok(found) })
    }

    fn destinations(&self) -> BoxFuture<'_, Result<Vec<(DestinationName, Destination)>, Unreadable>> {
        let inner = self.lock();
        let all = inner.destinations.keys().map(|name| (name.clone(), inner.fold(name).unwrap())).collect();
        Box::pin(async { Ok(all) })
    }

    fn destination<'a>(
        &'a self,
        name: &'a DestinationName,
    ) -> BoxFuture<'a, Result<Option<Destination>, Unreadable>> {
        let state = self.lock().fold(name);
        Box::pin(async { Ok(state) })
    }

    fn sets<'a>(
        &'a self,
        name: &'a DestinationName,
    ) -> BoxFuture<'a, Result<Vec<(u64, Arc<Terms>)>, Unreadable>> {
        let inner = self.lock();
        let sets = inner.fold(name).unwrap().sets;
        let events = &inner.destinations[name];
        let found = sets.iter().map(|revision| match events[usize::try_from(*revision).unwrap()].clone() {
            (position, DeliveryEvent::Set { terms, .. }) => (position, terms),
            (_, other) => panic!("no set: {other:?}"),
        });
        let found = found.collect();
        Box::pin(async { Ok(found) })
    }

    fn record<'a>(
        &'a self,
        name: &'a DestinationName,
        asked: &'a DeliveryOperation,
    ) -> BoxFuture<'a, Result<(), NotRecorded>> {
        Box::pin(async move {
            assert!(!self.lock().panics.contains(name), "{name} panics because the test says so");
            if let Some(at) = point(asked) {
                self.killed(at, false).await;
            }
            {
                let mut inner = self.lock();
                let event = decide(inner.fold(name).as_ref(), asked).map_err(NotRecorded::Refused)?;
                let position = inner.other(&format!("delivery-{name}"));
                inner.destinations.entry(name.clone()).or_default().push((position, event));
                inner.fold(name);
                self.grown.send_replace(position);
            }
            if let Some(at) = point(asked) {
                self.killed(at, true).await;
            }
            Ok(())
        })
    }

    fn bury<'a>(&'a self, letter: DeadLettered, _: &'a Message) -> BoxFuture<'a, Result<(), NotRecorded>> {
        Box::pin(async move {
            self.killed(Point::Letter, false).await;
            {
                let mut inner = self.lock();
                let position = inner.other(&format!("letter-{}", letter.letter()));
                inner.letters.entry(letter.letter()).or_insert_with(|| letter.clone());
                self.grown.send_replace(position);
            }
            self.killed(Point::Letter, true).await;
            Ok(())
        })
    }
}

struct Following {
    memory: Memory,
    after: u64,
    grown: watch::Receiver<u64>,
}

impl Tail for Following {
    fn next(&mut self) -> BoxFuture<'_, Result<Chunk, Unreadable>> {
        Box::pin(async move {
            loop {
                self.grown.borrow_and_update();
                let (mut found, mut last) = (Vec::new(), self.after);
                {
                    let inner = self.memory.lock();
                    for position in (self.after + 1..=inner.end).take(100) {
                        let line = inner.lines.get(&position).map(|(_, line)| line);
                        found.extend(line.or_else(|| inner.others.get(&position)).unwrap());
                        last = position;
                    }
                }
                if !found.is_empty() {
                    self.after = last;
                    return Ok(Chunk::new(found.into()));
                }
                self.grown.changed().await.unwrap();
            }
        })
    }
}
