//! These tests run `docs/audit.py`, a program in another language that was written from docs/format.md alone, on every kept
//! history and on an export of each store, and on altered ones. They catch a document that does not say what the program does.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bookonce::domain::event::{Body, Event};
use bookonce::domain::money::Money;
use bookonce::domain::time::system_clock;
use bookonce::ledger::Ledger;
use bookonce::store::chain::Hash;
use bookonce::store::codec::{self, Encoder};
use eventstore_standin::{Options, Standin};
use support::process::skip;
use support::*;
use uuid::Uuid;

/// What the program says of a file, and whether it ended well; `None` on a machine without Python.
fn checked(file: &Path) -> Option<(bool, String)> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.py");
    let output = Command::new("python3").arg(program).arg(file).output();
    let Ok(output) = output else {
        skip("audit_program", "no python3 on this machine, so docs/audit.py was not run");
        return None;
    };
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    Some((output.status.success(), said))
}

fn is_right(file: &Path) {
    let Some((ended_well, said)) = checked(file) else { return };
    let verified = bookonce(&["verify", file.to_str().unwrap()]);
    let of = |name: &str| {
        let line = verified.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name}: {verified}")).trim().to_owned()
    };
    assert!(ended_well, "{said}");
    assert_eq!(said.trim(), format!("RIGHT head {} digest {}", of("head "), of("digest ")));
}

fn is_wrong(file: &Path, what: &str) {
    if let Some((ended_well, said)) = checked(file) {
        assert!(!ended_well && said.starts_with("WRONG"), "{what}: {said}");
    }
}

fn bookonce(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bookonce")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn history(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/histories/{name}.ndjson"))
}

#[test]
fn every_kept_history_is_right_with_the_head_and_the_digest_that_verify_gives() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/histories");
    let mut found = 0;
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if !file.to_str().unwrap().ends_with(".answers.ndjson") {
            is_right(&file);
            found += 1;
        }
    }
    assert!(found >= 3);
}

async fn some_bookings(ledger: &Ledger) {
    let commands = vec![
        open_with(1, "alice", "EUR", "50"),
        open_with(2, "bob", "JPY", "0"),
        deposit(3, "alice", "100.00"),
        withdraw(4, "alice", "140.00"),
        withdraw(5, "alice", "999.00"),
        reverse(6, "alice", 4, Some("40.00"), false),
        reverse(7, "alice", 4, None, false),
        reverse(8, "bob", 99, None, false),
        set_limit(9, "alice", "0"),
        freeze(10, "alice"),
        close(11, "bob"),
    ];
    ledger.execute(commands).await.unwrap();
}

#[tokio::test]
async fn an_export_of_each_store_is_right_and_a_part_is_not_taken_for_the_whole() {
    let node = Standin::start(Options::default()).unwrap();
    for over_store in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("ledger");
        let options = options(&data, system_clock());
        let ledger = match over_store {
            false => Ledger::open(options).unwrap(),
            true => store::over(options, &node.connection_string(), Default::default()).unwrap(),
        };
        let from = match over_store {
            false => ["--data".to_owned(), data.to_str().unwrap().to_owned()],
            true => ["--store".to_owned(), node.connection_string()],
        };
        let export = |more: &[&str]| {
            let arguments = ["export", &from[0], &from[1]].into_iter().chain(more.iter().copied());
            let file = dir.path().join("export.ndjson");
            fs::write(&file, bookonce(&arguments.collect::<Vec<_>>())).unwrap();
            file
        };
        if !over_store {
            is_right(&export(&[]));
        }
        some_bookings(&ledger).await;
        let file = export(&[]);
        is_right(&file);
        let second = fs::read_to_string(&file).unwrap().lines().nth(1).map(str::to_owned).unwrap();
        let position = codec::decode(second.as_bytes()).unwrap().position;
        is_wrong(&export(&["--from", &position.to_string()]), "a part");
        store::stop(&ledger);
    }
}

/// An export of these events, with every id and hash made anew.
fn forged(events: &[Event]) -> String {
    let id = Uuid::from_u128(0x0b00_c0de_0000_4000_8000_0000_0000_0001);
    let (begin, mut encoder, mut lines) = (Hash::genesis(id), Encoder::default(), Vec::new());
    let mut hashes = Vec::new();
    for (event, position) in events.iter().zip(1..) {
        hashes.push(encoder.line(event, position, hashes.last().unwrap_or(&begin), &mut lines));
    }
    let (count, first, last) = (events.len(), hashes[0], hashes[hashes.len() - 1]);
    String::from_utf8(lines).unwrap()
        + &format!(
            "{{\"manifest\":{{\"format\":1,\"journal_id\":\"{id}\",\"from\":1,\"to\":{count},\"count\":{count},\
             \"first_hash\":\"{first}\",\"last_hash\":\"{last}\",\"previous_hash\":\"{begin}\"}}}}\n"
        )
}

#[test]
fn what_was_altered_is_wrong_also_where_every_hash_was_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("altered.ndjson");
    let bytes = fs::read(history("every-event")).unwrap();
    for at in (0..bytes.len()).step_by(997) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&file, flipped).unwrap();
        is_wrong(&file, &format!("byte {at}"));
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for missing in [0, 7, lines.len() - 2, lines.len() - 1] {
        let rest = lines.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, line)| *line);
        fs::write(&file, rest.collect::<Vec<_>>().concat()).unwrap();
        is_wrong(&file, &format!("line {missing} is missing"));
    }

    let events: Vec<Event> = lines[..lines.len() - 1]
        .iter()
        .map(|line| codec::decode(line.trim_ascii_end()).unwrap().event)
        .collect();
    fs::write(&file, forged(&events)).unwrap();
    is_right(&file);
    for at in (0..events.len()).step_by(5) {
        let mut other = events.clone();
        let Body::Account(event) = &mut other[at].body else { unreachable!("the model has accounts only") };
        let zero = Money::zero(event.currency);
        event.answer.balance = if event.answer.balance == zero { event.answer.available } else { zero };
        if other[at] != events[at] {
            fs::write(&file, forged(&other)).unwrap();
            is_wrong(&file, &format!("the balance after event {at}"));
        }
        let mut again = events.clone();
        again[at].id = events[(at + 1) % events.len()].id;
        fs::write(&file, forged(&again)).unwrap();
        is_wrong(&file, &format!("the ID of event {at} comes twice"));
        // The newest event of an account leaves no gap: only a hash that was kept elsewhere shows it.
        if events[at + 1..].iter().any(|later| later.stream == events[at].stream) {
            let mut without = events.clone();
            without.remove(at);
            fs::write(&file, forged(&without)).unwrap();
            is_wrong(&file, &format!("event {at} is left out"));
        }
    }
}
