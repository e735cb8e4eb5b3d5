//! These tests place holds over real sockets, and settle them: what each answers, where it is shown, and what is refused.

use serde_json::{Value, json};

use crate::support::http::{Reply, Service, id};
use crate::support::store::until;

const HOLDS: &str = "/v1/accounts/alice/holds";

/// Starts a service with alice, who has 100.00.
fn rich() -> Service {
    let service = Service::start();
    service.account("alice");
    service
}

/// Places a hold, and returns its ID.
fn hold(service: &Service, amount: &str, seconds: u64) -> String {
    let id = id();
    let body = json!({"transaction_id": id, "amount": amount, "expires_in_seconds": seconds}).to_string();
    let reply = service.post(HOLDS, body);
    assert_eq!(reply.status, 201, "{}", reply.text());
    id
}

fn settle(service: &Service, hold: &str, how: &str, fields: Value) -> Reply {
    let mut body = json!({"transaction_id": id()});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    service.post(&format!("{HOLDS}/{hold}/{how}"), body.to_string())
}

fn told(reply: &Reply) -> (u16, String) {
    (reply.status, reply.code())
}

#[test]
fn a_hold_is_placed_captured_in_part_and_shown_everywhere() {
    let service = rich();
    let (first, body) = {
        let id = id();
        let body = json!({"transaction_id": id, "amount": "40.00", "expires_in_seconds": 600}).to_string();
        (id, body)
    };
    let reply = service.post(HOLDS, body.clone());
    let answer = reply.json();
    let expected = format!(
        concat!(
            r#"{{"transaction_id":"{}","kind":"hold","outcome":"accepted","account":"alice","currency":"EUR","#,
            r#""amount":"40.00","expires_at":{},"balance":"100.00","available":"60.00","revision":2,"recorded_at":{}}}"#
        ),
        first, answer["expires_at"], answer["recorded_at"]
    );
    assert_eq!((reply.status, reply.text()), (201, expected.as_str()));
    let listed = service.get(HOLDS).json();
    assert_eq!(
        listed["items"],
        json!([{"hold": first, "state": "open", "amount": "40.00", "expires_at": answer["expires_at"]}])
    );
    let account = service.get("/v1/accounts/alice").json();
    assert_eq!((&account["held"], &account["available"]), (&json!("40.00"), &json!("60.00")));
    let spent = service.post(
        "/v1/accounts/alice/withdrawals",
        json!({"transaction_id": id(), "amount": "60.01"}).to_string(),
    );
    assert_eq!(told(&spent), (402, "insufficient_funds".to_owned()));

    let captured = settle(&service, &first, "capture", json!({"amount": "25.00"}));
    let told_so = captured.json();
    assert_eq!(captured.status, 201, "{}", captured.text());
    assert_eq!(
        (&told_so["kind"], &told_so["hold"], &told_so["released"]),
        (&json!("capture"), &json!(first), &json!("15.00"))
    );
    assert_eq!((&told_so["balance"], &told_so["available"]), (&json!("75.00"), &json!("75.00")));
    assert_eq!(told_so["entries"][1], json!({"account": "@cash", "amount": "25.00"}));
    assert_eq!(service.get(HOLDS).json()["items"], json!([]));
    let one = service.get(&format!("{HOLDS}/{first}")).json();
    assert_eq!(
        (&one["state"], &one["amount"], &one["captured"]),
        (&json!("captured"), &json!("40.00"), &json!("25.00"))
    );
    assert_eq!(one["settled_by"]["transaction_id"], told_so["transaction_id"]);
    let history = service.get(&format!("/v1/transactions/{first}")).json();
    assert_eq!(history["settled_by"]["kind"], "capture");
    // As it was before the capture, and as it was known then.
    let position = reply.header("bookonce-position").unwrap().to_owned();
    let then = service.get(&format!("/v1/accounts/alice?at_position={position}")).json();
    assert_eq!((&then["held"], &then["available"]), (&json!("40.00"), &json!("60.00")));
    let known = answer["recorded_at"].as_str().unwrap();
    assert_eq!(service.get(&format!("/v1/accounts/alice?known_at={known}")).json()["held"], "40.00");
    // The statement and the search have both, and a retry gets the first answer.
    let lines = service.get("/v1/accounts/alice/entries?kind=hold").json();
    let line = &lines["items"][0];
    assert_eq!(line["expires_at"], answer["expires_at"]);
    assert_eq!((&line["amount"], &line["requested_amount"]), (&json!(null), &json!("40.00")));
    let lines = service.get("/v1/transactions?kind=capture").json();
    assert_eq!(lines["items"][0]["hold"], json!(first));
    let again = service.post(HOLDS, body);
    assert_eq!((again.text(), again.header("idempotent-replayed")), (reply.text(), Some("true")));
}

#[test]
fn a_release_frees_a_hold_and_one_that_overtakes_its_hold_rules_it_out() {
    let service = rich();
    let first = hold(&service, "40.00", 600);
    let released = settle(&service, &first, "release", json!({}));
    assert_eq!((released.status, &released.json()["amount"]), (201, &json!("40.00")));
    assert_eq!(service.get(&format!("{HOLDS}/{first}")).json()["state"], "released");
    let late = id();
    let prevention = settle(&service, &late, "release", json!({"reason": "customer left"}));
    assert_eq!((prevention.status, &prevention.json()["kind"]), (201, &json!("prevention")));
    assert_eq!(prevention.json().get("amount"), None);
    assert_eq!(service.get(&format!("{HOLDS}/{late}")).json()["state"], "prevented");
    let body = json!({"transaction_id": late, "amount": "1.00", "expires_in_seconds": 60}).to_string();
    assert_eq!(told(&service.post(HOLDS, body)), (402, "prevented".to_owned()));
    assert_eq!(service.get(&format!("{HOLDS}/{late}")).json()["state"], "prevented");
    assert_eq!(
        told(&settle(&service, &late, "release", json!({}))),
        (402, "hold_already_settled".to_owned())
    );
}

/// Rows 33 to 35 of what is refused.
#[test]
fn what_is_wrong_with_a_hold_is_refused() {
    let service = rich();
    service.account("bob");
    for seconds in [json!("60"), json!(0), json!(-1), json!(1.5), json!(2_592_001), Value::Null, json!([60])]
    {
        let body =
            json!({"transaction_id": id(), "amount": "1.00", "expires_in_seconds": seconds}).to_string();
        let reply = service.post(HOLDS, body);
        assert_eq!(told(&reply), (400, "invalid_request".to_owned()), "{seconds}");
        assert_eq!(reply.json()["errors"][0]["field"], "expires_in_seconds", "{seconds}");
    }
    let exponent = format!(r#"{{"transaction_id":"{}","amount":"1.00","expires_in_seconds":1e3}}"#, id());
    assert_eq!(service.post(HOLDS, exponent).status, 400);
    // No hold, or one of another account.
    let withdrawn = id();
    let body = json!({"transaction_id": withdrawn, "amount": "1.00"}).to_string();
    assert_eq!(service.post("/v1/accounts/alice/withdrawals", body).status, 201);
    let bobs = id();
    let body = json!({"transaction_id": bobs, "amount": "1.00", "expires_in_seconds": 600}).to_string();
    assert_eq!(service.post("/v1/accounts/bob/holds", body).status, 201);
    for named in [&id(), &withdrawn, &bobs] {
        let reply = settle(&service, named, "capture", json!({}));
        assert_eq!(told(&reply), (404, "hold_not_found".to_owned()));
        assert_eq!(service.get(&format!("{HOLDS}/{named}")).status, 404);
    }
    assert_eq!(told(&settle(&service, &withdrawn, "release", json!({}))), (404, "hold_not_found".to_owned()));
    for named in ["x", &format!("{bobs}:hold:1"), "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(settle(&service, named, "capture", json!({})).status, 400, "{named}");
        assert_eq!(settle(&service, named, "release", json!({})).status, 400, "{named}");
    }
    // More than the hold, and one that is settled.
    let open = hold(&service, "10.00", 600);
    assert_eq!(
        told(&settle(&service, &open, "capture", json!({"amount": "10.01"}))),
        (402, "capture_exceeds_hold".to_owned())
    );
    assert_eq!(settle(&service, &open, "capture", json!({})).status, 201);
    assert_eq!(
        told(&settle(&service, &open, "capture", json!({}))),
        (402, "hold_already_settled".to_owned())
    );
    assert_eq!(
        told(&settle(&service, &open, "release", json!({}))),
        (402, "hold_already_settled".to_owned())
    );
    for named in ["@corrections", "@external:acme", "@transit"] {
        let reply =
            settle(&service, &hold(&service, "1.00", 600), "capture", json!({"counter_account": named}));
        assert_eq!(told(&reply), (400, "invalid_request".to_owned()), "{named}");
    }
}

/// The service books an expiry by itself where nothing comes, and a capture that comes after it is declined.
#[test]
fn a_hold_expires_by_itself() {
    let service = rich();
    let first = hold(&service, "40.00", 1);
    let is_expired = || service.get(&format!("{HOLDS}/{first}")).json()["state"] == "expired";
    until("the hold has expired", is_expired);
    let one = service.get(&format!("{HOLDS}/{first}")).json();
    let expiry = format!("{first}:expiry:1");
    assert_eq!(one["settled_by"]["transaction_id"], json!(expiry));
    assert!(one["settled_by"]["recorded_at"].as_str() >= one["expires_at"].as_str(), "{one}");
    let found = service.get(&format!("/v1/transactions/{expiry}")).json();
    assert_eq!(
        (&found["kind"], &found["actor"], &found["correlation_id"]),
        (&json!("expiry"), &json!("service"), &json!(first))
    );
    assert_eq!(told(&settle(&service, &first, "capture", json!({}))), (402, "hold_expired".to_owned()));
    assert_eq!(service.get("/v1/accounts/alice").json()["available"], "100.00");
    let figures = service.get("/metrics").text().to_owned();
    assert!(figures.contains("bookonce_holds_open 0"), "{figures}");
    assert!(figures.contains("bookonce_expiry_lag_seconds 0"), "{figures}");
}

#[test]
fn a_batch_holds_captures_and_releases() {
    let service = rich();
    let (first, second) = (id(), id());
    let lines = [
        json!({"op": "hold", "transaction_id": first, "account": "alice", "amount": "10.00", "expires_in_seconds": 60}),
        json!({"op": "hold", "transaction_id": second, "account": "alice", "amount": "20.00", "expires_in_seconds": 60}),
        json!({"op": "capture", "transaction_id": id(), "account": "alice", "hold": first}),
        json!({"op": "release", "transaction_id": id(), "account": "alice", "hold": second}),
        json!({"op": "capture", "transaction_id": id(), "account": "alice"}),
        json!({"op": "capture", "transaction_id": id(), "account": "alice", "hold": id()}),
        json!({"op": "deposit", "transaction_id": id(), "account": "alice", "amount": "1", "hold": first}),
    ];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let answers = service.batch(&lines);
    let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 201, 201, 400, 404, 400]);
    assert_eq!(service.get("/v1/accounts/alice").json()["balance"], "90.00");
}

#[test]
fn open_holds_are_listed_page_by_page_in_the_order_in_which_they_expire() {
    let service = rich();
    let mut ids: Vec<String> =
        [500, 100, 300, 200, 400].iter().map(|seconds| hold(&service, "1.00", *seconds)).collect();
    ids = vec![ids[1].clone(), ids[3].clone(), ids[2].clone(), ids[4].clone(), ids[0].clone()];
    let mut found = Vec::new();
    let mut path = format!("{HOLDS}?limit=2");
    loop {
        let page = service.get(&path).json();
        found.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["hold"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{HOLDS}?limit=2&cursor={next}");
    }
    assert_eq!(found, ids);
    assert_eq!(service.get("/v1/accounts/nobody/holds").status, 404);
}
