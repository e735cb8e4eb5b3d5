//! These tests leave an append unresolved, and look at what comes meanwhile: a retry on another instance, a kill, a
//! late landing.

use std::time::Duration;

use bookonce::ledger::{Ledger, ReadError, Unavailable, Verdict};

use crate::instances::{Hurry, ask, body, insist, instance, stop, until};
use crate::proxy::{Loses, Proxy};
use crate::support::process::{Process, send};
use crate::support::store::runtime;
use crate::support::*;
use eventstore_standin::faults::Fault;
use eventstore_standin::{Options, Running, Standin};

const HURRIED: Hurry = Hurry {
    connect: Duration::from_secs(2),
    append: Duration::from_millis(150),
    read: Duration::from_millis(800),
    patience: Duration::from_millis(600),
    idle: Duration::from_secs(10),
};

/// One instance behind a proxy, another beside it, and an account that both know.
struct Two {
    node: Running,
    proxy: Proxy,
    one: Ledger,
    two: Ledger,
    _folders: [tempfile::TempDir; 2],
}

async fn two() -> Two {
    let node = Standin::start(Options::default()).unwrap();
    let proxy = Proxy::before(node.address()).await;
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let one = instance(&proxy.connection_string(), folders[0].path(), HURRIED).await;
    let two = instance(&node.connection_string(), folders[1].path(), HURRIED).await;
    for ledger in [&one, &two] {
        insist(ledger, &open(1, "a")).await;
    }
    Two { node, proxy, one, two, _folders: folders }
}

impl Two {
    /// Sends a deposit while the way to the store loses something, and is told that nobody knows.
    async fn unknown(&self, loses: Loses) {
        self.proxy.loses(loses);
        let verdict = ask(&self.one, &deposit(2, "a", "5.00")).await;
        assert!(matches!(verdict, Verdict::Unavailable(Unavailable::OutcomeUnknown)), "{verdict:?}");
        let again = ask(&self.one, &deposit(2, "a", "5.00")).await;
        assert!(matches!(again, Verdict::Unavailable(Unavailable::OutcomeUnknown)), "{again:?}");
        let other = ask(&self.one, &deposit(3, "a", "6.00")).await;
        assert!(matches!(other, Verdict::Unavailable(Unavailable::StoreUnavailable)), "{other:?}");
        let elsewhere = ask(&self.one, &deposit(2, "b", "5.00")).await;
        assert!(matches!(elsewhere, Verdict::Unavailable(Unavailable::InProgress)), "{elsewhere:?}");
        assert!(matches!(self.one.transaction(id(2)).await, Err(ReadError::OutcomeUnknown)));
        assert_eq!(self.one.status().unresolved_appends, 1);
    }

    /// All is well again: the first answer is everybody's, and there is one event.
    async fn heal(self, first: Option<String>) {
        self.proxy.loses(Loses::Nothing);
        let answer = body(&insist(&self.one, &deposit(2, "a", "5.00")).await).unwrap();
        assert!(first.is_none_or(|first| first == answer), "another answer than the first");
        for ledger in [&self.one, &self.two] {
            assert_eq!(body(&insist(ledger, &deposit(2, "a", "5.00")).await).unwrap(), answer);
            insist(ledger, &deposit(4, "a", "1.00")).await;
            until("the index has it", || ledger.status().unresolved_appends == 0).await;
            let end = self.two.answered();
            until("the index has it", || ledger.head().position >= end).await;
            assert!(ledger.transaction(id(2)).await.unwrap().is_some());
        }
        let lines = String::from_utf8(self.two.lines(0, 100).await.unwrap()).unwrap();
        assert_eq!(lines.lines().count(), 3, "{lines}");
        assert_eq!(self.one.digest(None).await.unwrap(), self.two.digest(None).await.unwrap());
        stop(self.one).await;
        stop(self.two).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_elsewhere_finds_what_was_stored() {
    let two = two().await;
    two.unknown(Loses::Answers).await;
    let verdict = insist(&two.two, &deposit(2, "a", "5.00")).await;
    assert!(matches!(verdict, Verdict::Replayed(..)), "{verdict:?}");
    two.heal(body(&verdict)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_elsewhere_books_what_never_arrived() {
    let two = two().await;
    two.unknown(Loses::Requests).await;
    let verdict = insist(&two.two, &deposit(2, "a", "5.00")).await;
    assert!(matches!(verdict, Verdict::Booked(..)), "{verdict:?}");
    two.heal(body(&verdict)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_asks_and_it_is_booked_when_the_way_is_free() {
    let two = two().await;
    two.unknown(Loses::Requests).await;
    two.heal(None).await;
}

/// The node keeps the first attempt and lets it land late, behind a retry on another instance or before it.
async fn lands_late(before_the_retry: bool) {
    let two = two().await;
    two.node.faults().plant_on("account-a", 0, Fault::Kept);
    let (one, met) = (two.one.clone(), two.node.faults().counted().1);
    let asked = tokio::spawn(async move { ask(&one, &deposit(2, "a", "5.00")).await });
    until("the node has it", || two.node.faults().counted().1 > met).await;
    two.proxy.loses(Loses::Requests);
    let verdict = asked.await.unwrap();
    assert!(matches!(verdict, Verdict::Unavailable(Unavailable::OutcomeUnknown)), "{verdict:?}");
    if before_the_retry {
        two.node.faults().let_land(1).await;
    }
    let verdict = insist(&two.two, &deposit(2, "a", "5.00")).await;
    two.node.faults().let_land(1).await;
    assert_eq!(matches!(verdict, Verdict::Replayed(..)), before_the_retry, "{verdict:?}");
    two.heal(body(&verdict)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lands_late_behind_a_retry_elsewhere() {
    lands_late(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lands_late_before_a_retry_elsewhere() {
    lands_late(true).await;
}

/// The instance is killed while the node still keeps its append.
fn killed(before_the_retry: bool) {
    let node = Standin::start(Options::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = node.connection_string();
    let start = || Process::start_with(folder.path(), &["--store", &store], &[]).unwrap();
    let mut process = start();
    let insist = |process: &Process, path: &str, body: &str| {
        let begun = std::time::Instant::now();
        loop {
            let reply = send(process.address, "POST", path, body).unwrap();
            if reply.status != 503 {
                return reply;
            }
            assert!(begun.elapsed() < crate::instances::DEADLINE, "{reply:?}");
        }
    };
    let opening = format!(r#"{{"transaction_id":"{}","account":"a","currency":"EUR"}}"#, id(1));
    assert_eq!(insist(&process, "/v1/accounts", &opening).status, 201);
    node.faults().plant_on("account-a", 0, Fault::Kept);
    let (address, met) = (process.address, node.faults().counted().1);
    let deposit = format!(r#"{{"transaction_id":"{}","amount":"5.00"}}"#, id(2));
    let body = deposit.clone();
    let asked = std::thread::spawn(move || send(address, "POST", "/v1/accounts/a/deposits", &body));
    while node.faults().counted().1 == met {
        std::thread::yield_now();
    }
    process.kill();
    assert!(asked.join().unwrap().is_err(), "it was answered before it was killed");
    process = start();
    let lines = |process: &Process| {
        send(process.address, "GET", "/v1/journal", "").unwrap().body.matches("\"event_id\"").count()
    };
    let land = || runtime().block_on(node.faults().let_land(1));
    if before_the_retry {
        land();
    }
    let first = insist(&process, "/v1/accounts/a/deposits", &deposit);
    assert_eq!((first.status, first.replayed), (201, before_the_retry), "{first:?}");
    land();
    let again = insist(&process, "/v1/accounts/a/deposits", &deposit);
    assert_eq!((again.status, again.replayed, again.body), (201, true, first.body));
    assert_eq!(lines(&process), 2, "one event an ID");
    assert_eq!(process.stop(), Some(0));
}

#[test]
fn killed_while_unresolved_and_it_lands_before_the_retry() {
    killed(true);
}

#[test]
fn killed_while_unresolved_and_it_lands_behind_the_retry() {
    killed(false);
}
