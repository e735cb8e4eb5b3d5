//! These tests hold the contract of writes, over real sockets: an ID makes one event, and gets the first answer for
//! ever.

use crate::support::http::{Reply, Service, id};
use serde_json::{Value, json};

fn withdraw(service: &Service, amount: &str) -> Reply {
    let body = format!(r#"{{"transaction_id":"{}","amount":"{amount}"}}"#, id());
    service.post("/v1/accounts/alice/withdrawals", body)
}

#[test]
fn a_withdrawal_is_booked_once_and_answered_alike() {
    let service = Service::start();
    service.account("alice");
    let id = id();
    let first = service
        .post("/v1/accounts/alice/withdrawals", format!(r#"{{"transaction_id":"{id}","amount":"40"}}"#));
    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(first.json()["balance"], "60.00");
    assert_eq!(first.header("content-type"), Some("application/json"));
    let third = service.position(3).to_string();
    assert_eq!(first.header("bookonce-position"), Some(third.as_str()));
    assert_eq!(first.header("idempotent-replayed"), None);
    let written_differently = format!(
        " {{ \"amount\" : \"40.00\", \"counter_account\":\"@cash\", \"transaction_id\":\"{}\" }} ",
        id.to_uppercase()
    );
    let again = service.post("/v1/accounts/alice/withdrawals", written_differently);
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("bookonce-position"), Some(third.as_str()));
    assert_eq!(service.get(&format!("/v1/accounts/alice?min_position={third}")).json()["balance"], "60.00");
}

#[test]
fn a_decline_is_a_first_answer_too() {
    let service = Service::start();
    service.account("alice");
    let body = format!(r#"{{"transaction_id":"{}","amount":"500"}}"#, id());
    let first = service.post("/v1/accounts/alice/withdrawals", &body);
    assert_eq!((first.status, first.code().as_str()), (402, "insufficient_funds"));
    assert_eq!(first.json()["recorded"], true);
    let rich = format!(r#"{{"transaction_id":"{}","amount":"1000"}}"#, id());
    assert_eq!(service.post("/v1/accounts/alice/deposits", rich).status, 201);
    let again = service.post("/v1/accounts/alice/withdrawals", &body);
    assert_eq!((again.status, again.text()), (402, first.text()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

/// Guards against: declines and retries that nobody sees until a customer calls.
#[test]
fn declines_and_retries_are_counted() {
    let service = Service::start();
    service.account("alice");
    let body = format!(r#"{{"transaction_id":"{}","amount":"500"}}"#, id());
    for _ in 0..3 {
        assert_eq!(service.post("/v1/accounts/alice/withdrawals", &body).status, 402);
    }
    let line = format!(r#"{{"op":"withdraw","transaction_id":"{}","account":"alice","amount":"500"}}"#, id());
    assert_eq!(service.batch(&[line])[0]["status"], 402);
    let open = [("accept", "application/openmetrics-text")];
    let open = service.send("GET", "/metrics", &open, "");
    assert!(open.header("content-type").unwrap().starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(open.text().ends_with("# EOF\n"));
    let figures = service.get("/metrics");
    assert!(figures.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    for line in [
        "bookonce_declines_total{code=\"insufficient_funds\"} 2",
        "bookonce_declines_total{code=\"prevented\"} 0",
        "bookonce_replays_total 2",
        "bookonce_events_total 4",
        "bookonce_commits_total 4",
        "bookonce_commit_seconds_count 4",
        concat!("bookonce_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
    ] {
        assert!(figures.text().lines().any(|shown| shown == line), "{line}: {}", figures.text());
    }
    let free = figures.text().lines().find_map(|line| line.strip_prefix("bookonce_disk_free_bytes "));
    assert!(free.unwrap().parse::<u64>().unwrap() > 0);
}

#[test]
fn the_id_may_come_in_a_header() {
    let service = Service::start();
    service.account("alice");
    let id = id();
    let send = |key: &str, body: String| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        service.send("POST", "/v1/accounts/alice/withdrawals", &headers, body)
    };
    let first = send(&id, r#"{"amount":"1"}"#.to_owned());
    assert_eq!(first.status, 201);
    let quoted = send(&format!("\"{id}\""), r#"{"amount":"1"}"#.to_owned());
    let both = send(&id, format!(r#"{{"transaction_id":"{id}","amount":"1"}}"#));
    for again in [quoted, both] {
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
}

#[test]
fn where_a_command_comes_from_is_kept_and_not_compared() {
    let service = Service::start();
    service.account("alice");
    let id = id();
    let send = |correlation: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("correlation-id", correlation),
            ("causation-id", "message-7"),
        ];
        let body = format!(r#"{{"transaction_id":"{id}","amount":"1"}}"#);
        service.send("POST", "/v1/accounts/alice/deposits", &headers, body)
    };
    assert_eq!(send("order-1").status, 201);
    assert_eq!(send("order-2").header("idempotent-replayed"), Some("true"));
    let shown = service.get(&format!("/v1/transactions/{id}")).json();
    assert_eq!(shown["correlation_id"], "order-1");
    assert_eq!(shown["causation_id"], "message-7");
    assert_eq!(shown["actor"], "loopback");
}

#[test]
fn a_reversal_offsets_and_a_prevention_rules_out() {
    let service = Service::start();
    service.account("alice");
    let taken = withdraw(&service, "40").json()["transaction_id"].as_str().unwrap().to_owned();
    let reverse = |reverses: &str| {
        let body = json!({"transaction_id": id(), "reverses": reverses, "reason": "wrong machine"});
        service.post("/v1/accounts/alice/reversals", body.to_string())
    };
    assert_eq!(reverse(&taken).json()["balance"], "100.00");
    let shown = service.get(&format!("/v1/transactions/{taken}")).json();
    assert_eq!(shown["outcome"], "accepted");
    assert_eq!(shown["first_answer"]["body"]["balance"], "60.00");
    assert_eq!(shown["reversals"][0]["kind"], "reversal");
    let never = id();
    assert_eq!(reverse(&never).json()["kind"], "prevention");
    let shown = service.get(&format!("/v1/transactions/{never}")).json();
    assert_eq!(
        (shown["outcome"].as_str(), shown["reversals"][0]["kind"].as_str()),
        (Some("ruled_out"), Some("prevention"))
    );
    let late = format!(r#"{{"transaction_id":"{never}","amount":"1"}}"#);
    assert_eq!(service.post("/v1/accounts/alice/withdrawals", late).code(), "prevented");
    let own = id();
    let body = json!({"transaction_id": own, "reverses": own, "reason": "r"});
    assert_eq!(service.post("/v1/accounts/alice/reversals", body.to_string()).fields(), ["reverses"]);
    let body = json!({"transaction_id": id(), "reverses": id(), "reason": "r", "amount": "1"});
    let partial = service.post("/v1/accounts/alice/reversals", body.to_string());
    assert_eq!((partial.status, partial.code().as_str()), (404, "transaction_not_found"));
}

#[test]
fn an_account_has_a_life() {
    let service = Service::start();
    service.account("alice");
    let because = || json!({"transaction_id": id(), "reason": "asked by phone"}).to_string();
    let post = |what: &str| service.post(&format!("/v1/accounts/alice/{what}"), because());
    assert_eq!(post("close").code(), "account_not_empty");
    assert_eq!(post("freeze").json()["status"], "frozen");
    assert_eq!(withdraw(&service, "1").code(), "account_frozen");
    assert_eq!(post("unfreeze").json()["status"], "open");
    assert_eq!(withdraw(&service, "100").status, 201);
    assert_eq!(post("close").json()["status"], "closed");
    assert_eq!(withdraw(&service, "1").code(), "account_closed");
    let again = json!({"transaction_id": id(), "account": "alice", "currency": "EUR"}).to_string();
    let exists = service.post("/v1/accounts", again);
    assert_eq!((exists.status, exists.code().as_str()), (409, "account_exists"));
}

#[test]
fn a_batch_answers_line_by_line() {
    let service = Service::start();
    let (opening, twice) = (id(), id());
    let lines = [
        json!({"op": "open_account", "transaction_id": opening, "account": "bob", "currency": "EUR"}),
        json!({"op": "deposit", "transaction_id": twice, "account": "bob", "amount": "10"}),
        json!({"op": "deposit", "transaction_id": twice, "account": "bob", "amount": "10"}),
        json!({"op": "withdraw", "transaction_id": id(), "account": "bob", "amount": "11"}),
        json!({"op": "withdraw", "transaction_id": id(), "account": "bob", "amount": 1}),
        json!({"op": "hoard", "transaction_id": id(), "account": "bob", "amount": "1"}),
        json!({"op": "withdraw", "account": "bob", "amount": "1"}),
        json!({"op": "withdraw", "transaction_id": id(), "account": "nobody", "amount": "1"}),
        json!({"op": "withdraw", "transaction_id": twice, "account": "bob", "amount": "1"}),
        json!({"op": "reverse", "transaction_id": id(), "account": "bob", "reverses": twice, "reason": "r"}),
    ];
    let mut lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    lines.insert(4, "{broken".to_owned());
    let answers = service.batch(&lines);
    let told: Vec<_> = answers
        .iter()
        .map(|answer| {
            let body = &answer["body"];
            let text = body["code"].as_str().or(body["kind"].as_str()).unwrap().to_owned();
            (answer["status"].as_u64().unwrap(), answer["replayed"].as_bool().unwrap(), text)
        })
        .collect();
    let expected = [
        (201, false, "opening"),
        (201, false, "deposit"),
        (201, true, "deposit"),
        (402, false, "insufficient_funds"),
        (400, false, "malformed_json"),
        (400, false, "invalid_request"),
        (400, false, "invalid_request"),
        (400, false, "transaction_id_missing"),
        (404, false, "account_not_found"),
        (422, false, "transaction_id_reused"),
        (201, false, "reversal"),
    ];
    for (told, (status, replayed, text)) in told.iter().zip(expected) {
        assert_eq!(*told, (status, replayed, text.to_owned()));
    }
    assert_eq!(answers[2]["body"], answers[1]["body"]);
    assert_eq!(answers[5]["body"]["errors"][0]["field"], "amount");
    assert_eq!(answers[6]["body"]["errors"][0]["field"], "op");
}

#[test]
fn every_answer_of_a_write_says_where_the_journal_is() {
    let service = Service::start();
    service.account("alice");
    let used = id();
    let body = format!(r#"{{"transaction_id":"{used}","amount":"1"}}"#);
    let reply = service.post("/v1/accounts/alice/deposits", body);
    let third = service.position(3).to_string();
    let third = Some(third.as_str());
    assert_eq!(reply.header("bookonce-position"), third);
    let other = format!(r#"{{"transaction_id":"{used}","amount":"2"}}"#);
    let unknown = format!(r#"{{"transaction_id":"{}","amount":"2"}}"#, id());
    let exists = format!(r#"{{"transaction_id":"{}","account":"alice","currency":"EUR"}}"#, id());
    for (status, path, body) in [
        (422, "/v1/accounts/alice/deposits", other),
        (404, "/v1/accounts/nobody/deposits", unknown),
        (409, "/v1/accounts", exists),
    ] {
        let reply = service.post(path, body);
        assert_eq!((reply.status, reply.header("bookonce-position")), (status, third), "{path}");
    }
    let line = format!(r#"{{"op":"deposit","account":"nobody","transaction_id":"{}","amount":"2"}}"#, id());
    let reply = service.send("POST", "/v1/batch", &[("content-type", "application/x-ndjson")], line);
    assert_eq!((reply.status, reply.header("bookonce-position")), (200, third));
}
