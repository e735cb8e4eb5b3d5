//! An operator tries a destination: one message that says nothing, whose outcome is recorded. The real program with receivers
//! beside it.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use serde_json::{Value, json};

use crate::operator::{destination, read};
use crate::program::{Home, open};
use crate::receiver::{Does, Receiver};
use crate::running::one;
use crate::sockets::receiver;
use crate::support::http::id;
use crate::support::process::{Process, Reply, bookonce, send, verify};
use crate::support::store;

fn tried(service: &Process, name: &str, id: &str) -> Reply {
    let body = json!({"transaction_id": id}).to_string();
    send(service.address, "POST", &format!("/v1/destinations/{name}/test"), &body).unwrap()
}

fn said(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

/// Guards against: a test that is sent again by a retry, that passes for a message of an event, or that changes how its
/// destination stands.
#[test]
fn a_test_is_sent_once_and_says_nothing() {
    if store::is_eventstoredb() {
        return;
    }
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    let (address, _) = receiver(move |mut socket, request| {
        hears.lock().unwrap().push(request);
        socket.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
    });
    let home = Home::new(&format!(
        "[destinations.crm]\nkind = 'webhook'\nurl = 'http://{address}/'\nguarantee = 'at_least_once'\nallow_http = true\n\
         allow_private = ['127.0.0.1']\nfrom = 'start'\n"
    ));
    let mut service = home.serve("data", &[]).unwrap();
    let asked = id();
    let first = tried(&service, "crm", &asked);
    assert_eq!((first.status, first.replayed), (201, false), "{}", first.body);
    let told = said(&first);
    for (member, value) in [
        ("transaction_id", json!(asked)),
        ("kind", json!("destination_test")),
        ("outcome", json!("delivered")),
        ("destination", json!("crm")),
        ("detail", Value::Null),
    ] {
        assert_eq!(told[member], value, "{member}: {told}");
    }
    let request = heard.lock().unwrap()[0].clone();
    let (head, body) = request.split_once("\n{").unwrap();
    let name = format!("test.{asked}.crm");
    assert!(
        head.contains(&format!("webhook-id: {name}\r\n")) && head.contains("bookonce-attempt: 1\r\n"),
        "{head}"
    );
    assert!(!head.contains("bookonce-position"), "{head}");
    let body: Value = serde_json::from_str(&format!("{{{body}")).unwrap();
    let mut members: Vec<&String> = body.as_object().unwrap().keys().collect();
    members.sort();
    let all = [
        "correlationid",
        "datacontenttype",
        "id",
        "source",
        "specversion",
        "subject",
        "time",
        "transactionid",
        "type",
    ];
    assert_eq!(members, all);
    for (member, value) in [
        ("id", name.as_str()),
        ("type", "bookonce.test"),
        ("subject", "test"),
        ("transactionid", &asked),
        ("correlationid", &asked),
    ] {
        assert_eq!(body[member], value, "{member}");
    }
    assert_eq!(tried(&service, "crm", &asked), Reply { replayed: true, ..first.clone() });
    let pause = json!({"transaction_id": id(), "reason": "it is moved"});
    let path = "/v1/destinations/crm/pause";
    assert_eq!(send(service.address, "POST", path, &pause.to_string()).unwrap().status, 201);
    assert_eq!(service.stop(), Some(0));

    let mut service = home.serve("data", &[]).unwrap();
    assert_eq!(tried(&service, "crm", &asked), Reply { replayed: true, ..first.clone() });
    let used = tried(&service, "crm", pause["transaction_id"].as_str().unwrap());
    assert_ne!(used.status, 201, "{}", used.body);
    let unknown = tried(&service, "nobody", &id());
    assert_eq!((unknown.status, &said(&unknown)["code"]), (404, &json!("destination_not_found")));
    assert_eq!(heard.lock().unwrap().len(), 1);
    // A paused one is tried, too, before it goes on.
    assert_eq!(said(&tried(&service, "crm", &id()))["outcome"], "delivered");
    assert_eq!((heard.lock().unwrap().len(), &destination(&service, "crm")["state"]), (2, &json!("paused")));
    let history = read(&service, &format!("/v1/transactions/{asked}"));
    assert_eq!((&history["first_answer"]["body"], &history["kind"]), (&told, &json!("destination_test")));
    assert_eq!(service.stop(), Some(0));
    verify(Path::new(&home.path("data")));
}

/// Guards against: a test that parks a message, opens the breaker or makes a dead letter; and a second one beside it under the
/// same ID.
#[test]
fn a_test_that_fails_is_recorded_and_harms_nothing() {
    if store::is_eventstoredb() {
        return;
    }
    let (came, takes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (comes, is_taken) = (Arc::clone(&came), Arc::clone(&takes));
    let receiver = Receiver::start(move |_, _| {
        comes.store(true, Ordering::SeqCst);
        held.lock().unwrap().recv().ok();
        if is_taken.load(Ordering::SeqCst) { Does::Takes } else { Does::Answers(503, None) }
    });
    let home = Home::new(&one("crm", &receiver, "at_least_once", ""));
    let mut service = home.serve("data", &[]).unwrap();
    let asked = id();
    let first = std::thread::scope(|scope| {
        let first = scope.spawn(|| tried(&service, "crm", &asked));
        store::until("it is under way", || came.load(Ordering::SeqCst));
        let beside = tried(&service, "crm", &asked);
        assert_eq!((beside.status, &said(&beside)["code"]), (409, &json!("in_progress")));
        release.send(()).unwrap();
        first.join().unwrap()
    });
    drop(release);
    let told = said(&first);
    assert_eq!(
        (first.status, &told["outcome"], &told["detail"]),
        (201, &json!("failed"), &json!("503: no!"))
    );
    takes.store(true, Ordering::SeqCst);
    assert_eq!(tried(&service, "crm", &asked), Reply { replayed: true, ..first });
    assert_eq!(receiver.arrivals().len(), 1);
    let shown = destination(&service, "crm");
    assert_eq!(
        (&shown["state"], &shown["parked"], &shown["dead_letters_open"]),
        (&json!("serving"), &json!(0), &json!(0))
    );
    assert_eq!(said(&tried(&service, "crm", &id()))["outcome"], "delivered");
    assert_eq!(service.stop(), Some(0));

    // It is sent where nothing else is.
    let mut service = home.serve("data", &["--pause-messages"]).unwrap();
    open(&service, "alice");
    assert_eq!(said(&tried(&service, "crm", &id()))["outcome"], "delivered");
    assert_eq!((receiver.arrivals().len(), &destination(&service, "crm")["state"]), (3, &json!("held")));
    assert_eq!(service.stop(), Some(0));
    std::fs::write(home.path("bookonce.toml"), "").unwrap();
    let mut service = home.serve("data", &[]).unwrap();
    let missing = tried(&service, "crm", &id());
    let told = said(&missing);
    assert_eq!(
        (missing.status, &told["code"], &told["reason"]),
        (409, &json!("destination_state"), &json!("missing"))
    );
    assert_eq!(receiver.arrivals().len(), 3);
    assert_eq!(service.stop(), Some(0));
    verify(Path::new(&home.path("data")));
}

/// Guards against: a command that says that a test was done which came to nothing, or that sends it twice.
#[test]
fn the_command_line_tries_a_destination() {
    if store::is_eventstoredb() {
        return;
    }
    let receiver = Receiver::start(|_, before| if before == 0 { Does::Takes } else { Does::Breaks });
    let away = Receiver::start(|_, _| Does::Takes);
    let settings = one("crm", &receiver, "at_least_once", "") + &one("away", &away, "at_least_once", "");
    drop(away);
    let home = Home::new(&settings);
    let mut service = home.serve("data", &[]).unwrap();
    let url = format!("http://{}", service.address);
    let run =
        |arguments: &[&str]| bookonce(&[&["destinations", "test"], arguments, &["--url", &url]].concat());
    let id = id();
    let (code, first, complaint) = run(&["crm", "--id", &id]);
    assert_eq!(
        (code, &serde_json::from_str::<Value>(&first).unwrap()["outcome"]),
        (0, &json!("delivered")),
        "{complaint}"
    );
    assert_eq!(run(&["crm", "--id", &id]), (0, first, String::new()));
    assert_eq!(receiver.arrivals().len(), 1);
    let (code, told, _) = run(&["away"]);
    assert_eq!((code, &serde_json::from_str::<Value>(&told).unwrap()["outcome"]), (1, &json!("failed")));
    let (code, _, complaint) = run(&["nobody"]);
    assert!(code == 1 && complaint.contains("404 destination_not_found"), "{code} {complaint}");
    assert_eq!(service.stop(), Some(0));
}
