//! A hole in the journal: what a data folder has that was copied file by file while a service wrote it. It is never taken
//! for the journal's end.

#[path = "support/log.rs"]
mod log;
mod support;

use std::path::Path;

use bookonce::ledger::{Ledger, OpenError};
use bookonce::store::embedded::reader::Reader;
use log::Log;
use support::*;

/// A ledger of so many commits, one event each.
async fn booked(dir: &Path, commits: u128) -> Ledger {
    let ledger = open_ledger(dir).unwrap();
    ledger.execute(vec![open(1, "alice")]).await.unwrap();
    for n in 2..=commits {
        ledger.execute(vec![deposit(n, "alice", "1")]).await.unwrap();
    }
    ledger
}

fn remove(dir: &Path, first: u64) {
    let journal = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    assert_eq!(journal.execute("DELETE FROM commits WHERE first = ?1", [first]).unwrap(), 1);
}

/// Catches: a start that looks at the journal's end alone. Seen failing before the positions were looked at: ready, and
/// every write was taken.
#[tokio::test]
async fn a_journal_with_a_hole_is_refused_at_the_start() {
    for hole in [1, 2, 17, 29] {
        let dir = tempfile::tempdir().unwrap();
        let ledger = booked(dir.path(), 30).await;
        ledger.stop().unwrap();
        drop(ledger);
        remove(dir.path(), hole);
        let error = match open_ledger(dir.path()) {
            Err(error @ OpenError::Store(_)) => error.to_string(),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("position {hole} is missing, and nobody noticed"),
        };
        assert!(error.contains("missing"), "{error}");
    }
}

/// Catches: a reader who shows a hole as the journal's end. Seen failing on the journal's page and on the live feed.
#[tokio::test]
async fn a_hole_is_not_shown_as_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = booked(dir.path(), 30).await;
    remove(dir.path(), 17);
    let before = ledger.lines(0, 16).await.unwrap();
    assert_eq!(before.iter().filter(|byte| **byte == b'\n').count(), 16, "what comes before it can be read");
    assert!(ledger.lines(0, 100).await.is_err());
    assert!(ledger.lines(16, 100).await.is_err());
    let mut follower = ledger.follow(16);
    assert!(follower.next().await.is_err());
    let behind = ledger.lines(17, 100).await.unwrap();
    assert_eq!(behind.iter().filter(|byte| **byte == b'\n').count(), 13, "and what comes behind it");
    assert!(ledger.lines(30, 100).await.unwrap().is_empty(), "the end is the end");
    ledger.stop().unwrap();
}

/// Catches: an end that is taken for a hole, because a commit came between two looks.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_grows_has_no_hole() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = booked(dir.path(), 1).await;
    let path = dir.path().join("journal.db");
    let watching = std::thread::spawn(move || {
        let reader = Reader::new(&path);
        let mut after = 0;
        while after < 300 {
            let lines = reader.lines(after, 10).expect("no hole");
            after += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    });
    for n in 2..=300 {
        ledger.execute(vec![deposit(n, "alice", "1")]).await.unwrap();
    }
    watching.join().unwrap();
    ledger.stop().unwrap();
}

/// Seen failing while only whole frames were looked at: a file that ended within a frame lost its last commit without a word.
#[tokio::test]
async fn a_wal_that_ends_within_a_frame_is_reported_at_the_start() {
    let log = Log::of_this_process();
    let dir = tempfile::tempdir().unwrap();
    let killed = tempfile::tempdir().unwrap();
    let ledger = booked(dir.path(), 30).await;
    for file in ["FORMAT", "journal.db", "journal.db-wal"] {
        std::fs::copy(dir.path().join(file), killed.path().join(file)).unwrap();
    }
    ledger.stop().unwrap();
    let wal = std::fs::File::options().write(true).open(killed.path().join("journal.db-wal")).unwrap();
    wal.set_len(wal.metadata().unwrap().len() - 4_000).unwrap();
    let ledger = open_ledger(killed.path()).unwrap();
    assert_eq!(ledger.head().position, 29);
    assert!(log.has("the WAL ends with something that is no whole commit") && log.has("position=29"));
    ledger.stop().unwrap();
}
