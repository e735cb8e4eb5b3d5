//! These tests read what `bookonce serve` says when it has started: where it is, who is let in, and in which form.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use bookonce::domain::time::system_clock;
use bookonce::ledger::Ledger;
use serde_json::Value;
use support::process::{bookonce, send};
use support::{open, options, store};

/// How long a line may take to come on a slow machine.
const LONGEST: Duration = Duration::from_secs(60);

/// What a service says until it has stopped, on standard output and on standard error, and how many lines came before it
/// was told to stop.
fn said(data: &Path, arguments: &[&str], lines: usize) -> (Vec<String>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bookonce"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(arguments)
        .env_remove("BOOKONCE_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (line, lines_out) = channel();
    let out = BufReader::new(child.stdout.take().unwrap()).lines();
    let reader =
        std::thread::spawn(move || out.map(Result::unwrap).for_each(|said| line.send(said).unwrap_or(())));
    // A line that does not come is missed by the test that waits for it.
    let shown: Vec<String> = (0..lines).map_while(|_| lines_out.recv_timeout(LONGEST).ok()).collect();
    let front = shown
        .join(" ")
        .split_once("http://")
        .map(|(_, rest)| rest.split([',', '/']).next().unwrap().to_owned());
    let page = front.map(|address| send(address.parse().unwrap(), "GET", "/docs/", "").unwrap().status);
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    reader.join().unwrap();
    let more: Vec<String> = lines_out.iter().collect();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{shown:?} {log}");
    assert_eq!((more, page), (Vec::new(), Some(200)), "{shown:?}");
    (shown, log)
}

/// Seen failing while the one line of `serve` said neither who is let in nor where its pages are.
#[test]
fn the_service_says_where_it_is_and_who_is_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let (shown, _) = said(dir.path(), &[], 4);
    let address = shown[0].split_once("http://").unwrap().1.split(',').next().unwrap();
    assert!(shown[1].contains(&format!("http://{address}/ ")), "{shown:?}");
    assert!(shown[1].contains(&format!("http://{address}/docs/ ")), "{shown:?}");
    assert!(
        shown[2].contains("only this machine is let in, and everybody on it is an operator"),
        "{shown:?}"
    );
    assert!(shown[3].contains("Without TLS"), "{shown:?}");
    let data = dir.path().to_str().unwrap();
    let make = || bookonce(&["keys", "create", "--role", "auditor", "--json", "--data", data]).1;
    let first: Value = serde_json::from_str(&make()).unwrap();
    make();
    assert_eq!(bookonce(&["keys", "revoke", first["id"].as_str().unwrap(), "--data", data]).0, 0);
    let (shown, _) = said(dir.path(), &[], 4);
    assert!(shown[2].contains("Every request needs a key. Keys that are good: 1 of 2."), "{shown:?}");
}

/// Seen failing while a copied folder was not known as one.
#[test]
fn a_copied_folder_is_said_to_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let [data, copy] = ["data", "copy"].map(|name| dir.path().join(name));
    let ledger = Ledger::open(options(&data, system_clock())).unwrap();
    store::runtime().block_on(ledger.execute(vec![open(1, "alice")])).unwrap();
    store::stop(&ledger);
    drop(ledger);
    assert!(Command::new("cp").arg("-r").args([&data, &copy]).status().unwrap().success());
    let (shown, log) = said(&copy, &[], 5);
    let told = "paused, because this folder is a copy";
    assert!(shown[4].contains(told) && log.contains(told), "{shown:?} {log}");
    let (_, log) = said(&data, &[], 4);
    assert!(!log.contains("paused"), "{log}");
}

/// Seen failing with a first line that was text.
#[test]
fn where_the_log_is_json_every_line_is() {
    let dir = tempfile::tempdir().unwrap();
    let (shown, log) = said(dir.path(), &["--log", "json"], 1);
    let first: Value = serde_json::from_str(&shown[0]).unwrap();
    assert!(first["message"].as_str().unwrap().contains("listening on http://"), "{first}");
    assert!(first["docs"].as_str().unwrap().ends_with("/docs/") && first["tls"] == false, "{first}");
    assert!(first["keys"].as_str().unwrap().contains("everybody on it is an operator"), "{first}");
    assert!(log.lines().count() > 1, "{log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap().is_object(), "{line}");
    }
    let data = dir.path().to_str().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, log) = bookonce(&["serve", "--log", "json", "--data", data, "--listen", &address]);
    assert_eq!(code, 3);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let last = lines.last().unwrap();
    assert!(last["error"].as_str().unwrap().contains("can't listen on"), "{last}");
}
