//! Derived data that is whole and in the wrong place: blocks that change places, files that stand for others, rows that
//! stand under other keys, bytes that are flipped.
//!
//! After each of them the ledger is opened and **every** ID is sent again. It gets its first answer, byte for byte, or the
//! index is refused and nothing is decided. An ID that is booked a second time is the fault that is looked for.

#[path = "support/folders.rs"]
mod folders;
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bookonce::answers;
use bookonce::domain::command::Command;
use bookonce::domain::ids::Id;
use bookonce::domain::time::system_clock;
use bookonce::index::Tuning;
use bookonce::ledger::{Ledger, OpenError, Verdict, Workings};
use folders::{read_all, write_all};
use support::*;
use uuid::Uuid;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The size of a run's block.
const BLOCK: usize = 8_192;
/// Nothing is flushed before a stop, so that each day is one run of each tree.
const DAILY: Tuning = Tuning {
    flush_at: 1_000_000,
    flush_after: Duration::from_secs(3_600),
    most_behind: 1_000_000,
    lowest: 1_000_000,
    fan_in: 4,
};
/// The events of a day: three blocks.
const A_DAY: u128 = 700;
const DAYS: u128 = 3;
const TREES: [&str; 3] = ["ids-", "revisions-", "places-"];

/// A small random number generator, whose seed is printed so that a failure can be made again.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let given = std::env::var("BOOKONCE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().1 | 1);
        println!("BOOKONCE_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

/// How many of the cases of a kind are tried; all of them when `BOOKONCE_TEST_LONG` is set.
fn sample<T>(mut cases: Vec<T>, most: usize, random: &mut Random) -> Vec<T> {
    if std::env::var_os("BOOKONCE_TEST_LONG").is_none() {
        while cases.len() > most {
            let at = random.below(cases.len());
            cases.swap_remove(at);
        }
    }
    cases
}

fn open_daily(data: &Path, day: u128) -> Result<Ledger, OpenError> {
    let mut options = options(data, system_clock());
    options.fresh = Uuid::from_u128(0x0b00_c0de_0000_4000_8000_0000_0000_0000 + day);
    Ledger::open_with(options, Workings { index: DAILY, ..Workings::default() })
}

/// The IDs are scattered, so that each block of a run holds some of every day's.
fn scattered(n: u128) -> u128 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 72
}

fn command_of(n: u128) -> Command {
    let account = ["alice", "bob"][usize::try_from(n % 2).unwrap()];
    match n {
        0 | 1 => open(scattered(n), account),
        n if n % 7 < 2 => withdraw(scattered(n), account, "0.50"),
        n => deposit(scattered(n), account, "2"),
    }
}

/// A ledger of three days, its folder after each, and the first answers.
struct Told {
    dir: tempfile::TempDir,
    days: Vec<Files>,
    commands: Vec<Command>,
    answers: BTreeMap<Id, Vec<u8>>,
}

async fn told() -> Told {
    let dir = tempfile::tempdir().unwrap();
    let (mut days, mut answers) = (Vec::new(), BTreeMap::new());
    let commands: Vec<_> = (0..A_DAY * DAYS).map(command_of).collect();
    for (day, commands) in commands.chunks(A_DAY as usize).enumerate() {
        let ledger = open_daily(dir.path(), day as u128 + 1).unwrap();
        for verdict in ledger.execute(commands.to_vec()).await.unwrap() {
            let Verdict::Booked(event, _) = verdict else { panic!("{verdict:?}") };
            answers.insert(event.id, answers::render(&event).body);
        }
        ledger.stop().unwrap();
        drop(ledger);
        days.push(read_all(dir.path()));
    }
    Told { dir, days, commands, answers }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    /// Every ID got its first answer.
    Right,
    /// It did not open, or it stopped deciding.
    Refused,
}

impl Told {
    fn today(&self) -> &Files {
        self.days.last().unwrap()
    }

    /// The paths of a tree's runs.
    fn runs(&self, tree: &str) -> Vec<PathBuf> {
        let is_run = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(tree) && name.ends_with(".run")
        };
        self.today().keys().filter(is_run).cloned().collect()
    }

    /// Opens the ledger over these files and sends every ID again.
    async fn tried(&self, files: &Files, what: &str) -> Outcome {
        write_all(self.dir.path(), files);
        let ledger = match open_daily(self.dir.path(), 9) {
            Ok(ledger) => ledger,
            Err(OpenError::Index(_) | OpenError::Mismatch(_)) => return Outcome::Refused,
            Err(other) => panic!("{what}: {other}"),
        };
        let mut outcome = Outcome::Right;
        for commands in self.commands.chunks(100) {
            let Ok(verdicts) = ledger.execute(commands.to_vec()).await else {
                outcome = Outcome::Refused;
                continue;
            };
            for verdict in verdicts {
                match verdict {
                    Verdict::Replayed(event, _) => {
                        let again = answers::render(&event).body;
                        assert_eq!(self.answers[&event.id], again, "{what}: another first answer");
                    }
                    Verdict::Unavailable(_) => outcome = Outcome::Refused,
                    other => panic!("{what}: {other:?}"),
                }
            }
        }
        assert_eq!(ledger.head().position, (A_DAY * DAYS) as u64, "{what}: something was booked again");
        if outcome == Outcome::Refused {
            assert!(!ledger.status().ready, "{what}: it is ready though it refuses");
        }
        let _already_known = ledger.stop();
        outcome
    }

    async fn refused(&self, files: &Files, what: &str) {
        assert_eq!(self.tried(files, what).await, Outcome::Refused, "{what}");
    }

    /// Today's files, with one changed.
    fn with(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Files {
        let mut files = self.today().clone();
        change(files.get_mut(path).unwrap());
        files
    }
}

fn block(bytes: &[u8], nth: usize) -> Vec<u8> {
    bytes[nth * BLOCK..(nth + 1) * BLOCK].to_vec()
}

fn put(bytes: &mut [u8], nth: usize, block: &[u8]) {
    bytes[nth * BLOCK..nth * BLOCK + block.len()].copy_from_slice(block);
}

/// Catches: a block that is believed at any place and in any run as soon as its bytes are whole. Seen failing on runs whose
/// blocks had a checksum over their records alone: 340 IDs were booked a second time.
#[tokio::test]
async fn a_block_in_the_place_of_another_is_found() {
    let told = told().await;
    let mut random = Random::seeded();
    for tree in TREES {
        let runs = told.runs(tree);
        assert_eq!(runs.len() as u128, DAYS, "a run for each day");
        let mut cases = Vec::new();
        for (nth, run) in runs.iter().enumerate() {
            let other = &runs[(nth + 1) % runs.len()];
            // Two whole blocks, and a last one that is not full.
            for (one, two) in [(0, 1), (1, 0)] {
                let own = &told.today()[run];
                let swapped = told.with(run, |bytes| {
                    let (first, second) = (block(bytes, one), block(bytes, two));
                    put(bytes, one, &second);
                    put(bytes, two, &first);
                });
                cases.push(("swapped", swapped));
                cases.push(("doubled", told.with(run, |bytes| put(bytes, one, &block(own, two)))));
                cases.push((
                    "of another run",
                    told.with(run, |bytes| put(bytes, one, &block(&told.today()[other], one))),
                ));
                cases.push(("zeroed", told.with(run, |bytes| put(bytes, one, &[0; BLOCK]))));
            }
        }
        for (what, files) in sample(cases, 10, &mut random) {
            let what = format!("a block of {tree} is {what}");
            match tree {
                // Each retry asks for an ID.
                "ids-" => told.refused(&files, &what).await,
                _ => drop(told.tried(&files, &what).await),
            }
            told.every_line_or_none(&files, &what).await;
        }
    }
}

impl Told {
    /// Statements and searches are complete, or they are refused.
    async fn every_line_or_none(&self, files: &Files, what: &str) {
        write_all(self.dir.path(), files);
        let Ok(ledger) = open_daily(self.dir.path(), 9) else { return };
        let search = |account| bookonce::ledger::SearchQuery {
            account,
            from: None,
            to: None,
            kind: None,
            accepted: None,
            before: None,
            limit: 10_000,
        };
        let mut complete = 0;
        let half = A_DAY * DAYS / 2;
        let asked = [(Some(name("alice")), half), (Some(name("bob")), half), (None, A_DAY * DAYS)];
        for (account, right) in asked {
            if let Ok(found) = ledger.search(search(account)).await {
                assert_eq!(found.len() as u128, right, "{what}: lines are missing");
                complete += 1;
            }
        }
        assert!(complete < 3 || what.contains("ids-"), "{what}, and nobody noticed");
        let _already_known = ledger.stop();
    }
}
