//! These tests spoil what is derived from the journal: it is deleted, put back from yesterday, taken from another
//! ledger, ahead of its journal, or left by a crash. Either it is refused, with a word on how to mend it, or every ID
//! gets its first answer.

#[path = "support/folders.rs"]
mod folders;
mod support;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bookonce::domain::command::Command;
use bookonce::domain::time::system_clock;
use bookonce::index::record::{Mark, Role, StreamKey};
use bookonce::index::{Index, Tuning};
use bookonce::ledger::{Ledger, OpenError, Verdict, Workings};
use bookonce::store::codec;
use bookonce::store::embedded::reader::Reader;
use bookonce::store::lines_of;
use folders::{as_a_crash_leaves_it, read_all, write_all};
use support::*;
use uuid::Uuid;

type Files = BTreeMap<PathBuf, Vec<u8>>;

const SMALL: Tuning = Tuning {
    flush_at: 16,
    flush_after: Duration::from_secs(3_600),
    most_behind: 256,
    lowest: 16,
    fan_in: 2,
    rows_together: 8,
    parts_at_start: 64,
};

fn open_small(data: &Path, fresh: u128) -> Result<Ledger, OpenError> {
    let mut options = options(data, system_clock());
    options.fresh = Uuid::from_u128(0x0b00_c0de_0000_4000_8000_0000_0000_0000 + fresh);
    Ledger::open_with(options, Workings { index: SMALL, ..Workings::default() })
}

/// The commands with these IDs: the first opens, the others pay in and out.
fn commands(from: u128, to: u128) -> Vec<Command> {
    let one = |n: u128| match n {
        1 => open(1, "alice"),
        n if n.is_multiple_of(3) => withdraw(n, "alice", "1.50"),
        n => deposit(n, "alice", "2"),
    };
    (from..to).map(one).collect()
}

async fn book(ledger: &Ledger, commands: Vec<Command>) {
    for batch in commands.chunks(7) {
        let verdicts = ledger.execute(batch.to_vec()).await.unwrap();
        assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Booked(..))));
    }
}

/// A ledger of two days: its folder after each.
struct Days {
    dir: tempfile::TempDir,
    yesterday: Files,
    today: Files,
    digest: String,
}

async fn two_days(fresh: u128) -> Days {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_small(dir.path(), fresh).unwrap();
    book(&ledger, commands(1, 100)).await;
    ledger.stop().unwrap();
    drop(ledger);
    let yesterday = read_all(dir.path());
    let ledger = open_small(dir.path(), fresh).unwrap();
    book(&ledger, commands(100, 200)).await;
    let digest = ledger.digest(None).await.unwrap().1;
    ledger.stop().unwrap();
    drop(ledger);
    let today = read_all(dir.path());
    Days { dir, yesterday, today, digest }
}

fn part(files: &Files, index: bool) -> Files {
    files
        .iter()
        .filter(|(path, _)| path.starts_with("index") == index)
        .map(|(p, b)| (p.clone(), b.clone()))
        .collect()
}

fn with(one: Files, other: Files) -> Files {
    one.into_iter().chain(other).collect()
}

impl Days {
    fn put(&self, files: Files) -> Result<Ledger, OpenError> {
        write_all(self.dir.path(), &files);
        open_small(self.dir.path(), 1)
    }

    /// It opens, and every ID has its first answer.
    async fn works(&self, files: Files) {
        let ledger = self.put(files).unwrap();
        assert_eq!(ledger.digest(None).await.unwrap().1, self.digest);
        for verdict in ledger.execute(commands(1, 200)).await.unwrap() {
            assert!(matches!(verdict, Verdict::Replayed(..)), "an ID was forgotten: {verdict:?}");
        }
        assert_eq!(ledger.head().position, 199);
        ledger.stop().unwrap();
    }

    /// It does not open, says how to mend that, and deletes nothing.
    fn refused(&self, files: Files, why: &str) {
        let error = self.put(files.clone()).map(|_| ()).expect_err(why);
        let mut text = error.to_string();
        if let Some(source) = error.source() {
            text = format!("{text}: {source}");
        }
        assert!(text.contains("bookonce rebuild") && text.contains(why), "{text}");
        let runs = |files: &Files| -> Vec<PathBuf> {
            files.keys().filter(|path| path.extension().is_some_and(|end| end == "run")).cloned().collect()
        };
        assert_eq!(runs(&read_all(self.dir.path())), runs(&files), "a refusal changes nothing");
    }
}

#[tokio::test]
async fn without_its_index_a_ledger_builds_it_anew() {
    let days = two_days(1).await;
    days.works(part(&days.today, false)).await;
}

#[tokio::test]
async fn yesterdays_index_catches_up() {
    let days = two_days(1).await;
    days.works(with(part(&days.today, false), part(&days.yesterday, true))).await;
}

/// Catches: a catalog that names files which are of another day.
#[tokio::test]
async fn yesterdays_catalog_over_todays_files_is_refused_or_right() {
    let days = two_days(1).await;
    let catalog =
        part(&days.yesterday, true).into_iter().filter(|(path, _)| path.ends_with("index.db")).collect();
    let files = with(days.today.clone(), catalog);
    match days.put(files.clone()) {
        Err(OpenError::Index(_)) => {}
        Err(other) => panic!("{other}"),
        Ok(ledger) => {
            ledger.stop().unwrap();
            drop(ledger);
            days.works(files).await;
        }
    }
}

/// Catches: an index that says of IDs it has never heard of that they are new.
#[tokio::test]
async fn another_ledgers_index_is_refused() {
    let (days, other) = (two_days(1).await, two_days(2).await);
    days.refused(with(part(&days.today, false), part(&other.today, true)), "belongs to another journal");
}

/// Catches: a journal that was put back from yesterday, and is written on as if nothing were missing.
#[tokio::test]
async fn an_index_ahead_of_its_journal_is_refused() {
    let days = two_days(1).await;
    days.refused(
        with(part(&days.yesterday, false), part(&days.today, true)),
        "the end of the journal is missing",
    );
}

/// Catches: a journal with another history of the same length, which only the hash tells.
#[tokio::test]
async fn an_index_of_another_history_of_the_same_journal_is_refused() {
    let days = two_days(1).await;
    let ledger = days.put(days.yesterday.clone()).unwrap();
    book(&ledger, commands(300, 400)).await;
    ledger.stop().unwrap();
    drop(ledger);
    let other = read_all(days.dir.path());
    days.refused(
        with(part(&days.today, true), part(&other, false)),
        "is not the event that the index has seen there",
    );
}

#[tokio::test]
async fn a_missing_or_foreign_run_is_refused() {
    let days = two_days(1).await;
    let other = two_days(2).await;
    let run = days.today.keys().find(|path| path.extension().is_some_and(|end| end == "run")).unwrap();
    let mut files = days.today.clone();
    files.remove(run);
    days.refused(files.clone(), "can't be used");
    let any =
        other.today.iter().find(|(path, _)| path.extension().is_some_and(|end| end == "run")).unwrap().1;
    files.insert(run.clone(), any.clone());
    days.refused(files, "is damaged");
}

/// Catches: a checkpoint that is ahead of what a crash leaves on the disk, an event that is counted twice after it.
#[tokio::test]
async fn what_a_crash_leaves_at_any_moment_works() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open_small(dir.path(), 1).unwrap();
    for from in (1..260).step_by(13) {
        book(&ledger, commands(from, from + 13)).await;
        let (digest, left) = (ledger.digest(None).await.unwrap(), as_a_crash_leaves_it(dir.path()));
        let copy = tempfile::tempdir().unwrap();
        write_all(copy.path(), &left);
        let again = open_small(copy.path(), 1).unwrap();
        assert_eq!(again.digest(None).await.unwrap(), digest);
        let seen = again.execute(commands(1, from + 13)).await.unwrap();
        assert!(
            seen.iter().all(|verdict| matches!(verdict, Verdict::Replayed(..))),
            "an answered ID was forgotten"
        );
        assert!(again.trial_balance(None).await.unwrap().balanced());
        again.stop().unwrap();
    }
    ledger.stop().unwrap();
}

/// Catches: an ID, a revision or a place that is lost at sizes at which runs are as in earnest.
#[tokio::test]
async fn the_index_agrees_with_the_journal_id_by_id() {
    const EVENTS: u128 = 100_000;
    let dir = tempfile::tempdir().unwrap();
    let tuning = Tuning { flush_at: 9_000, lowest: 20_000, ..Tuning::default() };
    let workings = Workings { index: tuning, ..Workings::default() };
    let ledger = Ledger::open_with(options(dir.path(), system_clock()), workings).unwrap();
    let scattered = |n: u128| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 8;
    ledger.execute((0..50).map(|a| open(scattered(a), &format!("a-{a}"))).collect::<Vec<_>>()).await.unwrap();
    let numbers: Vec<u128> = (50..EVENTS).collect();
    for numbers in numbers.chunks(8_000) {
        let batch: Vec<_> =
            numbers.iter().map(|n| deposit(scattered(*n), &format!("a-{}", n % 50), "1")).collect();
        ledger.execute(batch).await.unwrap();
    }
    let head = ledger.head();
    assert_eq!(u128::from(head.position), EVENTS);
    ledger.stop().unwrap();
    drop(ledger);
    let index = Index::open_with(&dir.path().join("index"), head.journal_id, 1, tuning).unwrap();
    assert_eq!(index.checkpoint().unwrap().position, head.position);
    assert!(index.bytes() as u128 <= 2 * EVENTS, "{} bytes of memory", index.bytes());
    let reader = Reader::new(&dir.path().join("journal.db"));
    let mut next = 1;
    while let Some(row) = reader.row_with(next).unwrap() {
        for line in lines_of(&row.events) {
            let line = codec::decode(line).unwrap();
            let (position, event) = (line.position, &line.event);
            let booked = Mark { position, role: Role::Booked };
            assert_eq!(index.marks(event.id).unwrap(), [booked]);
            if position.is_multiple_of(16) {
                let revision = event.revision..=event.revision;
                let found = index.revisions(StreamKey::of(&event.stream), revision, false, 2).unwrap();
                assert_eq!(found.iter().map(|(_, facts)| facts.position).collect::<Vec<_>>(), [position]);
            }
            next += 1;
        }
    }
    assert_eq!(next - 1, head.position);
    for n in EVENTS..EVENTS + 20_000 {
        assert_eq!(index.marks(id(scattered(n)).into()).unwrap(), [], "an ID that was never used");
    }
    index.close().unwrap();
}
