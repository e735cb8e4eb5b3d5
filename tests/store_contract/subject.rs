//! A subject is a store as the contract sees it. Each store implements it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bookonce::domain::command::Command;
use bookonce::domain::decide::{Standing, decide};
use bookonce::domain::event::Event;
use bookonce::domain::state::State;
use bookonce::domain::stream::StreamName;
use bookonce::store::chain::Hash;
use bookonce::store::codec::Encoder;
use bookonce::store::draft::Draft;
use bookonce::store::embedded::folder::{Folder, JOURNAL};
use bookonce::store::embedded::writer::Writer;
use bookonce::store::embedded::{self, database};
use bookonce::store::eventstoredb::{self, Appended, Patience, Proposed, Settled, Settling, Store};
use bookonce::store::{AppendError, Appends, Reader};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::{self, name};
use eventstore_standin::faults::Fault;
use eventstore_standin::{Options, Running, Standin};

/// What an append was told.
#[derive(Debug)]
pub enum Outcome {
    /// Its last event is at this position.
    Stored { at: u64 },
    /// Nobody knows.
    Unknown,
    /// Another was first.
    Refused,
}

/// What really becomes of an append whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It never arrived.
    Lost,
    /// It was stored.
    Landed,
}

pub trait Subject {
    /// The events that come next in a stream.
    fn next(&mut self, stream: &StreamName, count: usize) -> Vec<Arc<Event>> {
        self.story().next(stream, count)
    }
    fn stream(&self, account: &str) -> StreamName;
    /// The position behind which this test's events come.
    fn start(&self) -> u64;
    /// The position behind which the next events come.
    fn end(&self) -> u64;
    fn append(&mut self, events: &[Arc<Event>]) -> Outcome;
    /// The same with a lost answer; `None` where that can't be had.
    fn append_in_doubt(&mut self, events: &[Arc<Event>], doubt: Doubt) -> Option<Outcome>;
    fn reader(&self) -> Reader;
    /// The chain that a stream's events are in, and what it begins with.
    fn chain_of(&self, stream: &str) -> (String, Hash);
    fn second_writer_is_refused(&mut self, stream: &StreamName) -> bool;
    fn restart(&mut self);
    /// Alters the stream's last event in the store; `false` where that can't be done.
    fn change(&mut self, stream: &StreamName) -> bool;
    fn story(&mut self) -> &mut Story;
}

/// Runs a test on every store.
pub fn each(test: impl Fn(&mut dyn Subject)) {
    test(&mut Embedded::new());
    test(&mut Clustered::on_standin());
    if let Ok(connection) = std::env::var("BOOKONCE_TEST_ESDB") {
        test(&mut Clustered::new(connection, None));
    }
    if let Some(program) = support::node::Program::named() {
        test(&mut Clustered::new(program.connection_string(), None));
    }
}

/// What happens in streams, decided as the ledger decides it.
#[derive(Default)]
pub struct Story {
    streams: HashMap<StreamName, State>,
    commands: u128,
    salt: u128,
}

impl Story {
    fn next(&mut self, stream: &StreamName, count: usize) -> Vec<Arc<Event>> {
        (0..count).map(|_| self.one(stream)).collect()
    }

    fn one(&mut self, stream: &StreamName) -> Arc<Event> {
        self.commands += 1;
        let n = self.salt + self.commands;
        let before = self.streams.get(stream);
        let name = stream.account().unwrap();
        let command: Command = match before {
            None => support::open(n, name.as_str()),
            Some(_) => support::deposit(n, name.as_str(), "7.00"),
        };
        let standing = Standing { state: before, ..Standing::default() };
        let now =
            bookonce::domain::time::Timestamp::from_micros(1_795_226_400_000_000 + self.commands as i64);
        let event = decide(standing, &command, now).unwrap();
        let after = State::evolve(before, &event).unwrap();
        self.streams.insert(stream.clone(), after);
        Arc::new(event)
    }
}

/// Says what the embedded store does with a draft that follows on another event than the journal's last one, and then with
/// the right one. Returns the two outcomes and the end of the journal.
pub fn of_a_draft_that_does_not_follow() -> (Result<(), AppendError>, Result<(), AppendError>, u64) {
    let mut embedded = Embedded::new();
    let alice = embedded.stream("alice");
    let events = embedded.story.next(&alice, 2);
    let mut right = embedded.end.next();
    right.add(Arc::clone(&events[0]), &mut Encoder::default());
    let mut wrong = right.next();
    wrong.add(Arc::clone(&events[1]), &mut Encoder::default());
    let (_, writer) = embedded.open.as_mut().unwrap();
    let outcomes = (writer.append(&wrong), writer.append(&right));
    (outcomes.0, outcomes.1, embedded.end())
}

const JOURNAL_ID: Uuid = Uuid::from_u128(0x0b00_c0de_0000_4000_8000_0000_0000_0007);

struct Embedded {
    folder: tempfile::TempDir,
    open: Option<(Folder, Box<dyn Appends>)>,
    /// The end of what was appended last.
    end: Draft,
    story: Story,
}

impl Embedded {
    fn new() -> Self {
        let mut embedded = Self {
            folder: tempfile::tempdir().unwrap(),
            open: None,
            end: Draft::after(0, Hash::genesis(JOURNAL_ID)),
            story: Story::default(),
        };
        embedded.open();
        embedded
    }

    fn journal(&self) -> std::path::PathBuf {
        self.folder.path().join(JOURNAL)
    }

    fn open(&mut self) {
        let folder = Folder::take(self.folder.path()).unwrap();
        database::journal_id(&database::open(&self.journal()).unwrap(), JOURNAL_ID).unwrap();
        let reader = embedded::reader::Reader::new(&self.journal());
        let last = reader.last_position().unwrap();
        let hash = match last {
            0 => Hash::genesis(JOURNAL_ID),
            last => reader.event(last).unwrap().hash,
        };
        self.end = Draft::after(last, hash);
        self.open = Some((folder, Box::new(Writer::start(&self.journal(), last, hash).unwrap())));
    }
}

impl Subject for Embedded {
    fn stream(&self, account: &str) -> StreamName {
        name(account).into()
    }

    fn start(&self) -> u64 {
        0
    }

    fn end(&self) -> u64 {
        embedded::reader::Reader::new(&self.journal()).last_position().unwrap()
    }

    fn append(&mut self, events: &[Arc<Event>]) -> Outcome {
        let (_, writer) = self.open.as_mut().unwrap();
        let mut draft = self.end.next();
        events.iter().for_each(|event| draft.add(Arc::clone(event), &mut Encoder::default()));
        writer.append(&draft).unwrap();
        self.end = draft;
        Outcome::Stored { at: self.end.last() }
    }

    /// The disk's lost answers need a disk that fails: `tests/faults.rs` has one.
    fn append_in_doubt(&mut self, _events: &[Arc<Event>], _doubt: Doubt) -> Option<Outcome> {
        None
    }

    fn reader(&self) -> Reader {
        Arc::new(embedded::reader::Reader::new(&self.journal()))
    }

    fn chain_of(&self, _stream: &str) -> (String, Hash) {
        ("the journal".into(), Hash::genesis(JOURNAL_ID))
    }

    /// Here it does not even come to an append.
    fn second_writer_is_refused(&mut self, _stream: &StreamName) -> bool {
        matches!(Folder::take(self.folder.path()), Err(embedded::Error::Held { .. }))
    }

    fn restart(&mut self) {
        self.open.take().unwrap().1.close().unwrap();
        self.open();
    }

    fn change(&mut self, _stream: &StreamName) -> bool {
        let connection = rusqlite::Connection::open(Path::new(&self.journal())).unwrap();
        let changed = connection.execute(
            "UPDATE commits SET events = CAST(replace(CAST(events AS TEXT), '\"Deposited\"', '\"Banked\"') AS BLOB)",
            [],
        );
        changed.unwrap() > 0
    }

    fn story(&mut self) -> &mut Story {
        &mut self.story
    }
}

struct Clustered {
    runtime: Runtime,
    node: Option<Running>,
    connection: String,
    store: Store,
    run: u128,
    start: u64,
    last: HashMap<StreamName, (u64, Hash)>,
    story: Story,
}

impl Clustered {
    fn on_standin() -> Self {
        let node = Standin::start(Options::default()).unwrap();
        Self::new(node.connection_string(), Some(node))
    }

    fn new(connection: String, node: Option<Running>) -> Self {
        let runtime = Runtime::new().unwrap();
        let run = Uuid::new_v4().as_u128();
        let patience = Patience { append: std::time::Duration::from_millis(500), ..Patience::default() };
        let store = runtime.block_on(Store::with_patience(&connection, patience)).unwrap();
        // A real node has had other tests before.
        let mut start = 0;
        while let Some(last) = runtime.block_on(store.journal(start, 1_000)).unwrap().last() {
            start = last.position;
        }
        let story = Story { salt: run >> 64 << 20, ..Story::default() };
        Self { runtime, node, connection, store, run, start, last: HashMap::new(), story }
    }

    fn proposed(&self, events: &[Arc<Event>]) -> Proposed {
        let stream = &events[0].stream;
        let mut proposed = Proposed::after(stream, self.last.get(stream).copied());
        assert!(events.iter().all(|event| proposed.push(event)));
        proposed
    }
}

impl Subject for Clustered {
    fn stream(&self, account: &str) -> StreamName {
        name(&format!("{account}-{:x}", self.run as u64)).into()
    }

    fn start(&self) -> u64 {
        self.start
    }

    fn end(&self) -> u64 {
        let mut end = self.start;
        while let Some(last) = self.runtime.block_on(self.store.journal(end, 1_000)).unwrap().last() {
            end = last.position;
        }
        end
    }

    fn append(&mut self, events: &[Arc<Event>]) -> Outcome {
        let proposed = self.proposed(events);
        let stream = &events[0].stream;
        let mut settling = Settling::new(&self.store, stream, &proposed);
        match self.runtime.block_on(settling.settle()) {
            Settled::Stored(at) => {
                self.last.insert(stream.clone(), (events.last().unwrap().revision, proposed.hash()));
                Outcome::Stored { at }
            }
            Settled::Overtaken => Outcome::Refused,
            Settled::NotStored(error) => panic!("{error}"),
        }
    }

    fn append_in_doubt(&mut self, events: &[Arc<Event>], doubt: Doubt) -> Option<Outcome> {
        let fault = match doubt {
            Doubt::Lost => Fault::LostRequest,
            Doubt::Landed => Fault::LostAnswer,
        };
        self.node.as_ref()?.faults().plant(0, fault);
        let proposed = self.proposed(events);
        let appended = self.runtime.block_on(self.store.append(&events[0].stream, &proposed));
        if doubt == Doubt::Landed {
            let last = (events.last().unwrap().revision, proposed.hash());
            self.last.insert(events[0].stream.clone(), last);
        }
        Some(match appended {
            Appended::Unknown(_) => Outcome::Unknown,
            Appended::Stored { last_revision, .. } => Outcome::Stored { at: last_revision },
            Appended::Conflict | Appended::NotSent(_) | Appended::Deleted => Outcome::Refused,
        })
    }

    fn reader(&self) -> Reader {
        Arc::new(eventstoredb::Reader::new(self.store.clone(), self.runtime.handle().clone()))
    }

    fn chain_of(&self, stream: &str) -> (String, Hash) {
        (stream.to_owned(), Hash::of_stream(&StreamName::parse(stream).unwrap()))
    }

    fn second_writer_is_refused(&mut self, stream: &StreamName) -> bool {
        let mut other = Story { salt: 1 << 40, ..Story::default() };
        let proposed = {
            let events = other.next(stream, 1);
            let mut proposed = Proposed::after(stream, None);
            assert!(proposed.push(&events[0]));
            proposed
        };
        matches!(self.runtime.block_on(self.store.append(stream, &proposed)), Appended::Conflict)
    }

    fn restart(&mut self) {
        if let Some(node) = &mut self.node {
            node.stop().unwrap();
            node.start().unwrap();
        }
        self.store = self.runtime.block_on(Store::new(&self.connection)).unwrap();
    }

    /// A node changes no event; `tests/damage.rs` changes its files.
    fn change(&mut self, _stream: &StreamName) -> bool {
        false
    }

    fn story(&mut self) -> &mut Story {
        &mut self.story
    }
}
