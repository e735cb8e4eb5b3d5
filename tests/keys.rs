//! These tests use keys that several instances share, through the binary: there is one folder of hashes, and all of
//! them read it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

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
