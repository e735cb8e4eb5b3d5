//! Versions are changed one instance after the other, so for a while two versions write one store. The older one meets
//! events that it does not know: it stops following and says that it must be upgraded. It marks no account as damaged, skips
//! nothing, and after the upgrade goes on with the index that it has.
//!
//! The older version is the real program, as processes of its own. The newer one is played: a test appends what a newer version
//! would, an event that is right in all but its version number. In [`two_programs`] it is a second build of the program.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod folder;
#[path = "../support/mod.rs"]
mod support;
mod two_programs;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bookonce::store::chain::event_id;
use bookonce::store::eventstoredb::{Recorded, Store, prepare_tls};
use eventstore::{AppendToStreamOptions, Client, EventData, ExpectedRevision};
use eventstore_standin::file::{replaced, rewrite};
use eventstore_standin::{Options, Running, Standin};
use support::process::{Process, Reply, send};
use support::store::{runtime, until};
use uuid::Uuid;

const FIRST: &str = "10000000-0000-4000-8000-000000000003";
const NEWER: &str = "10000000-0000-4000-8000-000000000004";

fn start(node: &Running, data: &Path) -> Process {
    let store = node.connection_string();
    Process::start_with(data, &["--store", &store], &[]).unwrap_or_else(|said| panic!("{said}"))
}

fn get(of: &Process, path: &str) -> Reply {
    send(of.address, "GET", path, "").unwrap()
}

fn ready(of: &Process) {
    until("it is ready", || get(of, "/readyz").status == 200);
}

fn deposit(of: &Process, account: &str, id: &str) -> Reply {
    let body = format!(r#"{{"transaction_id":"{id}","amount":"5.00"}}"#);
    send(of.address, "POST", &format!("/v1/accounts/{account}/deposits"), &body).unwrap()
}

fn open(of: &Process, account: &str, n: u32) {
    let body = format!(
        r#"{{"transaction_id":"10000000-0000-4000-8000-{n:012}","account":"{account}","currency":"EUR"}}"#
    );
    assert_eq!(send(of.address, "POST", "/v1/accounts", &body).unwrap().status, 201);
}

/// What comes after an event when its version is this: another deposit of the same amount.
struct Next {
    id: Uuid,
    data: Vec<u8>,
    metadata: Vec<u8>,
    hash: String,
}

impl Next {
    fn after(last: &Recorded, version: u8) -> Self {
        let read = last.read().unwrap();
        let (from, to) =
            (format!("\"revision\":{}", last.revision), format!("\"revision\":{}", last.revision + 1));
        let change = |text: &[u8]| {
            let text = std::str::from_utf8(text).unwrap();
            text.replace(FIRST, NEWER)
                .replace("\"version\":1", &format!("\"version\":{version}"))
                .replace(&from, &to)
                .replace("\"balance\":\"5.00\"", "\"balance\":\"9.99\"")
                .replace("\"available\":\"5.00\"", "\"available\":\"9.99\"")
                .replace("\"amount\":\"5.00\"", "\"amount\":\"4.99\"")
                .replace("\"amount\":\"-5.00\"", "\"amount\":\"-4.99\"")
        };
        let canonical = change(&read.canonical);
        let hash = read.line.hash.then(canonical.as_bytes()).to_string();
        let metadata = change(&last.metadata).replace(&read.line.hash.to_string(), &hash);
        Self {
            id: event_id(canonical.as_bytes()),
            data: change(&last.data).into_bytes(),
            metadata: metadata.into_bytes(),
            hash,
        }
    }

    fn append(&self, node: &Running, after: &Recorded) {
        runtime().block_on(async {
            prepare_tls().await;
            let client = Client::new(node.connection_string().parse().unwrap()).unwrap();
            let data: Box<serde_json::value::RawValue> = serde_json::from_slice(&self.data).unwrap();
            let event = EventData::json(after.kind.clone(), &data).unwrap();
            let event = event.id(self.id).metadata(self.metadata.clone().into());
            let at =
                AppendToStreamOptions::default().expected_revision(ExpectedRevision::Exact(after.revision));
            client.append_to_stream(after.stream.as_str(), &at, event).await.unwrap();
        });
    }
}

/// Runs a command of a program on the journal of the node, and returns its exit code and all that it said.
fn ask(program: &Path, command: &str, node: &Running) -> (Option<i32>, String) {
    let ran = Command::new(program).args([command, "--store", &node.connection_string()]).output().unwrap();
    (ran.status.code(), String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned())
}

/// Checks that the auditor's commands of an older program say that it must be upgraded, and call nothing wrong.
fn the_auditor_must_be_upgraded(program: &Path, node: &Running) {
    for (command, says) in [("verify", "\nNEWER "), ("replay", "too old"), ("export", "no manifest")] {
        let (code, said) = ask(program, command, node);
        assert_eq!(code, Some(6), "{command}: {said}");
        let version =
            "the stream account-alice has an event here that a newer version of bookonce wrote, of version 2";
        assert!(said.contains(says) && said.contains(version), "{command}: {said}");
        assert!(!said.contains("BAD") && !said.contains("did not write"), "{command}: {said}");
    }
}

fn must_be_upgraded(of: &Process, first: &Reply) {
    until("it says that it must be upgraded", || {
        get(of, "/metrics").body.contains("bookonce_not_ready{cause=\"upgrade\"} 1\n")
    });
    // It reads what it can't read again and again, and is not ready meanwhile.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(600) {
        let ready = get(of, "/readyz");
        assert_eq!(ready.status, 503);
        assert!(ready.body.contains("newer version") && ready.body.contains("version 2"), "{}", ready.body);
    }
    for account in ["alice", "bob"] {
        let said = deposit(of, account, NEWER);
        assert_eq!(said.status, 503, "{account}: {}", said.body);
        assert!(said.body.contains("store_unavailable"), "{}", said.body);
    }
    let again = deposit(of, "alice", FIRST);
    let refused = again.status == 503 && again.body.contains("store_unavailable");
    assert!(refused || (again.status == 201 && again.body == first.body), "{}", again.body);
    let metrics = get(of, "/metrics").body;
    for none in ["bookonce_store_damaged_accounts 0\n", "bookonce_store_missing_events 0\n"] {
        assert!(metrics.contains(none), "{none} in {metrics}");
    }
}

/// Catches, each seen: an account that is marked as damaged because a newer version wrote to it, and an instance that says that
/// it must be upgraded and still books the ID of the event that it can't read on another account.
#[test]
fn an_older_version_waits_for_its_upgrade_and_goes_on_with_the_index_that_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("node");
    let mut node = Standin::start(Options { data: Some(file.clone()), ..Options::default() }).unwrap();
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut old = [0, 1].map(|at| start(&node, folders[at].path()));
    old.iter().for_each(ready);
    open(&old[0], "alice", 1);
    open(&old[0], "bob", 2);
    let first = deposit(&old[0], "alice", FIRST);
    assert_eq!(first.status, 201, "{}", first.body);
    until("both have it", || {
        old.iter().all(|of| get(of, &format!("/v1/transactions/{FIRST}")).status == 200)
    });

    let store = runtime().block_on(Store::new(&node.connection_string())).unwrap();
    let alice = support::name("alice").into();
    let last = runtime().block_on(store.stream(&alice, 1, 1)).unwrap().remove(0);
    let newer = Next::after(&last, 2);
    newer.append(&node, &last);
    the_auditor_must_be_upgraded(Path::new(env!("CARGO_BIN_EXE_bookonce")), &node);
    for instance in &old {
        must_be_upgraded(instance, &first);
    }
    // Also after a restart, and one that comes only now.
    assert_eq!(old[1].stop(), Some(0));
    old[1] = start(&node, folders[1].path());
    must_be_upgraded(&old[1], &first);
    must_be_upgraded(&start(&node, folders[2].path()), &first);

    // The upgrade: to the program that comes now the event is one that it knows.
    old.iter_mut().for_each(|of| assert_eq!(of.stop(), Some(0)));
    node.stop().unwrap();
    let known = Next::after(&last, 1);
    rewrite(&file, 2, "account-alice", |event| {
        let event = replaced(event, b"\"version\":2", b"\"version\":1");
        let event = replaced(&event, newer.hash.as_bytes(), known.hash.as_bytes());
        replaced(&event, newer.id.to_string().as_bytes(), known.id.to_string().as_bytes())
    });
    node.start().unwrap();
    for folder in &folders {
        let upgraded = start(&node, folder.path());
        ready(&upgraded);
        let again = deposit(&upgraded, "alice", FIRST);
        assert_eq!((again.status, &again.body), (201, &first.body));
        let history = get(&upgraded, &format!("/v1/transactions/{NEWER}"));
        assert_eq!(history.status, 200, "{}", history.body);
    }
}
