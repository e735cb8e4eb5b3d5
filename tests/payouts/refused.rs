//! Transfers to providers that this service is not set up with, and a slow provider beside a quick one.

use serde_json::json;

use crate::counter::Counter;
use crate::support::http::id;
use crate::support::provider::Does;

#[test]
fn a_provider_that_is_not_set_up_is_refused_after_the_id_and_the_account() {
    let counter = Counter::start("same_key", "", "");
    let before = counter.service.state();
    for (to, from, status, code) in [
        ("@external:", "alice", 400, "invalid_request"),
        ("@external:other", "alice", 400, "invalid_request"),
        ("@external:other", "nobody", 404, "account_not_found"),
        ("@external:atm", "nobody", 404, "account_not_found"),
    ] {
        let body = json!({"transaction_id": id(), "from": from, "to": to, "amount": "1.00"});
        let reply = counter.service.post("/v1/transfers", body.to_string());
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{to} {from}");
    }
    assert_eq!(counter.service.state(), before);
    let known = id();
    let body = json!({"transaction_id": known, "from": "alice", "to": "@external:atm", "amount": "1.00"});
    assert_eq!(counter.service.post("/v1/transfers", body.to_string()).status, 202);
    let body = json!({"transaction_id": known, "from": "alice", "to": "@external:other", "amount": "1.00"});
    let reply = counter.service.post("/v1/transfers", body.to_string());
    assert_eq!((reply.status, reply.code().as_str()), (422, "transaction_id_reused"));
}

/// Guards against: calls that take more places than the provider may have.
#[test]
fn a_provider_gets_so_many_calls_at_once() {
    let counter = Counter::start("never", "", "at_once = 2\ntimeout_seconds = 30\n");
    counter.service.account("bob");
    counter.provider.pays([Does::Wait, Does::Wait, Does::Pay, Does::Pay]);
    let request = |from: &str| {
        let id = id();
        let body = json!({"transaction_id": id, "from": from, "to": "@external:atm", "amount": "10.00"});
        assert_eq!(counter.service.post("/v1/transfers", body.to_string()).status, 202);
        id
    };
    let ids = ["alice", "alice", "bob", "bob"].map(request);
    counter.provider.until("POST /pay", 2);
    // What waits for a place has recorded nothing yet, so that it can still be stopped.
    let states: Vec<_> = ids.iter().map(|id| counter.now(id)["state"].clone()).collect();
    assert!(states.iter().filter(|state| **state == "paying").count() <= 2, "{states:?}");
    counter.provider.go_on();
    for id in &ids {
        assert_eq!(counter.end(id)["state"], "completed");
    }
    counter.check();
}
