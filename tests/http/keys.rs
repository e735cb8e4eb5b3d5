//! These tests use keys over HTTP: who is let in, and what they may do.

use std::time::{Duration, Instant};

use crate::support::http::{Reply, Service, id};
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
fn only_the_probes_need_no_key() {
    let (service, [teller, ..]) = with_keys();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
    for path in ["/metrics", "/openapi.json", "/v1/journal/live", "/v1/digest", "/docs/"] {
        assert_eq!(service.get(path).status, 401, "{path}");
    }
    assert_eq!(with(&service, &teller, "GET", "/openapi.json", "").status, 200);
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

fn within_a_moment(happens: impl Fn() -> bool) {
    let started = Instant::now();
    while !happens() {
        assert!(started.elapsed() < Duration::from_secs(1), "the service did not see the change");
    }
}
