//! These tests use keys that several instances share, through the binary: there is one folder of hashes, and all of
//! them read it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use support::process::{Process, bookonce, send_with};

/// A change is seen within a quarter of a second; a busy machine gets a little more.
const REFRESH: Duration = Duration::from_secs(1);

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().unwrap().to_owned()
}

/// What an instance says to a read with this token.
fn status(instance: &Process, token: Option<&str>) -> u16 {
    let header = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    send_with(instance.address, "GET", "/v1/accounts", &header, "").unwrap().status
}

fn soon(instance: &Process, token: Option<&str>, expected: u16) {
    let begun = Instant::now();
    while status(instance, token) != expected {
        assert!(begun.elapsed() < REFRESH, "{} did not answer {expected} in time", instance.address);
    }
}

#[test]
fn a_key_made_in_a_shared_folder_is_good_on_both_instances_until_it_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let shared = path(dir.path(), "keys");
    let first = Process::start_with(&dir.path().join("one"), &["--keys", &shared], &[]).unwrap();
    let second = Process::start_with(&dir.path().join("two"), &[], &[("BOOKONCE_KEYS", &shared)]).unwrap();
    let instances = [&first, &second];
    for instance in instances {
        assert_eq!(status(instance, None), 200, "no key was ever made");
    }
    let (code, made, said) = bookonce(&["keys", "create", "--role", "auditor", "--json", "--keys", &shared]);
    assert_eq!(code, 0, "{said}");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    for instance in instances {
        soon(instance, None, 401);
        assert_eq!(status(instance, Some(token)), 200);
    }
    assert_eq!(bookonce(&["keys", "revoke", id, "--keys", &shared]).0, 0);
    for instance in instances {
        soon(instance, Some(token), 401);
    }
    for data in ["one", "two"] {
        assert!(!dir.path().join(data).join("keys.json").exists());
    }
}

/// Asks on a connection that stays open; the status and the body.
fn ask(socket: &mut TcpStream, path: &str, token: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = socket.read(&mut piece).unwrap();
        assert!(read > 0, "the service closed the connection");
        bytes.extend_from_slice(&piece[..read]);
        if let Some(reply) = whole(&String::from_utf8_lossy(&bytes)) {
            return reply;
        }
    }
}

fn whole(text: &str) -> Option<(u16, String)> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
    (body.len() >= length).then(|| (head[9..12].parse().unwrap(), body.to_owned()))
}

fn made(keys: &str, role: &str) -> (String, String) {
    let (code, made, said) = bookonce(&["keys", "create", "--role", role, "--json", "--keys", keys]);
    assert_eq!(code, 0, "{said}");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
}

/// Seen failing with a ring that counted the file as seen although it could not be read: the revoked key was good for as
/// long as the service ran, and `/readyz` said `ready`.
#[test]
fn a_revocation_whose_look_fails_takes_effect_when_the_keys_can_be_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let keys = path(dir.path(), "keys");
    let (id, token) = made(&keys, "auditor");
    let service = Process::start_with(&dir.path().join("data"), &["--keys", &keys], &[]).unwrap();
    let mut socket = TcpStream::connect(service.address).unwrap();
    assert_eq!(ask(&mut socket, "/v1/accounts", &token).0, 200);
    let files = service.no_more_files();
    assert_eq!(bookonce(&["keys", "revoke", &id, "--keys", &keys]).0, 0);
    let begun = Instant::now();
    loop {
        let (status, said) = ask(&mut socket, "/readyz", &token);
        if status == 503 && said.contains("keys can't be read") {
            break;
        }
        assert!(begun.elapsed() < REFRESH, "not said: {status} {said}");
    }
    let (_, figures) = ask(&mut socket, "/metrics", &token);
    assert!(figures.contains("bookonce_keys_unreadable 1"), "{figures}");
    drop(files);
    let begun = Instant::now();
    while ask(&mut socket, "/v1/accounts", &token).0 != 401 {
        assert!(begun.elapsed() < REFRESH, "the revocation is lost");
    }
    assert_eq!(ask(&mut socket, "/readyz", &token).0, 200);
}
