//! Who drives transfers, how many at once, and what their deadlines rest on: nothing is lost between the bounds, and whoever
//! waits for an end keeps nobody else waiting.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

#[path = "support/holds.rs"]
mod holds;
mod support;

use std::io::Write;
use std::time::Duration;

use bookonce::domain::command::{Command, Operation};
use bookonce::domain::time::{Timestamp, system_clock};
use bookonce::domain::transfer::command::{TimeoutSeconds, TransferOperation};
use bookonce::domain::transfer::stage::Stage;
use bookonce::http::{Config, Limits, router};
use bookonce::ledger::{Ledger, Verdict};
use bookonce::sagas::{self, Sagas};
use serde_json::json;
use sha2::{Digest, Sha256};
use support::http::{Reply, Service, id as fresh_id};
use support::{deposit, id, open, open_ledger, store};

async fn book(ledger: &Ledger, commands: impl IntoIterator<Item = Command>) {
    for command in commands {
        let verdicts = ledger.execute(vec![command]).await.unwrap();
        assert!(matches!(verdicts[..], [Verdict::Booked(..)]), "{verdicts:?}");
    }
}

fn accounts() -> [Command; 3] {
    [open(1, "alice"), open(2, "bob"), deposit(3, "alice", "100000.00")]
}

/// Returns a request for a transfer that may take so many seconds.
fn transfer_within(n: u128, seconds: u64) -> Command {
    let mut command = holds::transfer(n, "alice", "bob", "1.00");
    if let Operation::Transfer(TransferOperation::Request(asked)) = &mut command.operation {
        asked.timeout_seconds = TimeoutSeconds::new(seconds).unwrap();
    }
    command
}

/// Returns when a transfer timed out, once it has.
fn timed_out(ledger: &Ledger, n: u128) -> (Timestamp, Timestamp) {
    let mut found = None;
    store::until("the deadline is recorded", || {
        let reading = store::runtime().block_on(ledger.transfer(id(n))).unwrap().unwrap();
        assert_eq!(reading.events.len(), 1 + usize::from(reading.transfer.stage == Stage::Stopping));
        found = reading.events.get(1).map(|last| last.event.recorded_at);
        found.is_some()
    });
    let reading = store::runtime().block_on(ledger.transfer(id(n))).unwrap().unwrap();
    (reading.transfer.terms.deadline_at, found.unwrap())
}

/// Guards against: a deadline that only a driver sees, one that is recorded early, and one that is forgotten in the index.
#[test]
fn a_deadline_is_recorded_once_though_nobody_drives_also_after_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_ledger(dir.path()).unwrap();
    let begin = accounts().into_iter().chain([transfer_within(30, 1), transfer_within(31, 2)]);
    store::runtime().block_on(book(&ledger, begin));
    let (deadline, recorded) = timed_out(&ledger, 30);
    assert!(recorded >= deadline, "{recorded} is before {deadline}");
    store::stop(&ledger);
    drop(ledger);
    let ledger = open_ledger(dir.path()).unwrap();
    let (deadline, recorded) = timed_out(&ledger, 31);
    assert!(recorded >= deadline, "{recorded} is before {deadline}");
    store::stop(&ledger);
}

/// Guards against: a start that forgets what it has no place for at once.
#[test]
fn more_than_may_be_driven_at_once_are_taken_up_and_all_end() {
    const MANY: u128 = 1_300;
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_ledger(dir.path()).unwrap();
    let begin = accounts().into_iter().chain((1_000..1_000 + MANY).map(|n| transfer_within(n, 3_600)));
    let runtime = store::runtime();
    runtime.block_on(book(&ledger, begin));
    let sagas = Sagas::new(ledger.clone());
    runtime.block_on(async {
        sagas::start(&sagas);
        for n in 1_000..1_000 + MANY {
            sagas.wait_for_end(id(n), Duration::from_secs(120)).await.unwrap();
            let transfer = ledger.transfer_state(id(n)).await.unwrap().unwrap();
            assert_eq!(transfer.stage, Stage::Completed);
        }
    });
    drop(sagas);
    store::stop(&ledger);
}

fn post_transfer(service: &Service, transfer: &str) -> Reply {
    let body = json!({"transaction_id": transfer, "from": "alice", "to": "bob", "amount": "1.00"});
    service.post("/v1/transfers", body.to_string())
}

/// Guards against: a client that books an ID which meets a step's key in the index, so that the step finds it or is lost.
#[test]
fn an_id_made_to_meet_the_plain_hash_of_a_steps_id_changes_nothing() {
    let service = Service::start();
    service.account("alice");
    service.account("bob");
    let transfer = fresh_id();
    for step in ["hold", "credit", "capture", "end"] {
        let hash = Sha256::digest(format!("{transfer}:{step}:1"));
        let chosen = uuid::Uuid::from_slice(&hash[..16]).unwrap();
        let deposit = json!({"transaction_id": chosen.to_string(), "amount": "1.00"});
        assert_eq!(service.post("/v1/accounts/alice/deposits", deposit.to_string()).status, 201);
        let named = format!("{transfer}:{step}:1");
        let used = json!({"transaction_id": named, "amount": "1.00"});
        assert_eq!(service.post("/v1/accounts/alice/deposits", used.to_string()).status, 400);
        let header = [("idempotency-key", named.as_str()), ("content-type", "application/json")];
        let reply = service.send("POST", "/v1/accounts/alice/deposits", &header, r#"{"amount":"1.00"}"#);
        assert_eq!(reply.status, 400);
        let reverse = json!({"transaction_id": fresh_id(), "reverses": named});
        assert_eq!(service.post("/v1/accounts/alice/reversals", reverse.to_string()).status, 400);
    }
    assert_eq!(post_transfer(&service, &transfer).status, 202);
    let ended = service.get(&format!("/v1/transfers/{transfer}?wait=30")).json();
    assert_eq!((&ended["state"], ended["steps"].as_array().unwrap().len()), (&json!("completed"), 3));
    assert_eq!(service.get("/v1/accounts/alice").json()["balance"], "103.00");
}

/// Guards against: a reader that waits on a thread, of which a runtime has half as many at most, or in a place that writes
/// need.
#[test]
fn a_thousand_who_wait_are_answered_and_keep_no_write_waiting() {
    const WAITING: usize = 1_000;
    let limits = Limits { connections: WAITING + 100, ..Limits::default() };
    let service = Service::with(Config::default(), limits, router);
    service.account("alice");
    service.account("bob");
    let ledger = service.app.ledger().clone();
    // Nobody drives it, so that its end does not come.
    store::runtime().block_on(book(&ledger, [transfer_within(30, 3_600)]));
    let request = format!(
        "GET /v1/transfers/{}?wait=5 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        id(30)
    );
    let mut waiting: Vec<_> = (0..WAITING)
        .map(|_| {
            let mut socket = service.connect();
            socket.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            socket
        })
        .collect();
    for _ in 0..50 {
        let deposit = json!({"transaction_id": fresh_id(), "amount": "1.00"});
        assert_eq!(service.post("/v1/accounts/bob/deposits", deposit.to_string()).status, 201);
    }
    for socket in &mut waiting {
        let reply = Reply::read(socket);
        assert_eq!((reply.status, &reply.json()["state"]), (200, &json!("under_way")));
    }
    for wait in ["-1", "61", "abc"] {
        assert_eq!(service.get(&format!("/v1/transfers/{}?wait={wait}", id(30))).status, 400);
    }
}

/// The clock of the tests is the machine's.
#[test]
fn a_deadline_that_is_over_needs_no_turn() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = store::open(support::options(dir.path(), system_clock()), Default::default()).unwrap();
    let runtime = store::runtime();
    runtime.block_on(book(&ledger, accounts().into_iter().chain([transfer_within(30, 1)])));
    timed_out(&ledger, 30);
    let sagas = Sagas::new(ledger.clone());
    runtime.block_on(async {
        sagas::start(&sagas);
        sagas.wait_for_end(id(30), Duration::from_secs(120)).await.unwrap();
        let transfer = ledger.transfer_state(id(30)).await.unwrap().unwrap();
        assert_eq!(transfer.stage, Stage::Compensated);
    });
    drop(sagas);
    store::stop(&ledger);
}
