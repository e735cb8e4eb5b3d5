//! These tests send requests that are bad around the body: in their framing, heads, paths or queries. They are sent
//! over real sockets, as raw bytes where a client library would not send such a thing.

use std::io::{Read, Write};
use std::time::Duration;

use crate::support::http::{Reply, id};
use crate::support::within;
use crate::watched::{JSON, Watched, with_amount};

#[test]
fn row_13_too_large_a_body_gets_a_413_that_can_be_read() {
    let watched = Watched::start();
    let reply = watched.refused(format!(r#"{{"amount":"{}"}}"#, "1".repeat(70 * 1024)));
    assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
    assert_eq!(reply.header("connection"), Some("close"));
    let head = "POST /v1/accounts/alice/withdrawals HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
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
    let head = "POST /v1/accounts/alice/withdrawals HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
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
        ("/v1/accounts/alice?as_of=2026-01-01T12:30:60Z", "as_of"),
        ("/v1/accounts/alice?as_of=2026-01-01T12:30:00%2B24:00", "as_of"),
        ("/v1/accounts/alice?known_at=2026-01-01T12Z", "known_at"),
        ("/v1/accounts/alice/entries?from=2026-01-01T12:30:00,5Z", "from"),
        ("/v1/accounts/alice?at_position=-1", "at_position"),
        ("/v1/accounts/alice?at_position=1&at_position=x", "at_position"),
        ("/v1/accounts/alice?at_position=1&as_of=2026-01-01T00:00:00Z", "as_of"),
        ("/v1/accounts/alice?min_position=x", "min_position"),
        ("/v1/accounts/alice/entries?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("/v1/accounts/alice/entries?order=up", "order"),
        ("/v1/accounts/alice/entries?kind=gift", "kind"),
        ("/v1/accounts/@cash/entries?counter_account=@cash", "counter_account"),
        ("/v1/accounts/alice?at_position=1&known_at=2026-01-01T00:00:00Z", "known_at"),
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
        watched.service.raw(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n")).status
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
        "{head}host: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    // Chunked counts, and the connection closes: the next request on it is not read.
    let reply = watched.service.raw(format!("{both}GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    assert_eq!((reply.status, reply.code().as_str()), (400, "transaction_id_missing"));
    assert_eq!(reply.text().matches("HTTP/1.1").count(), 0);
    let two = format!("{head}host: localhost\r\ncontent-length: 3\r\ncontent-length: 14\r\n\r\n{body}");
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
    let metadata = format!(r#"{{"metadata":{{{}}}}}"#, vec!["\"a\":\"b\""; 5_000].join(","));
    for body in ["[".repeat(60_000), metadata] {
        within(Duration::from_secs(1), || drop(watched.refused(&body)));
    }
    let mut socket = watched.service.connect();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"));
}
