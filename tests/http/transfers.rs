//! These tests take transfers over sockets: from the request to each end, and bad requests.

use serde_json::{Value, json};

use crate::support::http::{Reply, Service, id};

/// Returns a service with the accounts alice and bob, each with 100.00.
fn service() -> Service {
    let service = Service::start();
    service.account("alice");
    service.account("bob");
    service
}

fn transfer(service: &Service, id: &str, to: &str, amount: &str) -> Reply {
    let body = json!({"transaction_id": id, "from": "alice", "to": to, "amount": amount});
    service.post("/v1/transfers", body.to_string())
}

/// Returns the transfer at its end.
fn end(service: &Service, id: &str) -> Value {
    let reply = service.get(&format!("/v1/transfers/{id}?wait=30"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn balances(service: &Service) -> [String; 2] {
    ["alice", "bob"].map(|account| {
        service.get(&format!("/v1/accounts/{account}")).json()["balance"].as_str().unwrap().to_owned()
    })
}

/// `@transit` is zero when no transfer is under way.
fn nothing_in_transit(service: &Service) {
    let transit = service.get("/v1/accounts/@transit");
    let told = transit.json();
    assert!(transit.status == 404 || told["balances"]["EUR"] == "0.00", "{told}");
}

#[test]
fn a_transfer_moves_once_and_its_first_answer_is_given_for_ever() {
    let service = service();
    let id = id();
    let first = transfer(&service, &id, "bob", "40.00");
    assert_eq!(first.status, 202, "{}", first.text());
    let location = format!("/v1/transfers/{id}");
    assert_eq!(first.header("location"), Some(location.as_str()));
    let ended = end(&service, &id);
    assert_eq!((&ended["state"], &ended["moved"]), (&json!("completed"), &json!("40.00")), "{ended}");
    let steps: Vec<&str> =
        ended["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["hold", "credit", "capture"]);
    assert_eq!(ended["waits_for"], Value::Null);
    let history = service.get(&format!("/v1/transactions/{id}")).json();
    assert_eq!(history["steps"], ended["steps"], "what happened to an ID has the steps, too");
    let again = transfer(&service, &id, "bob", "40.00");
    assert_eq!((again.status, &again.body), (202, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(balances(&service), ["60.00", "140.00"]);
    nothing_in_transit(&service);
    let other = transfer(&service, &id, "bob", "41.00");
    assert_eq!((other.status, other.code().as_str()), (422, "transaction_id_reused"));
    assert_eq!(service.get("/v1/trial-balance").json()["balanced"], true);
}

#[test]
fn a_transfer_that_is_not_covered_or_not_taken_moves_nothing() {
    let service = service();
    let poor = id();
    assert_eq!(transfer(&service, &poor, "bob", "100.01").status, 202);
    let ended = end(&service, &poor);
    assert_eq!((&ended["state"], &ended["code"]), (&json!("declined"), &json!("insufficient_funds")));
    let open = json!({"transaction_id": id(), "account": "carol", "currency": "EUR"});
    assert_eq!(service.post("/v1/accounts", open.to_string()).status, 201);
    let close = json!({"transaction_id": id(), "reason": "done"});
    assert_eq!(service.post("/v1/accounts/carol/close", close.to_string()).status, 201);
    let closed = id();
    assert_eq!(transfer(&service, &closed, "carol", "1.00").status, 202);
    let ended = end(&service, &closed);
    assert_eq!(
        (&ended["state"], &ended["code"]),
        (&json!("compensated"), &json!("account_closed")),
        "{ended}"
    );
    assert_eq!(balances(&service), ["100.00", "100.00"]);
    assert_eq!(service.get("/v1/accounts/alice").json()["available"], "100.00");
    nothing_in_transit(&service);
}

#[test]
fn a_cancel_after_the_end_is_declined_and_recorded() {
    let service = service();
    let moved = id();
    assert_eq!(transfer(&service, &moved, "bob", "1.00").status, 202);
    end(&service, &moved);
    let cancel = json!({"transaction_id": id(), "reason": "changed my mind"});
    let path = format!("/v1/transfers/{moved}/cancel");
    let reply = service.post(&path, cancel.to_string());
    assert_eq!((reply.status, reply.code().as_str()), (402, "transfer_ended"));
    assert_eq!(reply.json()["state"], "completed");
    assert_eq!(service.post(&path, cancel.to_string()).body, reply.body);
    let unknown = service.post(
        &format!("/v1/transfers/{}/cancel", id()),
        json!({"transaction_id": id(), "reason": "x"}).to_string(),
    );
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "transfer_not_found"));
    let acts = end(&service, &moved)["acts"].clone();
    assert_eq!(acts[0]["code"], "transfer_ended", "{acts}");
}

#[test]
fn a_request_that_is_wrong_is_refused_and_leaves_nothing() {
    let service = service();
    let before = service.state();
    for (to, status, code) in [
        ("@cash", 400, "invalid_request"),
        ("@transit", 400, "invalid_request"),
        ("@external:", 400, "invalid_request"),
        ("@external:acme", 400, "invalid_request"),
        ("alice", 400, "invalid_request"),
        ("nobody", 404, "account_not_found"),
    ] {
        let reply = transfer(&service, &id(), to, "1.00");
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{to}");
    }
    for seconds in ["\"60\"", "0", "-1", "1.5", "1e3", "604801"] {
        let body = format!(
            r#"{{"transaction_id":"{}","from":"alice","to":"bob","amount":"1.00","timeout_seconds":{seconds}}}"#,
            id()
        );
        let reply = service.post("/v1/transfers", body);
        assert_eq!((reply.status, reply.fields()), (400, vec!["timeout_seconds".to_owned()]), "{seconds}");
    }
    let step = format!("{}:hold:1", id());
    assert_eq!(transfer(&service, &step, "bob", "1.00").status, 400);
    for wait in ["-1", "61", "abc"] {
        assert_eq!(service.get(&format!("/v1/transfers/{}?wait={wait}", id())).status, 400, "{wait}");
    }
    assert_eq!(service.get(&format!("/v1/transfers/{}", id())).code(), "transfer_not_found");
    assert_eq!(service.state(), before);
}

#[test]
fn both_directions_at_once_and_a_batch_all_end() {
    let service = service();
    let ids: Vec<String> = (0..20).map(|_| id()).collect();
    let line = |(place, id): (usize, &String)| {
        let (from, to) = if place % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        json!({"op": "transfer", "transaction_id": id, "from": from, "to": to, "amount": "3.00"}).to_string()
    };
    let lines: Vec<String> = ids.iter().enumerate().map(line).collect();
    let answers = service.batch(&lines);
    assert!(answers.iter().all(|answer| answer["status"] == 202), "{answers:?}");
    for id in &ids {
        assert_eq!(end(&service, id)["state"], "completed");
    }
    assert_eq!(balances(&service), ["100.00", "100.00"]);
    let page = service.get("/v1/transfers?limit=7&account=bob&state=completed").json();
    assert_eq!(page["items"].as_array().unwrap().len(), 7);
    let next = page["next"].as_str().unwrap();
    let rest =
        service.get(&format!("/v1/transfers?limit=20&account=bob&state=completed&cursor={next}")).json();
    let items = [&page, &rest].map(|page| page["items"].as_array().unwrap().clone()).concat();
    let listed: Vec<&str> = items.iter().map(|item| item["transfer"].as_str().unwrap()).collect();
    // Lines of a batch on several streams of EventStoreDB have no order among each other.
    let journal = service.send("GET", "/v1/journal?limit=1000", &[("accept", "application/x-ndjson")], "");
    let requested = |id: &&str| journal.text().find(&format!("transfer-{id}"));
    assert!(listed.iter().map(requested).is_sorted_by(|newer, older| newer > older), "{listed:?}");
    let (mut listed, mut asked) = (listed, ids.iter().map(String::as_str).collect::<Vec<_>>());
    listed.sort_unstable();
    asked.sort_unstable();
    assert_eq!(listed, asked);
    let found = service.get("/v1/transactions?kind=transfer_end").json();
    assert_eq!(found["items"].as_array().unwrap().len(), 20);
    let metrics = service.get("/metrics");
    assert!(
        metrics.text().contains("bookonce_transfers_ended_total{end=\"completed\"} 20"),
        "{}",
        metrics.text()
    );
}
