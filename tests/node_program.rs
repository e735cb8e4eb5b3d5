//! The tests can be run over nodes that a program of the reader's starts; see `support/node.rs`. This runs one so, with the
//! program that is the example.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use bookonce::answers::render;
use bookonce::domain::command::Command as Booking;
use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Unavailable, Verdict};
use support::node::Node;
use support::*;

/// Asks until there is an answer; the answer, and whether it is the first one again.
async fn insist(ledger: &Ledger, command: &Booking) -> (Vec<u8>, bool) {
    loop {
        match ledger.execute(vec![command.clone()]).await.map(|mut verdicts| verdicts.remove(0)) {
            Ok(Verdict::Booked(event, _)) => return (render(&event).body, false),
            Ok(Verdict::Replayed(event, _)) => return (render(&event).body, true),
            Ok(Verdict::Unavailable(Unavailable::StoreDamaged)) => panic!("nothing is damaged here"),
            Ok(Verdict::Unavailable(_)) | Err(_) => {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await
            }
            Ok(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlives_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start_empty();
    let options = options(dir.path(), system_clock());
    let ledger = store::over(options, &node.connection_string(), Default::default()).unwrap();
    insist(&ledger, &open(1, "alice")).await;
    let first = insist(&ledger, &deposit(2, "alice", "10.00")).await;
    node.stop();
    node.start();
    assert_eq!(insist(&ledger, &deposit(2, "alice", "10.00")).await, (first.0, true));
    assert!(!insist(&ledger, &deposit(3, "alice", "10.00")).await.1);
    store::stop(&ledger);
}

/// Catches: a program that is named and not used, or not as it is said that it is.
#[test]
fn a_test_runs_over_a_node_that_a_program_starts() {
    let here = std::env::current_exe().unwrap();
    let example = here.parent().and_then(|deps| deps.parent()).unwrap().join("standin_node");
    if !example.exists() {
        return process::skip("a_test_runs_over_a_node_that_a_program_starts", "standin_node is not built");
    }
    let dir = tempfile::tempdir().unwrap();
    let (program, calls) = (dir.path().join("node.sh"), dir.path().join("calls"));
    let script = format!(
        "#!/bin/sh\ntest -d \"$1\" && echo \"$2\" >> '{}'\nexec '{}' \"$@\"\n",
        calls.display(),
        example.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let out = Command::new(here)
        .args(["--exact", "what_was_answered_outlives_the_node"])
        .env("BOOKONCE_TEST_NODE", &program)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let calls = std::fs::read_to_string(calls).unwrap();
    let ports: Vec<&str> = calls.lines().collect();
    assert!(
        ports.len() == 2 && ports[0] == ports[1],
        "it was started, and after its end on the same port: {calls}"
    );
}
