//! A ledger whose every first answer is known, and what becomes of it over changed files.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bookonce::answers;
use bookonce::domain::command::Command;
use bookonce::domain::ids::Id;
use bookonce::domain::stream::StreamName;
use bookonce::domain::time::system_clock;
use bookonce::index::Tuning;
use bookonce::ledger::{Ledger, OpenError, SearchQuery, Verdict, Workings};
use uuid::Uuid;

use crate::folders::{read_all, write_all};
use crate::support::*;

pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The size of a run's block.
pub(crate) const BLOCK: usize = 8_192;
/// Nothing is flushed before a stop, so that each day is one run of each tree.
pub(crate) const DAILY: Tuning = Tuning {
    flush_at: 1_000_000,
    flush_after: Duration::from_secs(3_600),
    most_behind: 1_000_000,
    lowest: 1_000_000,
    fan_in: 4,
    rows_together: 512,
    parts_at_start: 64,
};
/// The events of a day: three blocks.
pub(crate) const A_DAY: u128 = 700;
pub(crate) const DAYS: u128 = 2;
/// Commands that are sent together.
pub(crate) const COMMIT: usize = 25;
pub(crate) const TREES: [&str; 3] = ["ids-", "revisions-", "places-"];

/// A small random number generator, whose seed is printed so that a failure can be made again.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded() -> Self {
        let given = std::env::var("BOOKONCE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish() | 1);
        println!("BOOKONCE_TEST_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

/// Up to so many of the cases of a kind; as many times more as `BOOKONCE_TEST_TIMES` says.
pub(crate) fn sample<T>(mut cases: Vec<T>, most: usize, random: &mut Random) -> Vec<T> {
    let times = std::env::var("BOOKONCE_TEST_TIMES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let most = most.saturating_mul(times).min(cases.len());
    for at in 0..most {
        let other = at + random.below(cases.len() - at);
        cases.swap(at, other);
    }
    cases.truncate(most);
    cases
}

pub(crate) fn open_daily(data: &Path, day: u128) -> Result<Ledger, OpenError> {
    let mut options = options(data, system_clock());
    options.fresh = Uuid::from_u128(0x0b00_c0de_0000_4000_8000_0000_0000_0000 + day);
    Ledger::open_with(options, Workings { index: DAILY, ..Workings::default() })
}

/// The IDs are scattered, so that each block of a run holds some of every day's.
pub(crate) fn scattered(n: u128) -> u128 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 72
}

pub(crate) fn command_of(n: u128) -> Command {
    let account = ["alice", "bob"][usize::try_from(n % 2).unwrap()];
    match n {
        0 | 1 => open(scattered(n), account),
        n if n % 7 < 2 => withdraw(scattered(n), account, "0.50"),
        n => deposit(scattered(n), account, "2"),
    }
}

/// A ledger of two days, its folder after each, and the first answers.
pub(crate) struct Told {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) days: Vec<Files>,
    commands: Vec<Command>,
    answers: BTreeMap<Id, Vec<u8>>,
}

pub(crate) async fn told() -> Told {
    told_by((0..A_DAY * DAYS).map(command_of).collect(), 0).await
}

/// Another ledger, with other IDs.
pub(crate) async fn told_of(other: u128) -> Told {
    told_by(
        (0..A_DAY * DAYS).map(|n| Command { id: id(n + (other << 64)).into(), ..command_of(n) }).collect(),
        other,
    )
    .await
}

/// A ledger of so many accounts that their states take several pages of the catalog.
pub(crate) async fn told_of_many_accounts() -> Told {
    let commands = (0..A_DAY * DAYS).map(|n| open(scattered(n), &format!("account-{n}")));
    told_by(commands.collect(), 0).await
}

pub(crate) async fn told_by(commands: Vec<Command>, fresh: u128) -> Told {
    let dir = tempfile::tempdir().unwrap();
    let (mut days, mut answers) = (Vec::new(), BTreeMap::new());
    for (day, commands) in commands.chunks(A_DAY as usize).enumerate() {
        let ledger = open_daily(dir.path(), fresh * 8 + day as u128 + 1).unwrap();
        for commands in commands.chunks(COMMIT) {
            for verdict in ledger.execute(commands.to_vec()).await.unwrap() {
                let Verdict::Booked(event, _) = verdict else { panic!("{verdict:?}") };
                answers.insert(event.id, answers::render(&event).body);
            }
        }
        ledger.stop().unwrap();
        drop(ledger);
        days.push(read_all(dir.path()));
    }
    Told { dir, days, commands, answers }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Every ID got its first answer, and every statement is whole.
    Right,
    /// It did not open, or it stopped deciding, or it refused a statement; and says that it is not ready.
    Refused,
}

impl Told {
    pub(crate) fn today(&self) -> &Files {
        self.days.last().unwrap()
    }

    /// The paths of a tree's runs.
    pub(crate) fn runs(&self, tree: &str) -> Vec<PathBuf> {
        let is_run = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(tree) && name.ends_with(".run")
        };
        self.today().keys().filter(is_run).cloned().collect()
    }

    /// Opens the ledger over these files and sends every ID again.
    pub(crate) async fn tried(&self, files: &Files, what: &str) -> Outcome {
        write_all(self.dir.path(), files);
        let ledger = match open_daily(self.dir.path(), 9) {
            Ok(ledger) => ledger,
            Err(OpenError::Index(_) | OpenError::Mismatch(_)) => return Outcome::Refused,
            Err(other) => panic!("{what}: {other}"),
        };
        let mut outcome = Outcome::Right;
        for commands in self.commands.chunks(COMMIT) {
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
        if outcome == Outcome::Right && !self.every_line_or_none(&ledger, what).await {
            outcome = Outcome::Refused;
        }
        if outcome == Outcome::Refused {
            assert!(!ledger.status().ready, "{what}: it is ready though it refuses");
        }
        let _already_known = ledger.stop();
        drop(ledger);
        if outcome == Outcome::Refused {
            let again = open_daily(self.dir.path(), 10).map(drop);
            assert!(matches!(again, Err(OpenError::Index(_))), "{what}: the next start has forgotten it");
        }
        outcome
    }

    /// Statements and searches are complete, or they are refused. Was none refused?
    pub(crate) async fn every_line_or_none(&self, ledger: &Ledger, what: &str) -> bool {
        let mut complete = 0;
        for account in [Some(name("alice")), Some(name("bob")), None] {
            let is_asked = |command: &&Command| {
                account.as_ref().is_none_or(|name| command.stream == StreamName::Account(name.clone()))
            };
            let right = self.commands.iter().filter(is_asked).count();
            let query = SearchQuery { account, limit: 10_000, ..SearchQuery::default() };
            if let Ok(found) = ledger.search(query).await {
                assert_eq!(found.len(), right, "{what}: lines are missing");
                complete += 1;
            }
        }
        complete == 3
    }

    pub(crate) async fn refused(&self, files: &Files, what: &str) {
        assert_eq!(self.tried(files, what).await, Outcome::Refused, "{what}");
    }

    /// Today's files, with one changed.
    pub(crate) fn with(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Files {
        let mut files = self.today().clone();
        change(files.get_mut(path).unwrap());
        files
    }
}
