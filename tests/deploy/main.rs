//! These tests check what the ledger is deployed with, without a Docker engine and without a node of EventStoreDB: the
//! promises of the compose file, the scripts with the real binary, the balancer with the real haproxy, and what the
//! files' own tools say.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod balancer;
mod compose;
mod image;
mod scripts;
#[path = "../support/mod.rs"]
mod support;
mod systemd;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of the project.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// Runs a command; `Err` says why it could not be, or what it said.
fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let Output { status, stdout, stderr } =
        command.output().map_err(|error| format!("{program}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if status.success() { Ok(text(&stdout)) } else { Err(format!("{}{}", text(&stdout), text(&stderr))) }
}

/// Is there such a program here? (It may end badly when it is asked for its version; that it runs is enough.)
fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}
