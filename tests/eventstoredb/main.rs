//! These tests run the adapter of EventStoreDB against the stand-in, in the same process: what an append is told in
//! each kind of trouble, what is read back, and what a follower sees. With `BOOKONCE_TEST_ESDB` set to a connection
//! string, or `BOOKONCE_TEST_NODE` to a program that runs a node, the tests that need no planted fault run against that node,
//! too, in accounts of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]
#![allow(clippy::disallowed_methods, reason = "names that no earlier run has used")]

mod appends;
#[path = "../support/arbitrary.rs"]
mod arbitrary;
#[path = "../support/each.rs"]
mod each;
#[path = "../support/each_hold.rs"]
mod each_hold;
mod ended;
mod faults;
mod follows;
#[path = "../support/given.rs"]
mod given;
#[path = "../support/given_holds.rs"]
mod given_holds;
#[path = "../support/holds.rs"]
mod holds;
mod ids;
mod lines;
mod pace;
mod reads;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use bookonce::domain::account::event::{AccountEvent, Answer, Fact};
use bookonce::domain::currency::Currency;
use bookonce::domain::event::{Body, Event};
use bookonce::domain::ids::{Id, TransactionId};
use bookonce::domain::metadata::Origin;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::Timestamp;
use bookonce::store::chain::Hash;
use bookonce::store::eventstoredb::{Appended, Followed, Patience, Proposed, Recorded, Store};
use eventstore_standin::{Options, Running, Standin};
use support::node::Program;
use uuid::Uuid;

/// Short, so that what is never answered does not keep the tests.
const HURRIED: Patience = Patience {
    connect: Duration::from_secs(5),
    append: Duration::from_millis(300),
    read: Duration::from_secs(10),
};

/// What a test waits for comes within this time, or never.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node, and what ends it.
struct Node {
    connection: String,
    running: Option<Running>,
    #[allow(dead_code, reason = "it ends when it is dropped")]
    program: Option<Program>,
}

fn standin(faults: &str) -> Running {
    Standin::start(Options { faults: faults.parse().unwrap(), ..Options::default() }).unwrap()
}

/// The stand-in, and a real node if one is named.
fn nodes() -> Vec<Node> {
    let running = standin("");
    let mut nodes =
        vec![Node { connection: running.connection_string(), running: Some(running), program: None }];
    let named = std::env::var("BOOKONCE_TEST_ESDB").ok();
    nodes.extend(named.map(|connection| Node { connection, running: None, program: None }));
    nodes.extend(Program::named().map(|program| Node {
        connection: program.connection_string(),
        running: None,
        program: Some(program),
    }));
    nodes
}

impl Node {
    async fn store(&self) -> Store {
        Store::new(&self.connection).await.unwrap()
    }

    /// The crate itself, for what the adapter has no business to do.
    async fn raw(&self) -> eventstore::Client {
        raw(&self.connection).await
    }
}

async fn raw(connection: &str) -> eventstore::Client {
    bookonce::store::eventstoredb::prepare_tls().await;
    eventstore::Client::new(connection.parse().unwrap()).unwrap()
}

/// A store on a stand-in that goes wrong.
async fn hurried(running: &Running) -> Store {
    Store::with_patience(&running.connection_string(), HURRIED).await.unwrap()
}

/// The stream of an account.
fn stream(account: &str) -> StreamName {
    support::name(account).into()
}

/// The stream of an account that no other run has used.
fn fresh(name: &str) -> StreamName {
    stream(&format!("{name}-{}", Uuid::new_v4().simple()))
}

/// A deposit with the transaction ID `n`, decided so many seconds after the others.
fn deposit_at(stream: &StreamName, revision: u64, n: u128, seconds: i64) -> Event {
    let currency = Currency::parse("EUR").unwrap();
    let at = given::NOW.plus_seconds(seconds);
    event(stream, revision, n, at, Fact::Deposited(given::movement(given::eur("7"))), currency)
}

fn event(
    stream: &StreamName,
    revision: u64,
    n: u128,
    at: Timestamp,
    fact: Fact,
    currency: Currency,
) -> Event {
    let balance = given::money("7", currency);
    let answer = Answer { balance, available: balance };
    Event {
        stream: stream.clone(),
        revision,
        id: Id::Client(TransactionId::from_uuid(Uuid::from_u128(n + 1)).unwrap()),
        recorded_at: at,
        body: Body::Account(AccountEvent { effective_at: at, currency, fact, answer }),
        origin: Origin { correlation: None, causation: None, actor: "test".into() },
    }
}

/// Deposits with these revisions, behind what is there.
fn deposits(stream: &StreamName, last: Option<(u64, Hash)>, revisions: std::ops::Range<u64>) -> Proposed {
    let mut proposed = Proposed::after(stream, last);
    for revision in revisions {
        assert!(proposed.push(&deposit_at(stream, revision, revision.into(), 0)));
    }
    proposed
}

/// Appends so many deposits to a new stream, in as few appends as hold them.
async fn fill(store: &Store, stream: &StreamName, count: u64) -> Hash {
    let mut last = None;
    while let from = last.map_or(0, |(revision, _)| revision + 1)
        && from < count
    {
        let proposed = deposits(stream, last, from..count.min(from + 1_000));
        let Appended::Stored { last_revision, .. } = store.append(stream, &proposed).await else {
            panic!("not stored")
        };
        last = Some((last_revision, proposed.hash()));
    }
    last.unwrap().1
}

fn revisions(found: &[Recorded]) -> Vec<u64> {
    found.iter().map(|event| event.revision).collect()
}

/// The events among what was followed.
fn events(followed: Vec<Followed>) -> Vec<Recorded> {
    let only = |followed| match followed {
        Followed::Event(event) => Some(event),
        Followed::CaughtUp => None,
    };
    followed.into_iter().filter_map(only).collect()
}
