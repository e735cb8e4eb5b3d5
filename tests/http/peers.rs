//! These tests are about peers that are slow, many, or still there when the service stops, about handlers that panic,
//! the live feed, and TLS.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::http::{Reply, Service, id};
use axum::Router;
use axum::routing::get;
use bookonce::http::{Config, Limits, guarded, router, tls};

/// Limits that a test can wait for.
fn short() -> Limits {
    Limits {
        head: Duration::from_millis(400),
        idle: Duration::from_secs(2),
        write: Duration::from_millis(400),
        ..Limits::default()
    }
}

#[test]
fn row_22_the_limits_are_within_ten_seconds() {
    let noticed = Duration::from_millis(500);
    let limits = Limits::default();
    assert!(limits.head + noticed < Duration::from_secs(10));
    assert!(limits.write + noticed < Duration::from_secs(10));
    assert!(Config::default().body_within < Duration::from_secs(10));
}

#[test]
fn row_22_heads_that_do_not_come_are_cut_off_while_others_are_served() {
    let service = Service::with(Config::default(), short(), router);
    let mut slow: Vec<TcpStream> = (0..500).map(|_| service.connect()).collect();
    let started = Instant::now();
    let mut drip =
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".iter();
    while started.elapsed() < Duration::from_millis(300) {
        let byte = [*drip.next().unwrap_or(&b'a')];
        for socket in &mut slow {
            let _cut_off = socket.write_all(&byte);
        }
        assert_eq!(service.get("/healthz").status, 200);
    }
    for socket in &mut slow {
        closed(socket);
    }
    assert!(started.elapsed() < Limits::default().head, "{:?}", started.elapsed());
}

#[test]
fn row_22_bodies_that_do_not_come_are_answered_and_cut_off() {
    let config = Config { body_within: Duration::from_millis(300), ..Config::default() };
    let service = Service::with(config, Limits::default(), router);
    let mut socket = service.connect();
    let head = "POST /v1/accounts HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    socket.write_all(head.as_bytes()).unwrap();
    let reply = Reply::read(&mut socket);
    assert_eq!((reply.status, reply.code().as_str()), (408, "request_timeout"));
    assert_eq!(reply.header("connection"), Some("close"));
}

#[test]
fn row_22_readers_that_never_read_are_cut_off() {
    let service = Service::with(Config::default(), short(), router);
    let mut socket = service.connect();
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(64);
    let failed = loop {
        socket.set_write_timeout(Some(Limits::default().write)).unwrap();
        if let Err(error) = socket.write_all(&request) {
            break error.kind();
        }
    };
    assert!(matches!(failed, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{failed}");
}

#[test]
fn an_idle_connection_is_kept_for_a_while_and_then_closed() {
    let service = Service::with(Config::default(), short(), router);
    let mut socket = service.connect();
    for _ in 0..3 {
        socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 1024];
        let read = socket.read(&mut answer).unwrap();
        assert_eq!(Reply::parse(&answer[..read]).unwrap().status, 200);
    }
    closed(&mut socket);
}

#[test]
fn one_connection_too_many_is_told_so() {
    let service = Service::with(Config::default(), Limits { connections: 2, ..Limits::default() }, router);
    let mut first = service.connect();
    first.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    first.read_exact(&mut [0; 12]).unwrap();
    let mut second = service.connect();
    second.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    second.read_exact(&mut [0; 12]).unwrap();
    let refused = Reply::read(&mut service.connect());
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop((first, second));
    // The places come free a moment after the sockets close.
    while Reply::read(
        &mut service.connect_and(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
    )
    .status
        != 200
    {}
}

#[test]
fn row_26_a_panic_is_a_500_with_an_id_and_the_process_lives() {
    let service = Service::with(Config::default(), Limits::default(), |app| {
        let boom = get(|| async {
            let read: Result<u8, _> = "a secret of the handler".parse();
            read.expect("a secret of the handler").to_string()
        });
        guarded(&app, Router::new().route("/boom", boom).merge(router(app.clone())).with_state(()))
    });
    let reply = service.get("/boom");
    assert_eq!((reply.status, reply.code().as_str()), (500, "internal"));
    assert_eq!(reply.json()["incident"].as_str().unwrap().len(), 16);
    assert!(!reply.text().contains("secret"));
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn stopping_finishes_what_began_and_takes_nothing_new() {
    let mut service = Service::start();
    service.account("alice");
    let second = service.position(2);
    let body = format!(r#"{{"transaction_id":"{}","amount":"1"}}"#, id());
    let (early, late) = body.split_at(10);
    let mut begun = service.connect();
    let head = "POST /v1/accounts/alice/withdrawals HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let head = format!("{head}expect: 100-continue\r\ncontent-length: {}\r\n\r\n", body.len());
    begun.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    begun.read_exact(&mut go_on).unwrap();
    begun.write_all(early.as_bytes()).unwrap();
    let mut half = service.connect();
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n").unwrap();
    let mut idle = service.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
    let mut feed =
        BufReader::new(service.connect_and(b"GET /v1/journal/live HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    feed.read_line(&mut String::new()).unwrap();
    service.stop();
    closed(&mut idle);
    let mut rest = Vec::new();
    feed.read_to_end(&mut rest).unwrap();
    assert!(String::from_utf8_lossy(&rest).contains(&format!("id: {second}\n")));
    while TcpStream::connect(service.address).is_ok() {}
    begun.write_all(late.as_bytes()).unwrap();
    let reply = Reply::read(&mut begun);
    assert_eq!((reply.status, reply.header("connection")), (201, Some("close")));
    half.write_all(b"\r\n").unwrap();
    let reply = Reply::read(&mut half);
    assert_eq!((reply.status, reply.code().as_str()), (503, "stopping"));
    assert_eq!((reply.header("retry-after"), reply.header("connection")), (Some("1"), Some("close")));
    service.ended();
}

#[test]
fn the_live_feed_resumes_after_the_last_event_seen() {
    let config = Config { heartbeat: Duration::from_millis(50), ..Config::default() };
    let service = Service::with(config, Limits::default(), router);
    service.account("alice");
    let [first, second] = service.positions()[..] else { panic!() };
    let request = format!("GET /v1/journal/live?after={first} HTTP/1.1\r\nhost: localhost\r\n");
    let mut feed = BufReader::new(service.connect_and(format!("{request}\r\n").as_bytes()));
    assert_eq!(next_id(&mut feed), second);
    let line = until(&mut feed, "data: ");
    let stored =
        service.send("GET", &format!("/v1/journal?after={first}"), &[("accept", "application/x-ndjson")], "");
    assert_eq!(line.trim_end(), stored.text().trim_end());
    until(&mut feed, ": still here");
    service.account("bob");
    let [.., third, fourth] = service.positions()[..] else { panic!() };
    assert_eq!((next_id(&mut feed), next_id(&mut feed)), (third, fourth));
    let request = format!("{request}last-event-id: {third}\r\n\r\n");
    let mut resumed = BufReader::new(service.connect_and(request.as_bytes()));
    assert_eq!(next_id(&mut resumed), fourth);
    let head = service.send("GET", "/v1/journal/live", &[("last-event-id", "x")], "");
    assert_eq!(head.fields(), ["Last-Event-ID"]);
}

#[test]
fn a_read_waits_for_its_position_and_not_for_ever() {
    let config = Config { read_wait: Duration::from_millis(100), ..Config::default() };
    let service = Service::with(config, Limits::default(), router);
    service.account("alice");
    let reply = service.get(&format!("/v1/accounts/alice?min_position={}", service.position(2) + 1));
    assert_eq!((reply.status, reply.code().as_str()), (503, "position_not_reached"));
    assert_eq!(reply.header("retry-after"), Some("1"));
    let patient = &Service::start();
    patient.account("alice");
    std::thread::scope(|scope| {
        // Behind the second event is the third, wherever it will be: bob's opening.
        let next = patient.position(2) + 1;
        let reading =
            scope.spawn(move || patient.get(&format!("/v1/accounts/bob?min_position={next}")).status);
        patient.account("bob");
        assert_eq!(reading.join().unwrap(), 200);
    });
}

#[test]
fn with_a_certificate_it_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    assert!(tls::config(&key, &certificate).is_err());
    let service = Service::secured(tls::config(&certificate, &key).unwrap());
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    let url = format!("https://localhost:{}/healthz", service.address.port());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(async { client.get(url).send().await.unwrap().status() });
    assert_eq!(status, 200);
    assert!(Reply::parse(&plain(&service)).is_none());
}

/// What a client that speaks no TLS is told.
fn plain(service: &Service) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut socket = service.connect_and(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let _reset_or_closed = socket.read_to_end(&mut bytes);
    bytes
}

/// Reads until the other side closes or resets.
fn closed(socket: &mut TcpStream) {
    match socket.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert!(matches!(error.kind(), ErrorKind::ConnectionReset), "still open: {error}"),
    }
}

fn until(feed: &mut impl BufRead, start: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(feed.read_line(&mut line).unwrap(), 0, "the feed ended");
        if let Some(rest) = line.strip_prefix(start) {
            return rest.to_owned();
        }
    }
}

fn next_id(feed: &mut impl BufRead) -> u64 {
    until(feed, "id: ").trim().parse().unwrap()
}

#[test]
fn a_request_that_is_on_its_way_when_the_service_stops_is_told_so() {
    let mut service = Service::start();
    let mut socket = service.connect();
    let mut ask = || {
        socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let read = socket.read(&mut answer).unwrap();
        Reply::parse(&answer[..read]).expect("it was cut off without a word")
    };
    assert_eq!(ask().status, 200);
    service.stop();
    let told = loop {
        let told = ask();
        if told.status != 200 {
            break told;
        }
    };
    assert_eq!((told.status, told.header("connection")), (503, Some("close")), "{}", told.text());
}
