//! The index alone, against maps in memory: over flushes, merges, restarts and crashes, and with its files damaged.
//!
//! An ID that the index forgets is a double booking, so every question is asked about everything.

mod crashes;
mod ended;
#[path = "../support/folders.rs"]
mod folders;
mod known;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bookonce::domain::account::event::{AccountEvent, Fact};
use bookonce::domain::event::{Body, Event};
use bookonce::index::record::StreamKey;
use bookonce::index::{Index, IndexError, Tuning};
use folders::{as_a_crash_leaves_it, read_all, write_all};
use known::{Choice, Known};
use proptest::prelude::*;
use support::*;
use uuid::Uuid;

const SMALL: Tuning = Tuning {
    flush_at: 16,
    flush_after: Duration::from_secs(3_600),
    most_behind: 64,
    lowest: 16,
    fan_in: 2,
    rows_together: 8,
    parts_at_start: 2,
};

/// With this all of the catalog is proven at the start: some of its rows are asked for by none of the questions.
const WHOLE: Tuning = Tuning { parts_at_start: usize::MAX, ..SMALL };

fn journal() -> Uuid {
    Uuid::from_u128(77)
}

fn open_index(dir: &Path) -> Result<Index, IndexError> {
    Index::open_with(dir, journal(), 5, SMALL)
}

#[derive(Clone, Debug)]
enum Step {
    /// These happen, in batches of so many.
    Events(Vec<Choice>, usize),
    /// A clean stop and a start.
    Restart,
    /// The end of a process, and what is on the disk then.
    Crash,
}

fn choices(most: usize) -> impl Strategy<Value = Vec<Choice>> {
    proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u16>(), 0..1_000_u32), 1..most)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (choices(60), 1..24_usize).prop_map(|(choices, batch)| Step::Events(choices, batch)),
        1 => Just(Step::Restart),
        2 => Just(Step::Crash),
    ]
}

/// Opens the index and feeds it what it has not seen.
fn reopen(dir: &Path, known: &Known) -> Index {
    let index = open_index(dir).unwrap();
    let checkpoint = index.checkpoint().unwrap();
    assert!(checkpoint.position <= known.last());
    assert_eq!(checkpoint.hash, Known::hash(checkpoint.position), "the checkpoint's hash");
    for after in checkpoint.position..known.last() {
        index.wait_for_room(1, || false);
        known.feed(&index, after, after + 1);
    }
    index
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Catches: an ID that is lost between memory, frozen memory and files; a run that a merge drops or counts twice; a
    /// sum that is added twice after a crash; a checkpoint that is ahead of what is in the files.
    #[test]
    fn whatever_happens_it_knows_every_event(steps in proptest::collection::vec(step(), 1..10)) {
        let mut dir = tempfile::tempdir().unwrap();
        let mut known = Known::default();
        let mut index = open_index(dir.path()).unwrap();
        for step in steps {
            match step {
                Step::Events(choices, batch) => {
                    for choices in choices.chunks(batch) {
                        let before = known.last();
                        choices.iter().for_each(|choice| known.next(*choice));
                        index.wait_for_room(choices.len(), || false);
                        known.feed(&index, before, known.last());
                        prop_assert!(index.behind() <= SMALL.most_behind, "too far behind");
                    }
                }
                Step::Restart => {
                    index.close().unwrap();
                    index = reopen(dir.path(), &known);
                    prop_assert_eq!(index.behind(), 0, "a clean stop leaves nothing to read again");
                }
                Step::Crash => {
                    let left = as_a_crash_leaves_it(dir.path());
                    index.close().unwrap();
                    dir = tempfile::tempdir().unwrap();
                    write_all(dir.path(), &left);
                    index = reopen(dir.path(), &known);
                }
            }
            known.ask(&index).unwrap();
        }
        index.close().unwrap();
        known.ask(&reopen(dir.path(), &known)).unwrap();
    }
}

/// An index of so many events, closed.
fn built(dir: &Path, events: u32) -> Known {
    let mut known = Known::default();
    let index = open_index(dir).unwrap();
    for n in 0..events {
        known.next((n as u8, (n / 3) as u8, (n * 31 % 4_000) as u16, n));
        index.wait_for_room(1, || false);
        known.feed(&index, n.into(), (n + 1).into());
    }
    index.close().unwrap();
    known
}

fn runs(dir: &Path) -> Vec<PathBuf> {
    read_all(dir).into_keys().filter(|path| path.extension().is_some_and(|end| end == "run")).collect()
}

/// Catches: runs that are never merged, so that a look-up gets slower for ever; files that nobody removes.
#[test]
fn runs_are_merged_and_their_files_removed() {
    let dir = tempfile::tempdir().unwrap();
    let known = built(dir.path(), 600);
    let index = reopen(dir.path(), &known);
    // 600 events in runs of 16 are 37 runs a tree; merged by twos there are at most a few of each size.
    while runs(dir.path()).len() > 3 * 8 {
        std::thread::yield_now();
    }
    known.ask(&index).unwrap();
    index.close().unwrap();
}

/// Catches: a part of a file that is believed without its checksum: the list of runs, the checkpoint, a row, a block.
#[test]
fn a_changed_byte_is_found_or_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let known = built(dir.path(), 150);
    let good = read_all(dir.path());
    let (mut found, mut harmless) = (0, 0);
    for (path, bytes) in &good {
        // A prime, so that in the end every kind of byte is hit; each run's own test changes every byte.
        let step = if path.ends_with("index.db") { 29 } else { 211 };
        for at in (0..bytes.len()).step_by(step) {
            let mut bad = good.clone();
            bad.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
            write_all(dir.path(), &bad);
            match asked(dir.path(), &known, SMALL) {
                Ok(()) => harmless += 1,
                Err(_) => found += 1,
            }
        }
    }
    assert!(found > 100, "{found} found, {harmless} harmless");
}

/// Opens it, catches up, asks everything.
fn asked(dir: &Path, known: &Known, tuning: Tuning) -> Result<(), IndexError> {
    let index = Index::open_with(dir, journal(), 5, tuning)?;
    let outcome = index.checkpoint().and_then(|checkpoint| {
        if checkpoint.journal_id != journal() || checkpoint.hash != Known::hash(checkpoint.position) {
            return Err(IndexError::damaged("refused at the start"));
        }
        for after in checkpoint.position..known.last() {
            index.wait_for_room(1, || false);
            known.feed(&index, after, after + 1);
        }
        known.ask(&index)
    });
    let _already_reported = index.close();
    outcome
}

/// Seen failing with parts that were proven without the kinds of their rows: one whose kind was changed in its place was taken
/// for a row of the part around it, and was not found by its key.
#[test]
fn a_row_whose_kind_was_changed_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let known = built(dir.path(), 150);
    let good = read_all(dir.path());
    let catalog = dir.path().join("index.db");
    let keys: Vec<Vec<u8>> = {
        let open = rusqlite::Connection::open(&catalog).unwrap();
        let mut rows = open.prepare("SELECT key FROM state WHERE kind = 2").unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(keys.len() > 8, "there is more than one part");
    for key in keys {
        // The kind is the byte before the key. The key of a part's first row stands in two tables.
        for at in memchr::memmem::find_iter(&good[Path::new("index.db")], &key) {
            let mut bad = good.clone();
            bad.get_mut(Path::new("index.db")).unwrap()[at - 1] ^= 0x80;
            write_all(dir.path(), &bad);
            assert!(asked(dir.path(), &known, WHOLE).is_err(), "{}", String::from_utf8_lossy(&key));
        }
    }
}

/// Catches: a row of state, or a run in the list, that is gone without a trace.
#[test]
fn a_missing_row_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let known = built(dir.path(), 150);
    let good = read_all(dir.path());
    let catalog = dir.path().join("index.db");
    for (table, keys) in [("state", "kind, key"), ("parts", "kind, first"), ("runs", "file"), ("meta", "key")]
    {
        let count = format!("SELECT count(*) FROM {table}");
        let count: u32 =
            rusqlite::Connection::open(&catalog).unwrap().query_row(&count, [], |row| row.get(0)).unwrap();
        for nth in 0..count {
            write_all(dir.path(), &good);
            let delete = format!(
                "DELETE FROM {table} WHERE ({keys}) = (SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1 OFFSET {nth})"
            );
            assert_eq!(rusqlite::Connection::open(&catalog).unwrap().execute(&delete, []).unwrap(), 1);
            assert!(asked(dir.path(), &known, WHOLE).is_err(), "row {nth} of {table} is missing");
        }
        write_all(dir.path(), &good);
    }
}

/// Catches: a run that is missing, or is another's, and nobody notices.
#[test]
fn a_missing_or_foreign_file_is_found() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let known = built(dir.path(), 150);
    let good = read_all(dir.path());
    built(other.path(), 140);
    let foreign = read_all(other.path());
    let mut swapped = 0;
    for path in runs(dir.path()) {
        let mut bad = good.clone();
        bad.remove(&path);
        write_all(dir.path(), &bad);
        assert!(asked(dir.path(), &known, WHOLE).is_err(), "{} is missing", path.display());
        let alike = good.values().filter(|bytes| bytes.len() == good[&path].len());
        let others = foreign.get(&path).into_iter().chain(alike);
        for bytes in others.filter(|bytes| **bytes != good[&path]).take(2) {
            bad.insert(path.clone(), bytes.clone());
            write_all(dir.path(), &bad);
            assert!(asked(dir.path(), &known, WHOLE).is_err(), "{} is another", path.display());
            swapped += 1;
        }
    }
    assert!(swapped > 0);
    let mut bad = good.clone();
    bad.retain(|path, _| !path.to_string_lossy().starts_with("index.db"));
    write_all(dir.path(), &bad);
    asked(dir.path(), &known, WHOLE).expect("without its catalog it begins anew, and knows everything again");
}

/// Catches: an index that costs more memory than it may, at the sizes that are used in earnest.
#[test]
fn it_takes_at_most_two_bytes_for_an_id() {
    let dir = tempfile::tempdir().unwrap();
    let tuning = Tuning { flush_at: 20_000, flush_after: Duration::from_secs(3_600), ..Tuning::default() };
    let index = Index::open_with(dir.path(), journal(), 5, tuning).unwrap();
    let mut known = Known::default();
    for n in 0..100_u32 {
        known.next((n as u8, 4, 1, 1));
    }
    let event = known.events.last().unwrap().clone();
    let Body::Account(body) = event.body else { unreachable!("it knows accounts only") };
    let body = Body::Account(AccountEvent { fact: Fact::Frozen(reason()), ..body });
    let mut event = Event { body, ..event };
    let stream = StreamKey::of(&event.stream);
    const EVENTS: u64 = 100_000;
    for position in 1..=EVENTS {
        event.id = id(u128::from(position).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c) >> 4).into();
        event.revision = position;
        index.apply([(stream, position, &event)], [], (position, Known::hash(position)));
    }
    index.close().unwrap();
    assert!(index.bytes() as u64 <= 2 * EVENTS, "{} bytes for {EVENTS} IDs", index.bytes());
}

/// Catches: an index of an earlier format that is read as if it were of this one, or that only a person can get rid of.
#[test]
fn an_index_of_an_earlier_format_begins_anew_and_one_of_a_later_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = Known::default();
    (0..40_u32).for_each(|n| known.next((n as u8, 4, 1, 1)));
    let index = open_index(dir.path()).unwrap();
    known.feed(&index, 0, 40);
    index.close().unwrap();
    let set = |format: &str| {
        let catalog = rusqlite::Connection::open(dir.path().join("index.db")).unwrap();
        catalog.execute("UPDATE meta SET value = ?1 WHERE key = 'format'", [format]).unwrap();
    };
    for earlier in ["1", "9"] {
        set(earlier);
        // An ended transfer had a row of its own in format 9.
        let catalog = rusqlite::Connection::open(dir.path().join("index.db")).unwrap();
        catalog.execute("INSERT INTO state VALUES (11, x'00', 'x', 0)", []).unwrap();
        drop(catalog);
        let index = open_index(dir.path()).unwrap();
        assert_eq!(index.checkpoint().unwrap().position, 0);
        assert_eq!(index.marks(id(7).into()).unwrap(), []);
        known.feed(&index, 0, 40);
        known.ask(&index).unwrap();
        index.close().unwrap();
    }
    set("99");
    assert!(matches!(open_index(dir.path()), Err(IndexError::Damaged(_))));
}
