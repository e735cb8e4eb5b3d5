//! What an operator sees of destinations over HTTP, and does to them: the real program with a receiver beside it.

use serde_json::{Value, json};

use crate::program::{Home, deposit, open};
use crate::receiver::{Does, Receiver};
use crate::running::one;
use crate::support::process::{Process, send};
use crate::support::store;

pub fn read(service: &Process, path: &str) -> Value {
    let reply = send(service.address, "GET", path, "").unwrap();
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

pub fn destination(service: &Process, name: &str) -> Value {
    read(service, &format!("/v1/destinations/{name}"))
}

/// Guards against: a destination that is shown as it is not, and a lag that counts what the service records of its progress.
#[test]
fn a_destination_is_shown_as_it_stands() {
    if store::is_eventstoredb() {
        return;
    }
    let receiver = Receiver::start(|arrival, _| match (arrival.subject.as_str(), arrival.revision) {
        ("account-alice", 1..) => Does::Answers(422, None),
        ("account-bob", 1) => Does::Answers(400, None),
        _ => Does::Takes,
    });
    let settings =
        one("crm", &receiver, "at_least_once", "retry = ['1h']\n[destinations.crm.select]\naccounts = ['*']")
            + &one("gone", &receiver, "at_least_once", "removed = true")
            + &one("sms", &receiver, "at_most_once", "");
    let home = Home::new(&settings);
    let mut service = home.serve("data", &[]).unwrap();
    open(&service, "alice");
    open(&service, "bob");
    (0..3).for_each(|_| deposit(&service, "alice"));
    deposit(&service, "bob");
    let is_done = |name: &str, parked: u64| {
        let shown = destination(&service, name);
        shown["lag_events"] == 0 && shown["in_flight"] == 0 && shown["parked"] == parked
    };
    store::until("crm has passed all", || is_done("crm", 2));
    store::until("sms has passed all", || is_done("sms", 0));
    let shown = destination(&service, "crm");
    for (member, value) in [
        ("name", json!("crm")),
        ("kind", json!("webhook")),
        ("target", json!(format!("http://{}/", receiver.address))),
        ("guarantee", json!("at_least_once")),
        ("order", json!("account")),
        ("select", json!({"accounts": ["*"]})),
        ("state", json!("serving")),
        ("reason", Value::Null),
        ("lag_seconds", json!(0)),
        ("held_accounts", json!(2)),
        ("dead_letters_open", json!(0)),
        ("redelivery", Value::Null),
        ("term", json!(1)),
    ] {
        assert_eq!(shown[member], value, "{member}: {shown}");
    }
    assert!(
        shown["instance"].is_string() && shown["since"].is_string() && shown["last_delivered_at"].is_string()
    );
    assert!(shown["next_attempt_at"].is_string() && shown["oldest_parked_at"].is_string(), "{shown}");
    let code = &shown["last_error"]["code"];
    assert!(code == "422" || code == "400", "{shown}");
    // What is parked is shown as it is recorded, which may be a second later.
    let of_alice = || read(&service, "/v1/destinations/crm/parked")["items"][0].clone();
    store::until("the later ones wait", || of_alice()["waiting_behind"] == 2);
    let parked = read(&service, "/v1/destinations/crm/parked?limit=1");
    let first = &parked["items"][0];
    assert_eq!(
        (&first["stream"], &first["revision"], &first["attempts"]),
        (&json!("account-alice"), &json!(1), &json!(1))
    );
    assert_eq!((&first["error"]["class"], &first["error"]["code"]), (&json!("http_status"), &json!("422")));
    let next = parked["next"].as_str().unwrap();
    let rest = read(&service, &format!("/v1/destinations/crm/parked?cursor={next}"));
    assert_eq!((&rest["items"][0]["stream"], &rest["next"]), (&json!("account-bob"), &Value::Null), "{rest}");
    let letters = destination(&service, "sms")["dead_letters_open"].clone();
    assert_eq!(letters, 4, "at most once what is refused is a letter at once");
    let all = read(&service, "/v1/destinations");
    let names: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["crm", "sms"], "what was never set up is not there");
    for (path, status, code) in [
        ("/v1/destinations/nobody", 404, "destination_not_found"),
        ("/v1/destinations/nobody/parked", 404, "destination_not_found"),
        ("/v1/destinations/CRM", 400, "invalid_request"),
        ("/v1/destinations?limit=0", 400, "invalid_request"),
        ("/v1/destinations/crm?limit=1", 400, "invalid_request"),
    ] {
        let reply = send(service.address, "GET", path, "").unwrap();
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((reply.status, &body["code"]), (status, &json!(code)), "{path}");
    }
    assert_eq!(service.stop(), Some(0));

    // It is missing now: it is paused, and what is booked meanwhile is its lag.
    std::fs::write(home.path("bookonce.toml"), one("sms", &receiver, "at_most_once", "")).unwrap();
    let mut service = home.serve("data", &["--pause-messages"]).unwrap();
    deposit(&service, "bob");
    let shown = destination(&service, "crm");
    assert_eq!(
        (&shown["state"], &shown["reason"], &shown["lag_events"]),
        (&json!("paused"), &json!("missing"), &json!(1))
    );
    assert_eq!((&shown["parked"], &shown["held_accounts"]), (&json!(2), &json!(2)));
    assert_eq!(destination(&service, "sms")["state"], "held");
    assert_eq!(service.stop(), Some(0));
}

/// Guards against: a destination whose receiver is away and that is not shown as down.
#[test]
fn a_destination_whose_receiver_is_away_is_down_until_a_success() {
    if store::is_eventstoredb() {
        return;
    }
    let receiver = Receiver::start(|_, _| Does::Takes);
    let (home, address) = (Home::new(&one("crm", &receiver, "at_least_once", "")), receiver.address);
    drop(receiver);
    let mut service = home.serve("data", &[]).unwrap();
    open(&service, "alice");
    store::until("it is down", || destination(&service, "crm")["state"] == "down");
    let shown = destination(&service, "crm");
    assert_eq!((&shown["lag_events"], &shown["parked"]), (&json!(1), &json!(0)), "{shown}");
    assert_eq!(shown["last_error"]["class"], "no_answer");
    let back = Receiver::start_at(address, |_, _| Does::Takes);
    store::until("it is back", || destination(&service, "crm")["state"] == "serving");
    store::until("all is done", || destination(&service, "crm")["lag_events"] == 0);
    assert_eq!(back.taken().len(), 1);
    assert_eq!(service.stop(), Some(0));
}
