//! The contract of writes and reads, over real sockets.

mod support;

use serde_json::{Value, json};
use support::{Reply, Service, id};

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
    assert_eq!(first.header("bookonce-position"), Some("3"));
    assert_eq!(first.header("idempotent-replayed"), None);
    let written_differently = format!(
        " {{ \"amount\" : \"40.00\", \"counter_account\":\"@cash\", \"transaction_id\":\"{}\" }} ",
        id.to_uppercase()
    );
    let again = service.post("/v1/accounts/alice/withdrawals", written_differently);
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("bookonce-position"), Some("3"));
    assert_eq!(service.get("/v1/accounts/alice?min_position=3").json()["balance"], "60.00");
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
        json!({"op": "hold", "transaction_id": id(), "account": "bob", "amount": "1"}),
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
fn balances_can_be_read_as_they_were() {
    let service = Service::start();
    service.account("alice");
    withdraw(&service, "40");
    let at = |query: &str| service.get(&format!("/v1/accounts/alice?{query}"));
    assert_eq!(at("at_position=2").json()["balance"], "100.00");
    let several = at("at_position=0&at_position=1&at_position=3").json();
    let told = |place: usize, field: &str| several["items"][place][field].as_str().unwrap().to_owned();
    assert_eq!(told(0, "status"), "unopened");
    assert_eq!((told(1, "balance"), told(2, "balance")), ("0.00".to_owned(), "60.00".to_owned()));
    assert_eq!(several["items"][2]["at_position"], 3);
    assert_eq!(at("as_of=2000-01-01T00:00:00Z").code(), "account_not_found");
    assert_eq!(at("known_at=2100-01-01T00:00:00+01:00").json()["balance"], "60.00");
    let cash = service.get("/v1/accounts/@cash").json();
    assert_eq!(cash["balances"], json!({"EUR": "-60.00"}));
    assert!(cash.get("balance").is_none());
    let trial = service.get("/v1/trial-balance").json();
    assert_eq!(trial["balanced"], true);
    assert_eq!(trial["totals"][1], json!({"kind": "@cash", "currency": "EUR", "total": "-60.00"}));
}

#[test]
fn lists_go_on_where_they_ended_while_new_ones_come() {
    let service = Service::start();
    service.account("alice");
    for _ in 0..5 {
        withdraw(&service, "1");
    }
    for (list, expected) in [
        ("/v1/accounts/alice/entries?order=newest&limit=3", vec![7, 6, 5, 4, 3, 2, 1]),
        ("/v1/transactions?account=alice&kind=withdrawal&outcome=accepted&limit=2", vec![7, 6, 5, 4, 3]),
    ] {
        let before = service.get("/v1/journal/head").json()["position"].as_u64().unwrap() - 7;
        let mut seen = Vec::new();
        let mut next = String::new();
        loop {
            let page = service.get(&format!("{list}{next}")).json();
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["position"].as_u64().unwrap()));
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => break,
            }
            withdraw(&service, "1");
        }
        let seen: Vec<u64> = seen.into_iter().filter(|position| *position <= 7).collect();
        assert_eq!(seen, expected, "{list} after {before} more");
    }
    service.account("bob");
    let first = service.get("/v1/accounts?limit=1").json();
    assert_eq!(first["items"][0]["account"], "alice");
    let rest =
        service.get(&format!("/v1/accounts?limit=1&cursor={}", first["next"].as_str().unwrap())).json();
    assert_eq!((rest["items"][0]["account"].as_str(), rest["next"].as_str()), (Some("bob"), None));
}

#[test]
fn a_statement_as_csv() {
    let service = Service::start();
    service.account("alice");
    withdraw(&service, "40");
    withdraw(&service, "400");
    let freeze = json!({"transaction_id": id(), "reason": "=cmd|'/c calc'!A1"}).to_string();
    assert_eq!(service.post("/v1/accounts/alice/freeze", freeze).status, 201);
    let path = "/v1/accounts/alice/entries?order=oldest";
    let reply = service.send("GET", path, &[("accept", "text/csv")], "");
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let mut shown = String::new();
    for line in reply.text().split("\r\n") {
        let mut cells: Vec<&str> = line.split(',').collect();
        for place in [1, 2, 3] {
            if let Some(cell) = cells.get_mut(place).filter(|cell| cell.len() > 20) {
                *cell = "…";
            }
        }
        shown.push_str(&cells.join(","));
        shown.push('\n');
    }
    insta::assert_snapshot!(shown.trim_end());
    let page = service.send("GET", &format!("{path}&limit=1"), &[("accept", "text/csv")], "");
    let link = page.header("link").unwrap();
    assert!(
        link.starts_with("</v1/accounts/alice/entries?order=oldest&limit=1&cursor=")
            && link.ends_with("rel=\"next\"")
    );
    let statement = service.get("/v1/accounts/alice/entries?kind=withdrawal").json();
    assert_eq!(
        (statement["opening_balance"].as_str(), statement["closing_balance"].as_str()),
        (Some("0.00"), Some("60.00"))
    );
    assert_eq!(statement["items"][0]["requested_amount"], "400.00");
    assert_eq!(statement["items"][1]["amount"], "-40.00");
}

#[test]
fn the_journal_is_shown_as_it_is() {
    let service = Service::start();
    service.account("alice");
    let lines = service.send("GET", "/v1/journal", &[("accept", "application/x-ndjson")], "");
    assert_eq!(lines.text().lines().count(), 2);
    let page = service.get("/v1/journal?limit=1");
    assert!(page.text().contains(lines.text().lines().next().unwrap()));
    let rest = service.get(&format!("/v1/journal?cursor={}", page.json()["next"].as_str().unwrap()));
    assert_eq!(rest.json()["items"][0]["position"], 2);
    assert_eq!(rest.json()["next"], Value::Null);
    assert_eq!(service.get("/v1/journal?after=1").json()["items"][0]["type"], "Deposited");
    let head = service.get("/v1/journal/head").json();
    assert_eq!(head["hash"], rest.json()["items"][0]["hash"]);
}

#[test]
fn the_document_names_every_route_and_every_body() {
    let service = Service::start();
    let document = service.get("/openapi.json").json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let concrete = path.replace("{account}", "alice").replace("{id}", &id());
        for (method, operation) in operations.as_object().unwrap() {
            if path != "/v1/journal/live" {
                let reply = service.send(&method.to_uppercase(), &concrete, &[], "");
                assert!(
                    operation["responses"].get(reply.status.to_string()).is_some(),
                    "{method} {path}: {}",
                    reply.status
                );
                assert_ne!(reply.status, 405, "{path}");
            }
        }
    }
    let page = service.get("/docs/");
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'self'"));
    let names = format!("{document}");
    for reference in names.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not in the document");
    }
    let metrics = service.get("/metrics");
    assert!(
        metrics
            .text()
            .contains("bookonce_http_requests_total{route=\"/v1/digest\",method=\"GET\",status=\"200\"} 1")
    );
}
