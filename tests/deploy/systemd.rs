//! These tests check the unit of systemd and what docs/operations.md says about it.

use std::process::{Command, Stdio};

use super::support::process::skip;
use super::{is_there, run, text};

const UNIT: &str = "deploy/bookonce.service";

fn value(name: &str) -> String {
    let unit = text(UNIT);
    let line = unit.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("the unit has no {name}")).to_owned()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if !is_there("systemd-analyze") {
        return skip("systemd_finds_nothing_wrong_with_the_unit", "no systemd-analyze on this machine");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bookonce.service");
    // The program is where the test has it, and the user is one that is there.
    let unit = text(UNIT)
        .replace("/usr/local/bin/bookonce", env!("CARGO_BIN_EXE_bookonce"))
        .replace("User=bookonce\nGroup=bookonce\n", "");
    std::fs::write(&file, unit).unwrap();
    let said =
        run(Command::new("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).arg(&file));
    assert_eq!(said.as_deref().map(str::trim), Ok(""));
}

/// Guards against: a unit with a flag or a variable that the program does not know.
#[test]
fn the_program_takes_what_the_unit_gives_it() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = value("ExecStart").replace("${CREDENTIALS_DIRECTORY}", dir.path().to_str().unwrap());
    let mut serve = Command::new(env!("CARGO_BIN_EXE_bookonce"));
    serve.args(arguments.split(' ').skip(1)).stdin(Stdio::null());
    for pair in value("Environment").split(' ') {
        let (name, value) = pair.split_once('=').unwrap();
        serve.env(name, if name == "BOOKONCE_DATA" { dir.path().to_str().unwrap() } else { value });
    }
    let said = run(&mut serve).unwrap_err();
    assert!(
        said.contains("chain.pem is no PEM file of certificates"),
        "it goes as far as the certificate: {said}"
    );
}

#[test]
fn the_document_names_the_unit_and_the_places_in_it() {
    let document = text("docs/operations.md");
    for place in [UNIT, "/var/lib/bookonce", "/etc/bookonce/chain.pem", "/etc/bookonce/key.pem", "7443"] {
        assert!(document.contains(place), "{place}");
    }
    assert!(value("StateDirectory") == "bookonce" && value("StateDirectoryMode") == "0700");
}
