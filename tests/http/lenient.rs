//! These tests send what is written in an unusual way and means something plain: it is understood.

use std::io::Read;
use std::time::Duration;

use crate::support::http::{Service, id};
use bookonce::http::{Config, Limits, router};

/// Seen failing with 406 for each.
#[test]
fn a_liking_may_be_written_short_long_or_not_at_all() {
    let service = Service::start();
    for accept in [
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        "application/json;q=.9",
        "application/json;q=0.0001",
        "application/json; Q=0.5",
        "application/json; q = 0.5",
        "application/json;q=",
        "",
        " , ",
    ] {
        let reply = service.send("GET", "/v1/accounts", &[("accept", accept)], "");
        assert_eq!(reply.status, 200, "{accept}");
    }
    for accept in ["application/json;q=0", "application/json;q=0.000", "application/json;q=.0", "text/html"] {
        let reply = service.send("GET", "/v1/accounts", &[("accept", accept)], "");
        assert_eq!((reply.status, reply.code().as_str()), (406, "not_acceptable"), "{accept}");
    }
}

/// Seen failing with 415.
#[test]
fn utf_8_is_understood_without_its_hyphen() {
    let service = Service::start();
    for form in [
        "application/json; charset=utf8",
        "application/json;charset=\"UTF8\"",
        "application/json; charset=UTF-8",
    ] {
        let opening = format!(r#"{{"transaction_id":"{}","account":"{}","currency":"EUR"}}"#, id(), id());
        let reply = service.send("POST", "/v1/accounts", &[("content-type", form)], opening);
        assert_eq!(reply.status, 201, "{form}: {}", reply.text());
    }
}

/// Seen failing with an empty `Last-Event-ID`, which got no feed. Guards against a feed that waits in silence after a position
/// of another journal.
#[test]
fn the_live_feed_goes_on_from_what_was_seen_and_from_nothing_else() {
    let config = Config { read_wait: Duration::from_millis(100), ..Config::default() };
    let service = Service::with(config, Limits::default(), router);
    service.account("alice");
    let request = "GET /v1/journal/live HTTP/1.1\r\nhost: localhost\r\nlast-event-id:\r\n\r\n";
    let mut feed = service.connect_and(request.as_bytes());
    let mut head = String::new();
    while !head.contains("id: ") {
        let mut piece = [0; 256];
        let read = feed.read(&mut piece).unwrap();
        head.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("\r\nx-accel-buffering: no\r\n"), "{head}");
    assert!(head.contains(&format!("id: {}\n", service.position(1))), "{head}");
    let ahead = (service.position(2) + 1).to_string();
    let resumed = service.send("GET", "/v1/journal/live", &[("last-event-id", &ahead)], "");
    assert_eq!((resumed.status, resumed.code().as_str()), (400, "unknown_position"));
    assert_eq!(resumed.json()["nearest"], service.position(2));
    let after = service.get(&format!("/v1/journal/live?after={ahead}"));
    assert_eq!((after.status, after.code().as_str()), (400, "unknown_position"));
}
