//! These tests send bad bodies: each gets its own answer, and changes nothing.

use crate::support::http::{Reply, Service, id};
use crate::watched::{JSON, Watched, with_amount};

#[test]
fn row_1_an_amount_is_no_json_number() {
    let watched = Watched::start();
    for amount in ["10.5", "0.1", "1e3", "-1", "true", "[]", "{}"] {
        let reply = watched.wrong_field(&with_amount(amount), "amount");
        let problem = reply.json()["errors"][0]["problem"].as_str().unwrap().to_owned();
        assert!(problem.starts_with("must be a decimal string"), "{problem}");
    }
}

#[test]
fn row_2_nothing_is_rounded() {
    let watched = Watched::start();
    for amount in ["\"10.505\"", &format!("\"0.{}1\"", "0".repeat(32))] {
        watched.wrong_field(&with_amount(amount), "amount");
    }
    let open = format!(
        r#"{{"transaction_id":"{}","account":"yen","currency":"JPY","overdraft_limit":"1.0"}}"#,
        id()
    );
    let reply = watched.service.post("/v1/accounts", open);
    assert_eq!((reply.status, reply.fields()), (400, vec!["overdraft_limit".to_owned()]));
    watched.unchanged();
    let open = format!(r#"{{"transaction_id":"{}","account":"yen","currency":"JPY"}}"#, id());
    assert_eq!(watched.service.post("/v1/accounts", open).status, 201);
    let reply = watched.service.post("/v1/accounts/yen/deposits", with_amount("\"1.0\""));
    assert_eq!((reply.status, reply.fields()), (400, vec!["amount".to_owned()]));
}

#[test]
fn rows_3_and_4_only_plain_positive_decimals_are_amounts() {
    let watched = Watched::start();
    for amount in [
        "1e3", "1_000", "+5", " 5 ", "5.", ".5", "0x10", "٣", "NaN", "Infinity", "1,000.00", "", "0", "0.00",
        "-0", "-5",
    ] {
        watched.wrong_field(&with_amount(&format!("\"{amount}\"")), "amount");
    }
}

#[test]
fn row_5_there_is_a_largest_amount_and_a_largest_balance() {
    let watched = Watched::start();
    watched.wrong_field(&with_amount("\"1000000000000000.01\""), "amount");
    let largest = with_amount("\"1000000000000000\"");
    let reply = watched.service.post("/v1/accounts/alice/deposits", largest);
    assert_eq!((reply.status, reply.code().as_str()), (402, "balance_too_large"));
    assert_eq!(reply.json()["recorded"], true);
    assert_eq!(watched.service.get("/v1/accounts/alice").json()["balance"], "100.00");
}

#[test]
fn row_6_a_currency_is_one_of_iso_4217_in_upper_case() {
    let watched = Watched::start();
    for currency in ["eur", "XXX", "EURO", ""] {
        let open = format!(r#"{{"transaction_id":"{}","account":"b","currency":"{currency}"}}"#, id());
        let reply = watched.service.post("/v1/accounts", open);
        assert_eq!((reply.status, reply.fields()), (400, vec!["currency".to_owned()]), "{currency}");
    }
    watched.unchanged();
}

#[test]
fn row_7_an_unknown_account_is_404_and_not_recorded() {
    let watched = Watched::start();
    let body = with_amount("\"1\"");
    for _ in 0..2 {
        let reply = watched.service.post("/v1/accounts/nobody/withdrawals", &body);
        assert_eq!((reply.status, reply.code().as_str()), (404, "account_not_found"));
    }
    for path in ["/v1/accounts/nobody", "/v1/accounts/nobody/entries", "/v1/accounts/@nobody"] {
        assert_eq!(watched.service.get(path).code(), "account_not_found", "{path}");
    }
    assert_eq!(watched.service.get(&format!("/v1/transactions/{}", id())).code(), "transaction_not_found");
    watched.unchanged();
}

#[test]
fn row_8_every_write_needs_one_good_transaction_id() {
    let watched = Watched::start();
    assert_eq!(watched.refused(r#"{"amount":"1"}"#).code(), "transaction_id_missing");
    for bad in
        ["00000000-0000-0000-0000-000000000000", "not-a-uuid", "", "\\u0000", "a\\nb", &"a".repeat(300)]
    {
        let body = format!(r#"{{"transaction_id":"{bad}","amount":"1"}}"#);
        watched.wrong_field(&body, "transaction_id");
    }
    let send = |key: &str, body: &str| {
        let headers = [JSON, ("idempotency-key", key)];
        let reply = watched.service.send("POST", "/v1/accounts/alice/withdrawals", &headers, body);
        watched.unchanged();
        reply
    };
    for bad in ["00000000-0000-0000-0000-000000000000", "not-a-uuid", "\"", &"a".repeat(300)] {
        assert_eq!(send(bad, r#"{"amount":"1"}"#).fields(), ["Idempotency-Key"], "{bad}");
    }
    assert_eq!(send(&id(), &with_amount("\"1\"")).code(), "transaction_id_conflicting");
}

#[test]
fn row_9_an_id_is_not_used_for_something_else() {
    let watched = Watched::start();
    let used = id();
    let body = |amount: &str| format!(r#"{{"transaction_id":"{used}","amount":"{amount}"}}"#);
    assert_eq!(watched.service.post("/v1/accounts/alice/withdrawals", body("1")).status, 201);
    let before = watched.service.state();
    for (path, amount, field, first, now) in [
        ("alice/withdrawals", "2", "amount", "1", "2"),
        ("bob/withdrawals", "1", "account", "alice", "bob"),
        ("alice/deposits", "1", "operation", "withdrawal", "deposit"),
    ] {
        let reply = watched.service.post(&format!("/v1/accounts/{path}"), body(amount));
        assert_eq!((reply.status, reply.code().as_str()), (422, "transaction_id_reused"));
        let expected = serde_json::json!([{"field": field, "first": first, "now": now}]);
        assert_eq!(reply.json()["differences"], expected);
        assert_eq!(reply.json()["original"], format!("/v1/transactions/{used}"));
        assert_eq!(
            reply.header("link"),
            Some(format!("</v1/transactions/{used}>; rel=\"original\"").as_str())
        );
        assert!(reply.json()["first_recorded_at"].is_string());
        assert_eq!(watched.service.state(), before);
    }
}

#[test]
fn row_10_sixty_four_at_once_make_one_event() {
    let watched = Watched::start();
    let body = with_amount("\"1\"");
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let send = || watched.service.post("/v1/accounts/alice/withdrawals", &body);
        let sending: Vec<_> = (0..64).map(|_| scope.spawn(send)).collect();
        sending.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|reply| reply.status == 201 && reply.body == replies[0].body));
    let first = replies.iter().filter(|reply| reply.header("idempotent-replayed").is_none());
    assert_eq!(first.count(), 1);
    assert_eq!(watched.service.get("/v1/accounts/alice").json()["balance"], "99.00");
}

#[test]
fn row_11_bodies_have_their_fields_once_and_no_others() {
    let watched = Watched::start();
    let id = id();
    for (body, fields) in [
        (format!(r#"{{"transaction_id":"{id}","amount":"1","amount":"9"}}"#), &["amount"][..]),
        (format!(r#"{{"transaction_id":"{id}","amount":"1","amuont":"9"}}"#), &["amuont"]),
        (format!(r#"{{"transaction_id":"{id}","amount":"1","currency":"EUR"}}"#), &["currency"]),
        (format!(r#"{{"transaction_id":"{id}","amount":null}}"#), &["amount"]),
        (r#"{"transaction_id":17,"amount":"1"}"#.to_owned(), &["transaction_id"]),
        (format!(r#"{{"transaction_id":"{id}"}}"#), &["amount"]),
        (format!(r#"[{{"transaction_id":"{id}","amount":"1"}}]"#), &[""]),
        ("\"text\"".to_owned(), &[""]),
        ("null".to_owned(), &[""]),
        (
            r#"{"transaction_id":"x","amount":1,"counter_account":"cash","effective_at":"now","z":0}"#
                .to_owned(),
            &["transaction_id", "amount", "counter_account", "effective_at", "z"],
        ),
        (
            format!(r#"{{"transaction_id":"{id}","amount":"1","metadata":{{"a":"1","a":"2"}}}}"#),
            &["metadata.a"],
        ),
    ] {
        let reply = watched.refused(&body);
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{body}");
        assert_eq!(reply.fields(), fields, "{body}");
    }
}

#[test]
fn row_12_what_is_no_json_is_malformed() {
    let watched = Watched::start();
    let surrogate = format!(r#"{{"transaction_id":"{}","amount":"\ud800"}}"#, id());
    let nested = format!(r#"{{"metadata":{}"#, "[".repeat(30_000) + &"{\"a\":".repeat(5_000));
    let mut invalid = with_amount("\"1\"").into_bytes();
    invalid.extend(b"\xff");
    for body in [
        b"".to_vec(),
        b"   ".to_vec(),
        b"{".to_vec(),
        b"{\"amount\":\"1\",}".to_vec(),
        b"{'amount':'1'}".to_vec(),
        b"{}{}".to_vec(),
        [b"\xef\xbb\xbf", with_amount("\"1\"").as_bytes()].concat(),
        surrogate.into_bytes(),
        nested.into_bytes(),
        "[".repeat(60_000).into_bytes(),
        invalid,
        b"{\"amount\":\"\xc3\x28\"}".to_vec(),
    ] {
        let reply = watched.refused(&body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!((reply.status, reply.code().as_str()), (400, "malformed_json"), "{shown}");
    }
}

#[test]
fn row_16_metadata_is_small_and_flat() {
    let watched = Watched::start();
    let many: Vec<String> = (0..17).map(|n| format!("\"k{n}\":\"v\"")).collect();
    for (metadata, field) in [
        (r#"{"a":"\u001b[2J"}"#.to_owned(), "metadata"),
        (r#"{"a":{"b":"c"}}"#.to_owned(), "metadata.a"),
        (r#"{"a":1}"#.to_owned(), "metadata.a"),
        (r#"{"a":null}"#.to_owned(), "metadata.a"),
        (format!("{{{}}}", many.join(",")), "metadata"),
        (format!(r#"{{"a":"{}"}}"#, "v".repeat(257)), "metadata"),
        (format!(r#"{{"{}":"v"}}"#, "k".repeat(65)), "metadata"),
        ("[]".to_owned(), "metadata"),
        ("null".to_owned(), "metadata"),
    ] {
        let body = format!(r#"{{"transaction_id":"{}","amount":"1","metadata":{metadata}}}"#, id());
        watched.wrong_field(&body, field);
    }
}

#[test]
fn rows_17_and_18_text_that_only_looks_dangerous_is_kept() {
    let service = Service::start();
    service.account("alice");
    for text in [
        "=HYPERLINK(\"http://x\")",
        "@SUM(A1)",
        "+1",
        "\tx",
        "<img src=x onerror=alert(1)>",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "a\nERROR forged log line",
    ] {
        let transaction = id();
        let body =
            serde_json::json!({"transaction_id": transaction, "amount": "1", "metadata": {"note": text}});
        let reply = service.post("/v1/accounts/alice/deposits", body.to_string());
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.json()["metadata"]["note"], text);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        let shown = service.get(&format!("/v1/transactions/{transaction}")).json();
        assert_eq!(shown["metadata"]["note"], text);
    }
    let reason = serde_json::json!({"transaction_id": id(), "reason": "=1+1"});
    assert_eq!(service.post("/v1/accounts/alice/freeze", reason.to_string()).status, 201);
    let csv = service.send("GET", "/v1/accounts/alice/entries", &[("accept", "text/csv")], "");
    let mut rows = csv::Reader::from_reader(csv.body.as_slice());
    for row in rows.records() {
        for cell in row.unwrap().iter().filter(|cell| cell.parse::<f64>().is_err()) {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }
}
