//! These tests hold what the command line refuses: it says so in one line, and leaves things as they were.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::store;

fn serve(data: &Path, listen: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookonce"));
    command
        .args(["serve", "--listen", listen, "--data"])
        .arg(data)
        .args(store::arguments(data))
        .output()
        .unwrap()
}

/// The one line that it complained with.
fn complaint(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{said}");
    said
}

#[test]
fn an_address_that_all_can_reach_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    assert!(complaint(&serve(&data, "0.0.0.0:0")).contains("no key has been made"));
    assert!(!data.exists());
}

#[test]
fn a_port_that_is_taken_leaves_a_folder_that_was_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    assert!(complaint(&serve(dir.path(), &listen)).contains("can't listen on"));
    // Over EventStoreDB the folder holds the index alone.
    assert_eq!(dir.path().join("journal.db").exists(), !store::is_eventstoredb());
    assert!(dir.path().join("index").exists());
    assert!(!dir.path().join("journal.db-wal").exists());
}

#[test]
fn a_file_is_no_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(complaint(&serve(file.path(), "127.0.0.1:0")).contains("it is a file"));
}
