//! These tests do what a person does who opens the service in a browser: they look at its front page, and send the examples
//! of its document one after the other.

use std::collections::BTreeMap;

use crate::support::http::{Reply, Service, id};
use bookonce::domain::time::system_clock;
use bookonce::http::{Config, Limits, router};
use bookonce::keys::Role;
use bookonce::keys::file::{NewKey, create};
use serde_json::Value;

/// One request of the document: its name, its method, its path with the examples of its parameters, and its body.
struct Example {
    name: String,
    method: String,
    path: String,
    body: Option<(String, String)>,
}

/// The examples of a document, by tag, then in the order in which it has them, as its page shows them.
fn examples(service: &Service) -> Vec<Example> {
    // The order of the paths is that of the text, which a map of this crate's would not keep.
    let text = service.get("/openapi.json");
    let document = text.json();
    let paths = document["paths"].as_object().unwrap();
    let mut order: Vec<&String> = paths.keys().collect();
    order.sort_by_key(|path| text.text().find(&format!("\"{path}\":{{")).unwrap());
    let mut by_tag: BTreeMap<usize, Vec<Example>> = BTreeMap::new();
    let tags = document["tags"].as_array().unwrap();
    for path in order {
        for (method, operation) in paths[path].as_object().unwrap() {
            let tag = tags.iter().position(|tag| tag["name"] == operation["tags"][0]).unwrap();
            by_tag.entry(tag).or_default().push(example(path, method, operation));
        }
    }
    by_tag.into_values().flatten().collect()
}

fn example(path: &str, method: &str, operation: &Value) -> Example {
    let mut path = path.to_owned();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let given = parameter["example"].as_str();
        match (parameter["in"].as_str().unwrap(), given) {
            ("path", Some(value)) => {
                path = path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), value);
            }
            (_, None) => assert_ne!(parameter["required"], true, "{path} {parameter}"),
            (_, Some(_)) => {}
        }
    }
    let content = operation["requestBody"]["content"].as_object();
    let body = content.into_iter().flatten().next().map(|(form, content)| {
        let shown = &content["example"];
        // What is text goes as it is, what is JSON as JSON.
        (form.clone(), shown.as_str().map_or_else(|| shown.to_string(), str::to_owned))
    });
    Example { name: operation["operationId"].to_string(), method: method.to_uppercase(), path, body }
}

fn sent(service: &Service, example: &Example) -> Reply {
    let (form, body) = example.body.clone().unwrap_or_default();
    let headers = [("content-type", form.as_str())];
    service.send(&example.method, &example.path, if form.is_empty() { &[] } else { &headers }, body)
}

/// Seen failing with a document that had no ID to read and no bodies to send.
#[test]
fn the_examples_of_the_document_work_in_their_order_and_again() {
    let service = Service::start();
    let examples = examples(&service);
    let mut counts = Vec::new();
    for again in [false, true] {
        for example in examples.iter().filter(|example| example.path != "/v1/journal/live") {
            let reply = sent(&service, example);
            let shown = format!("{} {} {}", example.name, example.path, reply.text());
            match (example.method.as_str(), example.path.as_str()) {
                // A new ledger has no destinations: they come from the settings.
                (_, path) if path.starts_with("/v1/destinations/") => {
                    assert_eq!(reply.code(), "destination_not_found", "{shown}");
                }
                ("GET", _) => assert_eq!(reply.status, 200, "{shown}"),
                (_, "/v1/batch") => {
                    assert_eq!(reply.status, 200, "{shown}");
                    let lines: Vec<Value> =
                        reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                    let booked = |line: &Value| line["status"] == 201 && line["replayed"] == again;
                    assert!(lines.len() == 4 && lines.iter().all(booked), "{shown}");
                }
                // A cancel may come before the end or after it; the other acts come in no state that lasts.
                (_, path) if path.starts_with("/v1/transfers/") => {
                    assert!([202, 402].contains(&reply.status), "{shown}");
                    assert_eq!(reply.header("idempotent-replayed"), again.then_some("true"), "{shown}");
                }
                (_, path) => {
                    assert_eq!(reply.status, if path == "/v1/transfers" { 202 } else { 201 }, "{shown}");
                    assert_eq!(reply.header("idempotent-replayed"), again.then_some("true"), "{shown}");
                }
            }
        }
        service.get("/v1/transfers/018f4e6e-9d52-7a30-8f7e-000000000021?wait=30");
        counts.push(service.positions().len());
    }
    assert!(counts[0] > 16 && counts[0] == counts[1], "{counts:?}");
}

/// The same requests as the README's walkthrough are the first examples, so that both may be tried on one ledger.
#[test]
fn the_walkthrough_and_the_examples_are_the_same() {
    let readme = include_str!("../../README.md");
    let service = Service::start();
    for example in examples(&service).iter().filter(|example| example.method == "POST").take(4) {
        let (_, body) = example.body.as_ref().unwrap();
        let asked: Value = serde_json::from_str(body).unwrap();
        let id = asked["transaction_id"].as_str().unwrap();
        let (_, shown) = readme.split_once(&format!("{{\"transaction_id\":\"{id}\"")).expect(id);
        let shown = format!("{{\"transaction_id\":\"{id}\"{}}}", shown.split_once('}').unwrap().0);
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), asked);
    }
}

/// Seen failing with 404.
#[test]
fn a_browser_finds_a_page_at_the_front() {
    let folder = tempfile::tempdir().unwrap();
    let new = NewKey { role: Role::Operator, name: None, expires_in_days: None };
    create(folder.path(), new, system_clock()()).unwrap();
    let service = Service::on(folder, Config::default(), Limits::default(), router);
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = service.send("GET", "/", &[("accept", accept)], "");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("It is well"), "{}", page.text());
    for link in page.text().split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let status = service.get(link).status;
        assert!(status == 200 || (link == "/metrics" && status == 401), "{link}: {status}");
    }
    let start = service.get("/docs/swagger-initializer.js");
    assert!(start.status == 200 && start.text().contains("application/x-ndjson"), "{}", start.text());
    assert_eq!(service.get(&format!("/v1/transactions/{}", id())).status, 401);
}
