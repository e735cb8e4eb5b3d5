//! A data folder to which a newer version has written is none that an older one can serve, verify or restore. It says so, and
//! calls nothing damaged.

use std::path::Path;
use std::process::Command;

use bookonce::store::chain::event_id;
use bookonce::store::codec;

use super::support::process::{Process, send};

/// Appends what comes after the last event of a stopped ledger's journal when its version is 2.
fn append_newer(data: &Path) {
    let journal = rusqlite::Connection::open(data.join("journal.db")).unwrap();
    let sql = "SELECT first, recorded_at, events FROM commits ORDER BY first DESC LIMIT 1";
    let (position, recorded_at, line): (u64, String, Vec<u8>) =
        journal.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let line = line.strip_suffix(b"\n").unwrap();
    let last = codec::decode(line).unwrap();
    let (canonical, _) = codec::cut(line).unwrap();
    let canonical = String::from_utf8(canonical).unwrap();
    let canonical = canonical
        .replace("\"version\":1", "\"version\":2")
        .replace("\"revision\":1", "\"revision\":2")
        .replace(&last.event.id.to_string(), "20000000-0000-4000-8000-000000000099");
    let hash = last.hash.then(canonical.as_bytes());
    let id = event_id(canonical.as_bytes());
    let (front, back) = canonical[1..canonical.len() - 1].split_once("\"type\"").unwrap();
    let next = position + 1;
    let line =
        format!("{{\"position\":{next},{front}\"event_id\":\"{id}\",\"type\"{back},\"hash\":\"{hash}\"}}\n");
    let sql = "INSERT INTO commits(first, count, recorded_at, events) VALUES (?1, 1, ?2, ?3)";
    journal.execute(sql, (next, recorded_at, line.into_bytes())).unwrap();
}

/// Seen failing with a start that calls the journal damaged. Guards also against a program that was put back to an older
/// version and serves without the events that it can't read.
#[test]
fn a_folder_of_a_newer_version_asks_for_the_upgrade() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut service = Process::start(&data);
    super::open(&service, "alice", 1);
    let body = r#"{"transaction_id":"20000000-0000-4000-8000-000000000001","amount":"5.00"}"#;
    assert_eq!(send(service.address, "POST", "/v1/accounts/alice/deposits", body).unwrap().status, 201);
    assert_eq!(service.stop(), Some(0));
    append_newer(&data);

    let Err(said) = Process::start_with(&data, &[], &[]) else { panic!("it serves") };
    assert!(said.contains("position 3") && said.contains("must be upgraded"), "{said}");
    assert!(!said.contains("journal is damaged"), "{said}");
    let run = |arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_bookonce"))
            .args(arguments)
            .current_dir(dir.path())
            .env("BOOKONCE_DATA", &data)
            .output()
            .unwrap();
        (ran.status.code(), String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap())
    };
    let (code, export) = run(&["export"]);
    assert_eq!(code, Some(0), "what is there is kept as it is: {export}");
    let lines: Vec<&str> = export.lines().filter(|line| line.starts_with('{')).collect();
    std::fs::write(dir.path().join("kept.ndjson"), lines.join("\n") + "\n").unwrap();
    for command in [
        &["verify"][..],
        &["verify", "kept.ndjson"],
        &["replay"],
        &["restore", "kept.ndjson", "--data", "new"],
    ] {
        let (code, said) = run(command);
        assert!(
            code == Some(6) && said.contains("newer version of bookonce"),
            "{command:?}: {code:?}: {said}"
        );
    }
}
