//! These tests use keys that several instances share, through the binary: there is one folder of hashes, and all of
//! them read it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use support::process::{Process, bookonce, send_with};

/// A change is seen within a quarter of a second; a busy machine gets more.
const REFRESH: Duration = Duration::from_secs(120);

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

/// All files and folders below `path`, itself among them, that others than their owner have rights on.
fn open_to_others(path: &Path) -> Vec<String> {
    let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut found = Vec::new();
    if mode != if path.is_dir() { 0o700 } else { 0o600 } {
        found.push(format!("{} {mode:o}", path.display()));
    }
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            found.extend(open_to_others(&entry.unwrap().path()));
        }
    }
    found
}

fn open_up(path: &Path) {
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            open_up(&entry.unwrap().path());
        }
    }
}

/// Seen failing with a journal of 0644 in a folder of 0755.
#[test]
fn files_are_their_owners_alone_also_those_that_were_there() {
    let dir = tempfile::tempdir().unwrap();
    let (data, keys) = (dir.path().join("above/data"), dir.path().join("above/keys"));
    let shared = path(dir.path(), "above/keys");
    let token = made(&shared, "operator").1;
    let book = |service: &Process| {
        let opening =
            format!(r#"{{"transaction_id":"{}","account":"alice","currency":"EUR"}}"#, support::http::id());
        let header = format!("authorization: Bearer {token}\r\n");
        send_with(service.address, "POST", "/v1/accounts", &header, &opening).unwrap().status
    };
    for status in [201, 409] {
        let mut service = Process::start_with(&data, &["--keys", &shared], &[]).unwrap();
        assert_eq!(book(&service), status);
        assert_eq!(open_to_others(&data), [""; 0]);
        assert_eq!(open_to_others(&keys), [""; 0]);
        assert_eq!(service.stop(), Some(0));
        assert_eq!(open_to_others(&data), [""; 0]);
        open_up(&data);
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
