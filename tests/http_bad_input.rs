//! Bad requests: what each gets, and that it changes nothing. Over real sockets, with raw bytes where a client library
//! would not send such a thing.

mod support;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use support::http::{Reply, Service, id};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A service with one account, and what it looks like before the bad input comes.
struct Watched {
    service: Service,
    before: (serde_json::Value, serde_json::Value, serde_json::Value),
}

impl Watched {
    fn start() -> Self {
        let service = Service::start();
        service.account("alice");
        let before = service.state();
        Self { service, before }
    }

    /// Everything is as it was.
    fn unchanged(&self) {
        assert_eq!(self.service.state(), self.before);
    }

    /// A withdrawal whose body is refused.
    fn refused(&self, body: impl AsRef<[u8]>) -> Reply {
        let reply = self.service.post("/v1/accounts/alice/withdrawals", body.as_ref());
        self.unchanged();
        reply
    }

    /// A withdrawal that is refused with 400 because of one field.
    fn wrong_field(&self, body: &str, field: &str) -> Reply {
        let reply = self.refused(body);
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{body}");
        assert_eq!(reply.fields(), [field], "{body}: {}", reply.text());
        reply
    }
}

fn with_amount(amount: &str) -> String {
    format!(r#"{{"transaction_id":"{}","amount":{amount}}}"#, id())
}

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
        (format!(r#"{{"transaction_id":17,"amount":"1"}}"#), &["transaction_id"]),
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
fn row_13_too_large_a_body_gets_a_413_that_can_be_read() {
    let watched = Watched::start();
    let reply = watched.refused(format!(r#"{{"amount":"{}"}}"#, "1".repeat(70 * 1024)));
    assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
    assert_eq!(reply.header("connection"), Some("close"));
    let head =
        "POST /v1/accounts/alice/withdrawals HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let mut socket = watched.service.connect();
    socket.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
    while socket.write_all(chunk.as_bytes()).is_ok() {}
    drop(socket);
    let lines = "{}\n".repeat(10_001);
    let headers = [("content-type", "application/x-ndjson")];
    let reply = watched.service.send("POST", "/v1/batch", &headers, lines);
    assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
    let reply = watched.service.send("POST", "/v1/batch", &headers, " ".repeat(8 * 1024 * 1024 + 1));
    assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
    watched.unchanged();
}

#[test]
fn row_13_an_endless_body_is_answered_after_a_mebibyte() {
    let watched = Watched::start();
    let head =
        "POST /v1/accounts/alice/withdrawals HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let mut socket = watched.service.connect();
    socket.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
    for _ in 0..300 {
        socket.write_all(chunk.as_bytes()).unwrap();
    }
    let reply = Reply::read(&mut socket);
    assert_eq!((reply.status, reply.header("connection")), (413, Some("close")));
    watched.unchanged();
}

#[test]
fn row_14_bodies_are_plain_json_and_say_so() {
    let watched = Watched::start();
    let cases: [&[(&str, &str)]; 6] = [
        &[],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "application/json; charset=latin1")],
        &[JSON, ("content-encoding", "gzip")],
        &[JSON, ("content-encoding", "identity, br")],
    ];
    for headers in cases {
        let body = with_amount("\"1\"");
        let reply = watched.service.send("POST", "/v1/accounts/alice/withdrawals", headers, body);
        assert_eq!((reply.status, reply.code().as_str()), (415, "unsupported_media_type"), "{headers:?}");
    }
    let reply = watched.service.send("POST", "/v1/batch", &[JSON], "{}");
    assert_eq!(reply.status, 415);
    watched.unchanged();
}

#[test]
fn row_15_names_are_plain() {
    let watched = Watched::start();
    let long = "a".repeat(65);
    for name in ["..%2f..%2fetc", "a%00b", "%0d%0aX:y", "a%E2%80%AEb", "%D0%B0", &long, "a%20b", "%ff", "%zz"]
    {
        for path in [format!("/v1/accounts/{name}"), format!("/v1/accounts/{name}/entries")] {
            let reply = watched.service.get(&path);
            assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
            reply.code();
        }
        let reply = watched.service.post(&format!("/v1/accounts/{name}/withdrawals"), with_amount("\"1\""));
        assert!(matches!(reply.status, 400 | 404), "{name}: {}", reply.status);
    }
    assert_eq!(watched.service.post("/v1/accounts//withdrawals", with_amount("\"1\"")).fields(), ["account"]);
    for name in ["", "../etc", "a\\u0000b", "\\u202ea", "а", "@cash", &long] {
        let open = format!(r#"{{"transaction_id":"{}","account":"{name}","currency":"EUR"}}"#, id());
        let reply = watched.service.post("/v1/accounts", open);
        assert_eq!((reply.status, reply.fields()), (400, vec!["account".to_owned()]), "{name}");
    }
    watched.unchanged();
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

#[test]
fn row_19_queries_are_checked() {
    let watched = Watched::start();
    for (path, field) in [
        ("/v1/accounts?limit=-1", "limit"),
        ("/v1/accounts?limit=0", "limit"),
        ("/v1/accounts?limit=1000000000", "limit"),
        ("/v1/accounts?limit=abc", "limit"),
        ("/v1/accounts?limit=", "limit"),
        ("/v1/accounts?limit=1&limit=2", "limit"),
        ("/v1/accounts?cursor=abc", "cursor"),
        ("/v1/accounts?what=1", "what"),
        ("/v1/accounts/alice?as_of=2026-02-30T00:00:00Z", "as_of"),
        ("/v1/accounts/alice?as_of=9999-01-01T00:00:00Z", "as_of"),
        ("/v1/accounts/alice?known_at=0000-01-01T00:00:00Z", "known_at"),
        ("/v1/accounts/alice?at_position=-1", "at_position"),
        ("/v1/accounts/alice?at_position=1&at_position=x", "at_position"),
        ("/v1/accounts/alice?at_position=1&as_of=2026-01-01T00:00:00Z", "as_of"),
        ("/v1/accounts/alice?min_position=x", "min_position"),
        ("/v1/accounts/alice/entries?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("/v1/accounts/alice/entries?order=up", "order"),
        ("/v1/accounts/alice/entries?kind=gift", "kind"),
        ("/v1/accounts/@cash/entries", "account"),
        ("/v1/transactions?outcome=maybe", "outcome"),
        ("/v1/transactions?account=..", "account"),
        ("/v1/transactions/nope", "transaction_id"),
        ("/v1/journal?after=x", "after"),
        ("/v1/journal?limit=1001", "limit"),
        ("/v1/journal/live?limit=1", "limit"),
        ("/v1/digest?at_position=1&at_position=2", "at_position"),
        ("/v1/trial-balance?as_of=2026-01-01T00:00:00Z", "as_of"),
    ] {
        let reply = watched.service.get(path);
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{path}");
        assert_eq!(reply.fields(), [field], "{path}");
    }
    let reply = watched.service.post("/v1/accounts/alice/withdrawals?dry_run=1", with_amount("\"1\""));
    assert_eq!((reply.status, reply.fields()), (400, vec!["dry_run".to_owned()]));
    watched.unchanged();
}

#[test]
fn row_19_a_cursor_altered_by_a_byte_is_refused() {
    let watched = Watched::start();
    for list in ["/v1/accounts/alice/entries?limit=1", "/v1/transactions?limit=1", "/v1/journal?limit=1"] {
        let next = watched.service.get(list).json()["next"].as_str().unwrap().to_owned();
        assert_eq!(watched.service.get(&format!("{list}&cursor={next}")).status, 200);
        for place in 0..next.len() {
            let mut altered = next.clone().into_bytes();
            altered[place] = if altered[place] == b'0' { b'1' } else { b'0' };
            let altered = String::from_utf8(altered).unwrap();
            let reply = watched.service.get(&format!("{list}&cursor={altered}"));
            assert_eq!((reply.status, reply.fields()), (400, vec!["cursor".to_owned()]), "{altered}");
        }
        let upper = next.to_uppercase();
        if upper != next {
            assert_eq!(watched.service.get(&format!("{list}&cursor={upper}")).status, 400);
        }
    }
    let next = watched.service.get("/v1/transactions?limit=1").json()["next"].as_str().unwrap().to_owned();
    let elsewhere = format!("/v1/transactions?limit=1&kind=deposit&cursor={next}");
    assert_eq!(watched.service.get(&elsewhere).fields(), ["cursor"]);
}

#[test]
fn row_20_heads_are_small() {
    let watched = Watched::start();
    let large = format!("x-large: {}\r\n", "a".repeat(20 * 1024));
    let many: String = (0..100).map(|n| format!("x-{n}: 1\r\n")).collect();
    let huge = format!("x-huge: {}\r\n", "a".repeat(200 * 1024));
    let get = |target: &str, headers: &str| {
        watched.service.raw(format!("GET {target} HTTP/1.1\r\nhost: x\r\n{headers}\r\n")).status
    };
    assert_eq!(get("/healthz", &large), 431);
    assert_eq!(get("/healthz", &many), 431);
    assert_eq!(get("/healthz", &huge), 431);
    assert_eq!(get(&format!("/healthz?{}", "a".repeat(70 * 1024)), ""), 414);
    assert_eq!(get(&format!("/healthz?{}", "a".repeat(10 * 1024)), ""), 414);
    watched.unchanged();
}

#[test]
fn row_21_framing_is_not_ambiguous() {
    let watched = Watched::start();
    let head = "POST /v1/accounts/alice/withdrawals HTTP/1.1\r\ncontent-type: application/json\r\n";
    let body = r#"{"amount":"1"}"#;
    let both = format!(
        "{head}host: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    // Chunked counts, and the connection closes: the next request on it is not read.
    let reply = watched.service.raw(format!("{both}GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"));
    assert_eq!((reply.status, reply.code().as_str()), (400, "transaction_id_missing"));
    assert_eq!(reply.text().matches("HTTP/1.1").count(), 0);
    let two = format!("{head}host: x\r\ncontent-length: 3\r\ncontent-length: 14\r\n\r\n{body}");
    assert_eq!(watched.service.raw(two).status, 400);
    let no_host = format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(watched.service.raw(no_host).status, 400);
    let two_hosts = format!("{head}host: a\r\nhost: b\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(watched.service.raw(two_hosts).status, 400);
    assert_eq!(watched.service.raw("NONSENSE\r\n\r\n").status, 400);
    watched.unchanged();
}

#[test]
fn row_25_paths_and_methods() {
    let watched = Watched::start();
    let service = &watched.service;
    assert_eq!(service.get("/v1/nothing").code(), "not_found");
    assert_eq!(service.get("/").code(), "not_found");
    let reply = service.send("DELETE", "/v1/accounts/alice", &[], "");
    assert_eq!((reply.status, reply.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(reply.header("allow"), Some("GET,HEAD"));
    assert_eq!(service.get("/v1/accounts/alice/withdrawals").header("allow"), Some("POST"));
    let reply = service.send("OPTIONS", "/v1/accounts", &[("origin", "http://evil")], "");
    assert_eq!((reply.status, reply.header("allow")), (204, Some("POST,GET,HEAD")));
    assert!(reply.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
    let get = service.get("/v1/accounts/alice");
    let head = service.send("HEAD", "/v1/accounts/alice", &[], "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("content-type"), get.header("content-type"));
    let reply = service.send("GET", "/v1/accounts", &[("accept", "text/html")], "");
    assert_eq!((reply.status, reply.code().as_str()), (406, "not_acceptable"));
    watched.unchanged();
}

#[test]
fn correlation_and_causation_are_visible_ascii() {
    let watched = Watched::start();
    for name in ["correlation-id", "causation-id"] {
        for bad in ["a b", "", "é", &"a".repeat(129)] {
            let headers = [JSON, (name, bad)];
            let body = with_amount("\"1\"");
            let reply = watched.service.send("POST", "/v1/accounts/alice/deposits", &headers, body);
            assert_eq!(reply.status, 400, "{name}: {bad}");
            assert_eq!(reply.fields()[0].to_ascii_lowercase(), name);
        }
    }
    watched.unchanged();
}

#[test]
fn every_bad_request_is_answered_in_under_a_second() {
    let watched = Watched::start();
    let started = Instant::now();
    let nested = "[".repeat(60_000);
    watched.refused(nested);
    let metadata = format!(r#"{{"metadata":{{{}}}}}"#, vec!["\"a\":\"b\""; 5_000].join(","));
    watched.refused(metadata);
    assert!(started.elapsed() < Duration::from_secs(1));
    let mut socket = watched.service.connect();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"));
}
