//! These tests refuse what is wrong with holds and transfers, and look that nothing changes: rows 35, 38 and 39 of bad input.

use bookonce::domain::command::{Command, Operation};
use bookonce::domain::ids::TransactionId;
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::WrittenAmount;
use bookonce::domain::payee::Payee;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::system_clock;
use bookonce::domain::transfer::command::{Requesting, TimeoutSeconds, TransferOperation};
use bookonce::ledger::Verdict;
use serde_json::{Value, json};

use crate::support::http::{Reply, Service, id};
use crate::support::{command, name, store};

fn told(reply: &Reply) -> (u16, String) {
    (reply.status, reply.code())
}

/// A hold is past its time, and nothing has booked its expiry: the service books none of its own accord. A capture finds it
/// expired, and the expiry stands before the decline.
#[test]
fn row_35_a_capture_of_a_hold_past_its_time_finds_it_expired() {
    let service = Service::paused();
    service.account("alice");
    let hold = id();
    let body = json!({"transaction_id": hold, "amount": "40.00", "expires_in_seconds": 1}).to_string();
    let placed = service.post("/v1/accounts/alice/holds", body);
    assert_eq!(placed.status, 201, "{}", placed.text());
    let expires_at = placed.json()["expires_at"].as_str().unwrap().to_owned();
    store::until("its time has come", || system_clock()().to_string() > expires_at);
    assert_eq!(service.get(&format!("/v1/accounts/alice/holds/{hold}")).json()["state"], "open");
    let capture = json!({"transaction_id": id()}).to_string();
    let path = format!("/v1/accounts/alice/holds/{hold}/capture");
    let declined = service.post(&path, capture.as_str());
    assert_eq!(told(&declined), (402, "hold_expired".to_owned()), "{}", declined.text());
    assert_eq!(declined.json()["available"], "100.00");
    let again = service.post(&path, capture.as_str());
    assert_eq!((again.status, &again.body), (402, &declined.body));
    let journal = service.get("/v1/journal?after=0&limit=1000").json();
    let types = journal["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
    let types: Vec<&str> = types.collect();
    assert_eq!(types[types.len() - 2..], ["HoldExpired", "Declined"], "{types:?}");
}

/// A service with alice and bob in euros and yen in yen.
fn service() -> Service {
    let service = Service::start();
    service.account("alice");
    service.account("bob");
    let open = json!({"transaction_id": id(), "account": "yen", "currency": "JPY"}).to_string();
    assert_eq!(service.post("/v1/accounts", open).status, 201);
    service
}

#[test]
fn row_38_a_transfer_that_can_not_be_is_refused_and_leaves_nothing() {
    let service = service();
    let before = service.state();
    let refused = |from: &str, to: &str| {
        let body = json!({"transaction_id": id(), "from": from, "to": to, "amount": "1"}).to_string();
        told(&service.post("/v1/transfers", body))
    };
    let invalid = (400, "invalid_request".to_owned());
    let unknown = (404, "account_not_found".to_owned());
    for not_an_account in
        ["@cash", "@transit", "@corrections", "@external:acme", "@external:", "", "a b", "../x"]
    {
        assert_eq!(refused(not_an_account, "bob"), invalid, "from {not_an_account:?}");
        assert_eq!(refused("alice", not_an_account), invalid, "to {not_an_account:?}");
    }
    assert_eq!(refused("alice", "alice"), invalid);
    assert_eq!(refused("nobody", "nobody"), invalid);
    assert_eq!(refused("alice", "nobody"), unknown);
    assert_eq!(refused("nobody", "bob"), unknown);
    assert_eq!(refused("alice", "yen"), invalid);
    assert_eq!(refused("yen", "bob"), invalid);
    let line = |from: &str, to: &str| {
        json!({"op": "transfer", "transaction_id": id(), "from": from, "to": to, "amount": "1"}).to_string()
    };
    let lines = service.batch(&[line("alice", "@cash"), line("alice", "nobody"), line("alice", "yen")]);
    let codes: Vec<&Value> = lines.iter().map(|line| &line["body"]["code"]).collect();
    assert_eq!(codes, ["invalid_request", "account_not_found", "invalid_request"]);
    assert_eq!(service.state(), before);
}

/// Records a transfer of 1.00 past the handlers, and returns its ID.
fn nobody_drives(service: &Service) -> String {
    let transfer = TransactionId::parse(&id()).unwrap();
    let asking = Requesting {
        from: name("alice"),
        to: Payee::Account(name("bob")),
        amount: WrittenAmount::parse("1.00").unwrap(),
        timeout_seconds: TimeoutSeconds::default(),
        metadata: Metadata::default(),
    };
    let operation = Operation::Transfer(TransferOperation::Request(Box::new(asking)));
    let stream = StreamName::Transfer(transfer);
    let asked = Command { id: transfer.into(), stream, ..command(1, "alice", operation) };
    let ledger = service.app.ledger();
    let verdicts = store::runtime().block_on(ledger.execute(vec![asked])).unwrap();
    assert!(matches!(verdicts[..], [Verdict::Booked(..)]), "{verdicts:?}");
    transfer.to_string()
}

/// What may be asked of a transfer, and the fields of it.
fn acts() -> [(&'static str, Value); 4] {
    [
        ("cancel", json!({"reason": "r"})),
        ("outcome", json!({"outcome": "done", "reason": "r"})),
        ("retry", json!({"reason": "r"})),
        ("abandon", json!({"reason": "r"})),
    ]
}

fn act(service: &Service, transfer: &str, act: &str, mut fields: Value) -> Reply {
    fields["transaction_id"] = id().into();
    service.post(&format!("/v1/transfers/{transfer}/{act}"), fields.to_string())
}

#[test]
fn row_39_what_can_not_be_asked_of_a_transfer_is_refused_or_declined() {
    let service = service();
    let before = service.state();
    for (what, fields) in acts() {
        assert_eq!(
            told(&act(&service, &id(), what, fields.clone())),
            (404, "transfer_not_found".to_owned()),
            "{what}"
        );
        for named in ["x", "00000000-0000-0000-0000-000000000000", &format!("{}:hold:1", id())] {
            assert_eq!(act(&service, named, what, fields.clone()).status, 400, "{what} of {named}");
        }
        let mut without = fields;
        without.as_object_mut().unwrap().remove("reason");
        assert_eq!(act(&service, &id(), what, without).fields(), ["reason"], "{what}");
    }
    for fields in [
        json!({"outcome": "declined", "amount": "1.00", "reason": "r"}),
        json!({"outcome": "working", "reason": "r"}),
        json!({"reason": "r"}),
        json!({"outcome": "done", "amount": 1, "reason": "r"}),
    ] {
        assert_eq!(act(&service, &id(), "outcome", fields.clone()).status, 400, "{fields}");
    }
    assert_eq!(service.state(), before);
}

#[test]
fn row_39_an_ended_transfer_and_one_between_accounts_say_no() {
    let service = service();
    let moved = id();
    let body = json!({"transaction_id": moved, "from": "alice", "to": "bob", "amount": "1.00"}).to_string();
    assert_eq!(service.post("/v1/transfers", body).status, 202);
    assert_eq!(service.get(&format!("/v1/transfers/{moved}?wait=30")).json()["state"], "completed");
    for (what, fields) in acts() {
        let reply = act(&service, &moved, what, fields);
        assert_eq!(told(&reply), (402, "transfer_ended".to_owned()), "{what}");
        assert_eq!(reply.json()["state"], "completed");
    }
    // Nobody drives what was recorded past the service's handlers, so that it stays under way.
    let open = nobody_drives(&service);
    for (what, fields) in acts().into_iter().skip(1) {
        let reply = act(&service, &open, what, fields);
        assert_eq!(told(&reply), (402, "wrong_state".to_owned()), "{what}: {}", reply.text());
        assert_eq!(reply.json()["state"], "under_way");
    }
    // The cancel is taken, and lets the service drive it.
    let cancel = act(&service, &open, "cancel", json!({"reason": "r"}));
    assert_eq!(cancel.status, 202, "{}", cancel.text());
    assert_eq!(service.get(&format!("/v1/transfers/{open}?wait=30")).json()["state"], "cancelled");
    assert_eq!(service.get("/v1/trial-balance").json()["balanced"], true);
}
