//! These tests read data folders: rows that do not agree with their lines, a database that is damaged, a service that
//! runs or was killed.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::history::{JOURNAL, Told, everything, export, lines, manifest};
use crate::audit::carry::export::{ExportError, from_folder};
use crate::audit::carry::restore::{RestoreError, restore};
use crate::audit::error::Error;
use crate::audit::run::options::Options;
use crate::audit::run::verify::{Verified, verify};
use crate::still::StillDatabase;

/// A `Made` is a data folder as a service leaves it: so many events a row.
pub(super) struct Made {
    pub folder: TempDir,
    pub database: Connection,
}

/// Makes rows as the store writes them, each with this many events.
pub(super) fn made(events: &[Told], per_row: usize) -> Made {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("FORMAT"), "bookonce data folder, format 1\n").unwrap();
    let database = Connection::open(folder.path().join("journal.db")).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database
        .execute_batch(
            "CREATE TABLE journal(key TEXT PRIMARY KEY, value TEXT);
             CREATE TABLE commits(
             first INTEGER PRIMARY KEY, count INTEGER NOT NULL, recorded_at TEXT NOT NULL, events BLOB NOT NULL)",
        )
        .unwrap();
    database.execute("INSERT INTO journal VALUES ('journal_id', ?1)", [JOURNAL.to_string()]).unwrap();
    let lines = lines(events);
    for (row, (lines, told)) in lines.chunks(per_row).zip(events.chunks(per_row)).enumerate() {
        let values = (row * per_row + 1, lines.len(), &told[0].recorded_at, lines.concat().into_bytes());
        let values = (values.0 as i64, values.1 as i64, values.2, values.3);
        database.execute("INSERT INTO commits VALUES (?1, ?2, ?3, ?4)", values).unwrap();
    }
    Made { folder, database }
}

impl Made {
    fn sql(&self, sql: &str) {
        self.database.execute_batch(sql).unwrap();
    }

    /// Returns the folder as a clean stop leaves it.
    fn closed(self) -> TempDir {
        self.database.close().unwrap();
        self.folder
    }

    /// Returns a copy of the folder while the service has it open: as a kill leaves it.
    fn killed(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "journal.db-shm" {
                fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
            }
        }
        copy
    }
}

fn check(folder: &Path) -> Verified {
    verify(folder, &[], Options::default()).unwrap()
}

fn bad(made: &Made) -> (u64, String) {
    let verdict = check(made.folder.path());
    let finding = verdict.audited.finding.expect("a finding");
    (finding.position().unwrap(), finding.flaw.to_string())
}

#[test]
fn a_folder_is_read_beside_its_service_after_a_kill_and_after_a_clean_stop() {
    let events = everything();
    for per_row in [1, 3, 1_000] {
        let made = made(&events, per_row);
        let killed = made.killed();
        let wal = killed.path().join("journal.db-wal");
        let before = fs::read(&wal).unwrap();
        assert!(before.len() > 10_000, "a WAL is there");
        for folder in [made.folder.path(), killed.path()] {
            assert_eq!(check(folder).audited.finding, None);
        }
        assert_eq!(fs::read(&wal).unwrap(), before, "an auditor never checkpoints");
        let closed = made.closed();
        assert!(!closed.path().join("journal.db-wal").exists());
        let verdict = check(closed.path());
        assert!(verdict.is_right() && verdict.audited.position == events.len() as u64);
    }
}

/// The names and the bytes of all files in a folder.
fn all_of(folder: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut all: Vec<_> = entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect();
    all.sort();
    all
}

/// Seen failing with a connection of SQLite's usual kind, which left `-wal` and `-shm` files in the folder.
#[test]
fn nothing_is_left_in_a_folder_that_is_looked_at() {
    let events = everything();
    let made = made(&events, 3);
    let killed = made.killed();
    for folder in [killed, made.closed()] {
        let before = all_of(folder.path());
        let verdict = check(folder.path());
        assert!(verdict.is_right() && verdict.audited.position == events.len() as u64);
        assert_eq!(exported(folder.path(), (None, None)).unwrap(), export(&events));
        assert_eq!(all_of(folder.path()), before);
        // A name in which some characters mean something else in an address.
        let odd = folder.path().with_extension("a b?mode=rw#%41");
        fs::rename(folder.path(), &odd).unwrap();
        assert!(check(&odd).is_right());
        fs::rename(&odd, folder.path()).unwrap();
    }
}

/// Guards against: a folder that a service takes while it is audited, and whose pages change under the reader.
#[test]
fn a_folder_that_is_taken_by_a_service_meanwhile_is_read_through_its_locks() {
    let folder = made(&everything(), 3).closed();
    let path = folder.path().join("journal.db");
    let count = |database: &Connection| {
        database.query_row("SELECT count(*) FROM commits", [], |row| row.get::<_, i64>(0))
    };
    let mut still = StillDatabase::open(folder.path(), &path).unwrap();
    let before = still.read(count).unwrap();
    let lock = fs::File::create(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let service = Connection::open(&path).unwrap();
    service
        .execute("INSERT INTO commits SELECT 9999, count, recorded_at, events FROM commits LIMIT 1", [])
        .unwrap();
    assert_eq!(still.read(count).unwrap(), before + 1);
    service.execute("DELETE FROM commits WHERE first = 9999", []).unwrap();
    assert_eq!(still.read(count).unwrap(), before);
    let mut beside = StillDatabase::open(folder.path(), &path).unwrap();
    assert_eq!(beside.read(count).unwrap(), before);
}

#[test]
fn rows_that_do_not_agree_with_their_lines() {
    for (sql, position, why) in [
        ("DELETE FROM commits WHERE first = 7", 7, "begins at position 10"),
        ("DELETE FROM commits WHERE first = 1", 1, "begins at position 4"),
        ("UPDATE commits SET first = 8 WHERE first = 7", 7, "begins at position 8"),
        ("UPDATE commits SET first = -7 WHERE first = 7", 1, "begins at position -7"),
        ("UPDATE commits SET count = 4 WHERE first = 7", 10, "says that it has 4 events, and has 3"),
        ("UPDATE commits SET count = 2 WHERE first = 7", 9, "says that it has 2 events, and has 3"),
        ("UPDATE commits SET count = -1 WHERE first = 7", 7, "says that it has -1 events, and has 3"),
        ("UPDATE commits SET count = 'x' WHERE first = 7", 7, "no number"),
        (
            "UPDATE commits SET recorded_at = '2026-11-21T02:00:08.000009Z' WHERE first = 7",
            10,
            "another time",
        ),
        ("UPDATE commits SET recorded_at = x'00' WHERE first = 7", 7, "no text"),
        ("UPDATE commits SET events = CAST(events AS TEXT) WHERE first = 7", 7, "no bytes"),
        ("UPDATE commits SET events = x'' WHERE first = 7", 7, "has 0"),
        ("UPDATE commits SET events = x'', count = 0 WHERE first = 7", 7, "no events"),
        ("UPDATE commits SET events = substr(events, 1, length(events) - 1) WHERE first = 7", 9, "cut"),
        ("UPDATE commits SET events = substr(events, 1, length(events) / 2) WHERE first = 7", 8, "cut"),
        (
            "UPDATE commits SET events = (SELECT events FROM commits WHERE first = 4) WHERE first = 7",
            7,
            "position 4",
        ),
        ("UPDATE journal SET value = '018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4f'", 1, "hash before it"),
        ("DELETE FROM journal", 1, "journal's id"),
        ("DROP TABLE commits", 1, "no such table"),
    ] {
        let made = made(&everything(), 3);
        made.sql(sql);
        let (found, text) = bad(&made);
        assert!(found == position && text.contains(why), "{sql}: position {found}: {text}");
    }
}

#[test]
fn what_is_no_data_folder_of_this_format_is_not_read() {
    let made = made(&everything(), 3);
    fs::write(made.folder.path().join("FORMAT"), "bookonce data folder, format 2\n").unwrap();
    assert!(matches!(verify(made.folder.path(), &[], Options::default()), Err(Error::Format { .. })));
    fs::remove_file(made.folder.path().join("FORMAT")).unwrap();
    assert!(matches!(verify(made.folder.path(), &[], Options::default()), Err(Error::NoFolder { .. })));
    assert!(matches!(verify(Path::new("/nowhere/at/all"), &[], Options::default()), Err(Error::Open { .. })));
}

/// Catches: a reader that takes the rows it can reach for all there are.
#[test]
fn every_flipped_byte_of_a_stopped_journal_is_found_or_changes_nothing() {
    /// This step is a prime number, so that it meets every place of a page in time.
    const STEP: usize = 23;
    let folder = made(&everything(), 4).closed();
    let path = folder.path().join("journal.db");
    let bytes = fs::read(&path).unwrap();
    let head = check(folder.path()).audited.hash;
    let events: usize = lines(&everything()).iter().map(String::len).sum();
    let mut unseen = 0;
    for at in (0..bytes.len()).step_by(STEP) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        if let Ok(verdict) = verify(folder.path(), &[], Options::default())
            && verdict.is_right()
        {
            assert_eq!(verdict.audited.hash, head, "byte {at}");
            unseen += 1;
        }
        for left in ["journal.db-wal", "journal.db-shm"] {
            let _none = fs::remove_file(folder.path().join(left));
        }
    }
    // What is harmless is free space and the header's notes for other programs, never a byte of an event.
    assert!(unseen * STEP <= bytes.len() - events, "{unseen} flips not seen");
}

/// Catches: the page check left out. The last page says that it has one row less, and every line that is left is right.
#[test]
fn a_row_that_its_page_no_longer_counts_is_missed() {
    let folder = made(&everything(), 1).closed();
    let path = folder.path().join("journal.db");
    let bytes = fs::read(&path).unwrap();
    let leaves =
        (1..bytes.len() / 4_096).map(|page| page * 4_096).filter(|at| bytes[*at] == 13 && bytes[*at + 4] > 1);
    let mut tried = 0;
    for leaf in leaves {
        let mut fewer = bytes.clone();
        fewer[leaf + 4] -= 1;
        fs::write(&path, &fewer).unwrap();
        let finding = check(folder.path()).audited.finding;
        assert!(finding.is_some(), "the page at byte {leaf}");
        tried += 1;
    }
    assert!(tried > 3);
}

#[test]
fn a_wal_with_a_bad_frame_before_later_commits_is_damaged_and_one_torn_at_its_end_is_not() {
    let made = made(&everything(), 2);
    let frame = 24 + 4_096;
    let flip = |at_frame: fn(usize) -> usize| {
        let killed = made.killed();
        let wal = killed.path().join("journal.db-wal");
        let mut bytes = fs::read(&wal).unwrap();
        let frames = (bytes.len() - 32) / frame;
        let at = 32 + at_frame(frames) * frame + 1_000;
        bytes[at] ^= 4;
        fs::write(&wal, bytes).unwrap();
        killed
    };
    let torn = check(flip(|frames| frames - 1).path());
    assert!(
        torn.to_string().contains("TORN       the -wal file goes on behind its last whole commit"),
        "{torn}"
    );
    assert!(
        torn.is_right() && torn.audited.position < everything().len() as u64,
        "the torn commit is not there"
    );
    let middle = check(flip(|frames| frames - 6).path());
    let finding = middle.audited.finding.unwrap();
    assert_eq!(finding.position(), Some(middle.audited.position + 1));
    assert!(finding.to_string().contains("later commits stand behind it"), "{finding}");
    let killed = made.killed();
    let wal = killed.path().join("journal.db-wal");
    let mut bytes = fs::read(&wal).unwrap();
    bytes[17] ^= 1;
    fs::write(&wal, bytes).unwrap();
    assert!(check(killed.path()).audited.finding.is_some(), "a WAL whose header is damaged is not nothing");
}

/// Seen failing while only whole frames were looked at.
#[test]
fn a_wal_that_ends_within_a_frame_is_told() {
    let made = made(&everything(), 2);
    let killed = made.killed();
    let wal = killed.path().join("journal.db-wal");
    let bytes = fs::read(&wal).unwrap();
    assert_eq!(check(killed.path()).torn, None);
    for kept in [1, 15, 16, 40, 4_000] {
        let cut = bytes.len() - (24 + 4_096) + kept;
        fs::write(&wal, &bytes[..cut]).unwrap();
        let verified = check(killed.path());
        let torn = verified.torn.unwrap_or_else(|| panic!("{kept} bytes of a frame are not told"));
        assert!(verified.is_right() && torn.at + torn.bytes == cut as u64, "{verified}");
    }
}

fn exported(folder: &Path, range: (Option<u64>, Option<u64>)) -> Result<Vec<u8>, ExportError> {
    let mut out = Vec::new();
    from_folder(folder, range, &mut out, &|_| ()).map(|_| out)
}

#[test]
fn an_export_is_the_stored_lines_and_a_manifest_whatever_the_rows() {
    let events = everything();
    for per_row in [1, 3, 1_000] {
        let made = made(&events, per_row);
        assert_eq!(exported(made.folder.path(), (None, None)).unwrap(), export(&events));
        let part = exported(made.folder.path(), (Some(8), Some(11))).unwrap();
        let lines = lines(&events);
        let text = String::from_utf8(part.clone()).unwrap();
        assert!(text.starts_with(&lines[7..11].concat()));
        let audited = super::audited(&part);
        assert_eq!((audited.finding, audited.from, audited.position, audited.whole), (None, 8, 11, true));
        assert!(matches!(exported(made.folder.path(), (Some(8), Some(999))), Err(ExportError::Range { .. })));
        assert!(matches!(exported(made.folder.path(), (Some(0), None)), Err(ExportError::Range { .. })));
    }
    let none = made(&[], 1);
    assert_eq!(exported(none.folder.path(), (None, None)).unwrap(), export(&[]));
    let holes = made(&events, 3);
    holes.sql("DELETE FROM commits WHERE first = 7");
    assert!(matches!(exported(holes.folder.path(), (None, None)), Err(ExportError::Broken(7))));
}

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.ndjson");
    fs::write(&file, bytes).unwrap();
    (folder, file)
}

#[test]
fn an_export_that_is_restored_is_the_same_journal() {
    for events in [everything(), Vec::new()] {
        let bytes = export(&events);
        let (folder, file) = written(&bytes);
        let restored = folder.path().join("deeper").join("restored");
        restore((&file, &[]), &restored, &|_| ()).unwrap();
        assert_eq!(exported(&restored, (None, None)).unwrap(), bytes);
        assert_eq!(check(&restored).audited.finding, None);
        let mut left: Vec<_> =
            fs::read_dir(&restored).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.retain(|name| name != "journal.db-shm" && name != "journal.db-wal");
        left.sort();
        assert_eq!(left, ["FORMAT", "journal.db", "transfers.json"]);
    }
}

#[test]
fn nothing_is_restored_from_what_is_not_whole_and_right_nor_over_what_is_there() {
    let events = everything();
    let lines = lines(&events);
    let cut = lines[..9].concat() + &manifest(&lines);
    let part = exported(made(&events, 3).folder.path(), (Some(4), None)).unwrap();
    for bytes in [lines.concat().into_bytes(), cut.into_bytes(), part] {
        let (folder, file) = written(&bytes);
        let restored = folder.path().join("restored");
        assert!(matches!(restore((&file, &[]), &restored, &|_| ()), Err(RestoreError::Bad(_))));
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "nothing but the export is left");
    }
    let (folder, file) = written(&export(&events));
    assert!(matches!(restore((&file, &[]), folder.path(), &|_| ()), Err(RestoreError::Exists(_))));
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    restore((&file, &[]), &empty, &|_| ()).unwrap();
}
