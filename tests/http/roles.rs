//! These tests hold every route to every role, and a role to what it may ask for on a route that is open to it.

use crate::support::http::{Reply, Service, id};
use bookonce::domain::time::system_clock;
use bookonce::http::{Config, Limits, router};
use bookonce::keys::Role;
use bookonce::keys::file::{NewKey, create};
use serde_json::{Value, json};

/// Every route that needs a key, and who may use it: teller, auditor, operator.
const TABLE: [(&str, &str, [bool; 3]); 42] = [
    ("GET", "/v1/accounts", [true, true, true]),
    ("GET", "/v1/accounts/{account}", [true, true, true]),
    ("GET", "/v1/accounts/{account}/entries", [true, true, true]),
    ("GET", "/v1/accounts/{account}/holds", [true, true, true]),
    ("GET", "/v1/accounts/{account}/holds/{hold}", [true, true, true]),
    ("GET", "/v1/transactions/{id}", [true, true, true]),
    ("GET", "/v1/transactions", [false, true, true]),
    ("GET", "/v1/journal", [false, true, true]),
    ("GET", "/v1/journal/head", [false, true, true]),
    ("GET", "/v1/journal/live", [false, true, true]),
    ("GET", "/v1/trial-balance", [false, true, true]),
    ("GET", "/v1/digest", [false, true, true]),
    ("GET", "/v1/destinations", [false, true, true]),
    ("GET", "/v1/destinations/{name}", [false, true, true]),
    ("GET", "/v1/destinations/{name}/parked", [false, true, true]),
    ("POST", "/v1/destinations/{name}/pause", [false, false, true]),
    ("POST", "/v1/destinations/{name}/resume", [false, false, true]),
    ("POST", "/v1/destinations/{name}/test", [false, false, true]),
    ("GET", "/metrics", [false, true, true]),
    ("POST", "/v1/accounts", [true, false, true]),
    ("POST", "/v1/accounts/{account}/deposits", [true, false, true]),
    ("POST", "/v1/accounts/{account}/withdrawals", [true, false, true]),
    ("POST", "/v1/accounts/{account}/reversals", [true, false, true]),
    ("POST", "/v1/accounts/{account}/holds", [true, false, true]),
    ("POST", "/v1/accounts/{account}/holds/{hold}/capture", [true, false, true]),
    ("POST", "/v1/accounts/{account}/holds/{hold}/release", [true, false, true]),
    ("GET", "/v1/transfers", [true, true, true]),
    ("GET", "/v1/transfers/{transfer}", [true, true, true]),
    ("POST", "/v1/transfers", [true, false, true]),
    ("POST", "/v1/transfers/{transfer}/cancel", [true, false, true]),
    ("POST", "/v1/transfers/{transfer}/outcome", [false, false, true]),
    ("POST", "/v1/transfers/{transfer}/retry", [false, false, true]),
    ("POST", "/v1/transfers/{transfer}/abandon", [false, false, true]),
    ("POST", "/v1/batch", [true, false, true]),
    ("POST", "/v1/accounts/{account}/corrections", [false, false, true]),
    ("POST", "/v1/accounts/{account}/overdraft-limit", [false, false, true]),
    ("POST", "/v1/accounts/{account}/freeze", [false, false, true]),
    ("POST", "/v1/accounts/{account}/unfreeze", [false, false, true]),
    ("POST", "/v1/accounts/{account}/close", [false, false, true]),
    ("GET", "/", [true, true, true]),
    ("GET", "/healthz", [true, true, true]),
    ("GET", "/readyz", [true, true, true]),
];
/// The last routes of the table, which need no key.
const OPEN: usize = 3;
/// Routes that need no key and that the OpenAPI document, being one of them, does not name.
const UNNAMED: [&str; 2] = ["/openapi.json", "/docs/"];

/// A service with a key for each role, and one more teller's.
fn with_keys() -> (Service, [String; 3], String) {
    let folder = tempfile::tempdir().unwrap();
    let make = |role| {
        let new = NewKey { role, name: None, expires_in_days: None };
        create(folder.path(), new, system_clock()()).unwrap().1
    };
    let tokens = [Role::Teller, Role::Auditor, Role::Operator].map(make);
    let other = make(Role::Teller);
    (Service::on(folder, Config::default(), Limits::default(), router), tokens, other)
}

fn with(service: &Service, token: &str, method: &str, path: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let form = if path == "/v1/batch" { "application/x-ndjson" } else { "application/json" };
    service.send(method, path, &[("authorization", bearer.as_str()), ("content-type", form)], body)
}

/// Seen failing with a teller that froze, unfroze and closed accounts and read the whole journal, and with `/docs` and the
/// document shut.
#[test]
fn every_route_lets_in_the_roles_of_the_table_and_no_other() {
    let (service, tokens, _) = with_keys();
    let document = service.get("/openapi.json");
    assert_eq!(document.status, 200, "the document is open");
    let document = document.json();
    let named: usize =
        document["paths"].as_object().unwrap().values().map(|it| it.as_object().unwrap().len()).sum();
    assert_eq!(named, TABLE.len(), "the table has every route of the document");
    for path in UNNAMED {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
    for (place, (method, path, allowed)) in TABLE.iter().enumerate() {
        let concrete = path
            .replace("{account}", "alice")
            .replace("{id}", &id())
            .replace("{name}", "crm")
            .replace("{hold}", &id())
            .replace("{transfer}", &id());
        let open = place >= TABLE.len() - OPEN;
        let nobody = service.send(method, &concrete, &[], "").status;
        assert_eq!(nobody == 401, !open, "{method} {path} without a key: {nobody}");
        let operation = &document["paths"][path][method.to_lowercase()];
        let roles: Vec<&str> = ["teller", "auditor", "operator"]
            .into_iter()
            .zip(allowed)
            .filter_map(|(role, allowed)| allowed.then_some(role))
            .collect();
        if !open {
            assert_eq!(operation["x-roles"], json!(roles), "{method} {path} in the document");
        }
        for (token, allowed) in tokens.iter().zip(allowed) {
            if *path == "/v1/journal/live" && *allowed {
                continue; // It does not end by itself.
            }
            let reply = with(&service, token, method, &concrete, "");
            assert_eq!(reply.status != 403, *allowed, "{method} {path}: {} to {roles:?}", reply.status);
            assert!(*allowed || reply.code() == "forbidden");
        }
    }
}

fn opening(limit: Value) -> String {
    json!({"transaction_id": id(), "account": id(), "currency": "EUR", "overdraft_limit": limit}).to_string()
}

/// Seen failing with a teller that opened an account with a limit of 10^15.
#[test]
fn a_teller_gives_no_credit() {
    let (service, [teller, auditor, operator], _) = with_keys();
    let head = || with(&service, &auditor, "GET", "/v1/journal/head", "").json();
    let before = head();
    for limit in ["1000000000000000", "0.01", "0.0001"] {
        let reply = with(&service, &teller, "POST", "/v1/accounts", &opening(limit.into()));
        assert_eq!((reply.status, reply.code().as_str()), (403, "forbidden"), "{limit}");
    }
    let mut line: Value = serde_json::from_str(&opening("5".into())).unwrap();
    line["op"] = "open_account".into();
    let batch = with(&service, &teller, "POST", "/v1/batch", &format!("{line}\n"));
    assert_eq!(batch.json()["body"]["code"], "forbidden");
    assert_eq!(head(), before);
    for limit in ["0", "0.00"] {
        let reply = with(&service, &teller, "POST", "/v1/accounts", &opening(limit.into()));
        assert_eq!(reply.status, 201, "{limit}: {}", reply.text());
    }
    assert_eq!(with(&service, &operator, "POST", "/v1/accounts", &opening("5".into())).status, 201);
}

/// Seen failing with a teller that read every transaction.
#[test]
fn a_teller_is_told_what_became_of_its_own_transactions() {
    let (service, [teller, auditor, operator], other) = with_keys();
    let (own, never) = (id(), id());
    let open = json!({"transaction_id": own, "account": "alice", "currency": "EUR"}).to_string();
    assert_eq!(with(&service, &teller, "POST", "/v1/accounts", &open).status, 201);
    let ask = |token: &str, id: &str| with(&service, token, "GET", &format!("/v1/transactions/{id}"), "");
    for token in [&teller, &auditor, &operator] {
        assert_eq!(ask(token, &own).json()["transaction_id"], own);
    }
    assert_eq!(ask(&other, &own).code(), "forbidden");
    assert_eq!(ask(&other, &never).code(), "transaction_not_found");
    let prevent = json!({"transaction_id": id(), "reverses": never, "reason": "r"}).to_string();
    assert_eq!(with(&service, &operator, "POST", "/v1/accounts/alice/reversals", &prevent).status, 201);
    assert_eq!(ask(&other, &never).json()["outcome"], "ruled_out");
}
