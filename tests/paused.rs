//! A copy of a ledger drives nothing until an operator orders it, because its original may have gone on: no step of a
//! transfer, no timer, and no expiry but those that come before a command.
//!
//! Guards against: a restored folder that pays, a pause that a restart ends, and a pause in which clients can't cancel.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

#[path = "support/holds.rs"]
mod holds;
mod support;

use std::path::Path;

use bookonce::domain::time::system_clock;
use holds::{hold_for, transfer};
use serde_json::{Value, json};
use support::node::Node;
use support::process::{Process, Reply, bookonce, send};
use support::{deposit, id, open, options, store};

/// This is the number of the transfer that is under way when the ledger is stopped.
const OPEN: u128 = 30;

/// Books two accounts, a hold of a second, and a transfer that nobody drives.
fn seed(ledger: &bookonce::ledger::Ledger) {
    let commands = vec![
        open(1, "alice"),
        open(2, "bob"),
        deposit(3, "alice", "100.00"),
        hold_for(4, "alice", "10.00", 1),
        transfer(OPEN, "alice", "bob", "40.00"),
    ];
    // One after the other: over a store of several instances each stream is ruled on by itself.
    for command in commands {
        let verdicts = store::apart(|| store::runtime().block_on(ledger.execute(vec![command])));
        assert!(matches!(verdicts.unwrap()[..], [bookonce::ledger::Verdict::Booked(..)]));
    }
    store::stop(ledger);
}

fn get(service: &Process, path: &str) -> Value {
    let reply = send(service.address, "GET", path, "").unwrap();
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

fn post(service: &Process, path: &str, body: &Value) -> Reply {
    send(service.address, "POST", path, &body.to_string()).unwrap()
}

fn is_paused(service: &Process) -> bool {
    let figures = send(service.address, "GET", "/metrics", "").unwrap().body;
    let told = figures.contains("\nbookonce_transfers_paused 1\n");
    assert_eq!(get(service, "/v1/transfers")["paused"], told);
    assert_eq!(get(service, &format!("/v1/transfers/{}", id(OPEN)))["paused"], told);
    told
}

fn position(service: &Process) -> u64 {
    get(service, "/v1/journal/head")["position"].as_u64().unwrap()
}

fn request(n: u128) -> Value {
    json!({"transaction_id": id(n).to_string(), "from": "alice", "to": "bob", "amount": "40.00",
        "timeout_seconds": 3_600})
}

/// Starts the service and waits until it is ready.
fn start(data: &Path, place: &[&str], flag: Option<&str>) -> Process {
    let arguments: Vec<&str> = place.iter().copied().chain(flag).collect();
    let service = Process::start_with(data, &arguments, &[]).unwrap();
    let ready = || send(service.address, "GET", "/readyz", "").is_ok_and(|reply| reply.status == 200);
    store::until("the service is ready", ready);
    service
}

/// The hold of the seed is due soon, and the transfer could go on: nothing of it is booked while two seconds pass.
fn nothing_is_booked(service: &Process) {
    let before = position(service);
    let waited = get(service, &format!("/v1/transfers/{}?wait=2", id(OPEN)));
    assert_eq!((&waited["state"], &waited["steps"]), (&json!("under_way"), &json!([])));
    assert_eq!(position(service), before);
    assert!(is_paused(service));
}

/// What a client may do in a pause: ask again, read, book, cancel; and a command books first what is due on its account.
fn clients_are_served(service: &Process) {
    let refused = post(service, "/v1/transfers", &request(31));
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.body.contains("\"transfers_paused\""), "{}", refused.body);
    let again = post(service, "/v1/transfers", &request(OPEN));
    assert_eq!((again.status, again.replayed), (202, true), "{}", again.body);
    let before = position(service);
    let deposit = json!({"transaction_id": id(32).to_string(), "amount": "1.00"});
    assert_eq!(post(service, "/v1/accounts/alice/deposits", &deposit).status, 201);
    let kinds = get(service, "/v1/transactions?kind=expiry")["items"].as_array().unwrap().len();
    assert_eq!((position(service) > before, kinds), (true, 1));
}

/// Goes through a pause from its begin to its end. `first` begins it; without it the folder is paused already.
fn paused_and_resumed(data: &Path, place: &[&str], first: Option<&str>) {
    let mut service = start(data, place, first);
    nothing_is_booked(&service);
    clients_are_served(&service);
    assert_eq!(service.stop(), Some(0));
    let mut service = start(data, place, None);
    nothing_is_booked(&service);
    service.kill();
    let mut service = start(data, place, Some("--resume-transfers"));
    let ended = get(&service, &format!("/v1/transfers/{}?wait=30", id(OPEN)));
    assert_eq!(ended["state"], "completed", "{ended}");
    assert!(!is_paused(&service));
    service.kill();
    let mark: Value =
        serde_json::from_str(&std::fs::read_to_string(data.join("transfers.json")).unwrap()).unwrap();
    assert!(mark["paused"].is_null() && mark["resumed_at"].as_u64().unwrap() > 0, "{mark}");
    let service = start(data, place, None);
    assert!(!is_paused(&service));
    let taken = post(&service, "/v1/transfers", &request(31));
    assert_eq!((taken.status, taken.replayed), (202, false), "{}", taken.body);
}

#[test]
fn a_restored_ledger_pays_nothing_until_it_is_ordered() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    seed(&bookonce::ledger::Ledger::open(options(&data, system_clock())).unwrap());
    let [data, copy_text, file] =
        [data, copy.clone(), dir.path().join("export")].map(|path| path.to_str().unwrap().to_owned());
    let (code, export, complaint) = bookonce(&["export", "--data", &data]);
    assert_eq!(code, 0, "{complaint}");
    std::fs::write(&file, export).unwrap();
    let (code, said, complaint) = bookonce(&["restore", &file, "--data", &copy_text]);
    assert_eq!(code, 0, "{complaint}");
    assert!(said.contains("--resume-transfers"), "{said}");
    paused_and_resumed(&copy, &[], None);
}

#[test]
fn a_pause_that_was_ordered_outlives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    seed(&bookonce::ledger::Ledger::open(options(&data, system_clock())).unwrap());
    paused_and_resumed(&data, &[], Some("--pause-transfers"));
}

#[test]
fn an_instance_of_a_store_is_paused_by_the_mark_in_its_own_folder() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start_empty();
    let connection = node.connection_string();
    let other = options(&dir.path().join("other"), system_clock());
    seed(&store::over(other, &connection, Default::default()).unwrap());
    let data = dir.path().join("data");
    paused_and_resumed(&data, &["--store", &connection], Some("--pause-transfers"));
}

#[test]
fn a_mark_that_can_t_be_read_and_both_orders_at_once_stop_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let both = ["--pause-transfers", "--resume-transfers"];
    let said = Process::start_with(dir.path(), &both, &[]).err().unwrap();
    assert!(said.contains("--resume-transfers"), "{said}");
    std::fs::write(dir.path().join("FORMAT"), "bookonce data folder, format 1\n").unwrap();
    std::fs::write(dir.path().join("transfers.json"), "{").unwrap();
    let said = Process::start_with(dir.path(), &[], &[]).err().unwrap();
    assert!(said.contains("transfers.json"), "{said}");
}
