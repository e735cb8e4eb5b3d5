//! These tests use keys over HTTP: who is let in, and what they may do.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::http::{Reply, Service, id};
use crate::support::{store, within};
use bookonce::domain::time::{Timestamp, system_clock};
use bookonce::http::{Config, Limits, router};
use bookonce::keys::Role;
use bookonce::keys::file::{NewKey, create, revoke};

fn make(folder: &std::path::Path, role: Role, days: Option<u32>, at: Timestamp) -> (String, String) {
    let new = NewKey { role, name: None, expires_in_days: days };
    let (key, token) = create(folder, new, at).unwrap();
    (key.id, token)
}

fn with(service: &Service, token: &str, method: &str, path: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    service.send(method, path, &headers, body)
}

/// A service that is started with a key for each role: teller, auditor, operator.
fn with_keys() -> (Service, [String; 3]) {
    let folder = tempfile::tempdir().unwrap();
    let now = system_clock()();
    let tokens =
        [Role::Teller, Role::Auditor, Role::Operator].map(|role| make(folder.path(), role, None, now).1);
    (Service::on(folder, Config::default(), Limits::default(), router), tokens)
}

fn open(account: &str) -> String {
    format!(r#"{{"transaction_id":"{}","account":"{account}","currency":"EUR"}}"#, id())
}

#[test]
fn row_23_every_wrong_key_gets_the_same_bytes() {
    let (service, [teller, ..]) = with_keys();
    let now = system_clock()();
    let (revoked_id, revoked) = make(service.folder.path(), Role::Operator, None, now);
    revoke(service.folder.path(), &revoked_id, now).unwrap();
    let (_, expired) = make(service.folder.path(), Role::Operator, Some(1), Timestamp::from_micros(0));
    let forged = format!("{}{}", &teller[..teller.len() - 1], if teller.ends_with('0') { '1' } else { '0' });
    let none = service.get("/v1/accounts");
    assert_eq!((none.status, none.code().as_str()), (401, "unauthenticated"));
    assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"bookonce\""));
    let undated = |reply: &Reply| {
        let headers: Vec<_> = reply.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        (reply.status, headers, reply.body.clone())
    };
    let mut others: Vec<Reply> = [revoked.as_str(), &expired, &forged, "", "x", "bo_x", "bo_x_y", "bo__"]
        .map(|token| with(&service, token, "GET", "/v1/accounts", ""))
        .into();
    others.push(service.get(&format!("/v1/accounts?key={teller}")));
    others.push(service.get(&format!("/v1/accounts?access_token={teller}")));
    others.push(service.send("GET", "/v1/accounts", &[("authorization", "Basic YTpi")], ""));
    for other in others {
        assert_eq!(undated(&other), undated(&none));
    }
    assert_eq!(service.post("/v1/accounts", open("alice")).status, 401);
}

#[test]
fn row_24_each_role_does_what_it_may() {
    let (service, [teller, auditor, operator]) = with_keys();
    let post = |token: &str, path: &str, body: String| with(&service, token, "POST", path, &body);
    assert_eq!(post(&auditor, "/v1/accounts", open("alice")).code(), "forbidden");
    assert_eq!(post(&auditor, "/v1/batch", String::new()).status, 403);
    let opened = post(&teller, "/v1/accounts", open("alice"));
    assert_eq!(opened.status, 201);
    let limit = || format!(r#"{{"transaction_id":"{}","overdraft_limit":"5","reason":"asked"}}"#, id());
    assert_eq!(post(&teller, "/v1/accounts/alice/overdraft-limit", limit()).code(), "forbidden");
    assert_eq!(post(&operator, "/v1/accounts/alice/overdraft-limit", limit()).status, 201);
    let force = |force: bool| {
        let (own, other) = (id(), id());
        format!(r#"{{"transaction_id":"{own}","reverses":"{other}","reason":"r","force":{force}}}"#)
    };
    assert_eq!(post(&teller, "/v1/accounts/alice/reversals", force(true)).code(), "forbidden");
    assert_eq!(post(&teller, "/v1/accounts/alice/reversals", force(false)).status, 201);
    assert_eq!(post(&operator, "/v1/accounts/alice/reversals", force(true)).status, 201);
    for token in [&teller, &auditor, &operator] {
        assert_eq!(with(&service, token, "GET", "/v1/accounts/alice", "").status, 200);
    }
    let id = opened.json()["transaction_id"].as_str().unwrap().to_owned();
    let shown = with(&service, &auditor, "GET", &format!("/v1/transactions/{id}"), "").json();
    assert_eq!(shown["actor"].as_str().unwrap(), teller.split('_').nth(1).unwrap());
    assert!(!shown.to_string().contains(&teller));
}

#[test]
fn keys_take_effect_while_the_service_runs() {
    let service = Service::start();
    assert_eq!(service.get("/v1/accounts").status, 200);
    let (key, token) = make(service.folder.path(), Role::Auditor, None, system_clock()());
    within_a_moment(|| service.get("/v1/accounts").status == 401);
    assert_eq!(with(&service, &token, "GET", "/v1/accounts", "").status, 200);
    revoke(service.folder.path(), &key, system_clock()()).unwrap();
    within_a_moment(|| with(&service, &token, "GET", "/v1/accounts", "").status == 401);
}

#[test]
fn a_page_of_another_site_is_not_the_machines_user() {
    let service = Service::start();
    for (origin, status) in [
        ("http://evil.example", 401),
        ("http://evil.example:7070", 401),
        ("null", 401),
        ("http://127.0.0.1:7070", 200),
        ("http://localhost:7070", 200),
        ("http://[::1]:7070", 200),
    ] {
        let reply = service.send("GET", "/v1/accounts", &[("origin", origin)], "");
        assert_eq!(reply.status, status, "{origin}");
    }
}

/// Seen failing with a feed that went on for as long as its client listened.
#[test]
fn the_live_feed_of_a_key_that_goes_ends_within_a_second() {
    let service = Service::start();
    let open = |token: &str| {
        let bearer =
            if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let request =
            format!("GET /v1/journal/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{bearer}\r\n");
        let mut feed = service.connect_and(request.as_bytes());
        let mut head = [0; 12];
        feed.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        feed
    };
    let ends = |mut feed: TcpStream| {
        let mut rest = Vec::new();
        feed.read_to_end(&mut rest).unwrap();
        assert!(rest.ends_with(b"0\r\n\r\n"), "it ends as an answer that is whole");
    };
    let made = || make(service.folder.path(), Role::Auditor, None, system_clock()());
    let everybodys = open("");
    let keys = [(); 5].map(|()| made());
    ends(everybodys);
    let (_, other) = made();
    within_a_moment(|| with(&service, &other, "GET", "/v1/accounts", "").status == 200);
    let stays = open(&other);
    let mut going: Vec<_> = keys.into_iter().map(|(key, token)| (key, open(&token))).collect();
    within(Duration::from_secs(1), || {
        let (key, feed) = going.pop().unwrap();
        revoke(service.folder.path(), &key, system_clock()()).unwrap();
        ends(feed);
    });
    stays.set_nonblocking(true).unwrap();
    let mut stays = stays;
    while stays.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
    assert_eq!(stays.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock, "the other goes on");
}

/// Seen failing with a `Host` of elsewhere (DNS rebinding) and with every sign of a proxy: all were operators.
#[test]
fn before_the_first_key_only_this_machines_own_user_is_let_in() {
    let service = Service::start();
    let ask = |host: &str, more: &str| {
        let head = format!("GET /v1/accounts HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{more}\r\n");
        service.raw(head)
    };
    for host in
        ["localhost", "localhost:7070", "LOCALHOST", "127.0.0.1", "127.0.0.1:7070", "127.8.9.1", "[::1]:80"]
    {
        assert_eq!(ask(host, "").status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:7070",
        "10.0.0.1",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "x",
    ] {
        let reply = ask(host, "");
        assert_eq!((reply.status, reply.code().as_str()), (401, "unauthenticated"), "{host}");
    }
    for proxy in [
        "forwarded: for=10.0.0.1",
        "x-forwarded-for: 10.0.0.1",
        "x-forwarded-host: a",
        "X-Forwarded-Proto: https",
        "x-forwarded-prefix: /ledger",
        "via: 1.1 proxy",
        "x-real-ip: 10.0.0.1",
        "x-forwarded-for:",
    ] {
        assert_eq!(ask("localhost", &format!("{proxy}\r\n")).status, 401, "{proxy}");
    }
    let absolute =
        "GET http://evil.example/v1/accounts HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(service.raw(absolute).status, 401);
    let (_, token) = make(service.folder.path(), Role::Auditor, None, system_clock()());
    within_a_moment(|| service.get("/v1/accounts").status == 401);
    let signed = format!("authorization: Bearer {token}\r\nx-forwarded-for: 10.0.0.1\r\n");
    assert_eq!(ask("ledger.example", &signed).status, 200, "with a key all of that is welcome");
}

/// Seen failing without any trace of a wrong key.
#[test]
fn failed_sign_ins_are_counted_by_their_cause() {
    let (service, [teller, auditor, _]) = with_keys();
    let now = system_clock()();
    let (revoked_id, revoked) = make(service.folder.path(), Role::Operator, None, now);
    revoke(service.folder.path(), &revoked_id, now).unwrap();
    within_a_moment(|| {
        with(&service, &revoked, "GET", "/v1/accounts", "").status == 401
            && counted(&service, &auditor, "revoked") > 0
    });
    let forged = format!("{}{}", &teller[..teller.len() - 1], if teller.ends_with('0') { '1' } else { '0' });
    for (token, why) in [(forged.as_str(), "wrong"), ("bo_0123456789ab_00", "unknown"), ("x", "no_token")] {
        let before = counted(&service, &auditor, why);
        assert_eq!(with(&service, token, "GET", "/v1/accounts", "").status, 401);
        assert_eq!(counted(&service, &auditor, why), before + 1, "{why}");
    }
}

fn counted(service: &Service, token: &str, why: &str) -> u64 {
    let name = format!("bookonce_failed_sign_ins_total{{reason=\"{why}\"}} ");
    let figures = with(service, token, "GET", "/metrics", "");
    figures.text().lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or_default()
}

fn within_a_moment(happens: impl Fn() -> bool) {
    store::until("the service sees the change", happens);
}
