//! The index alone, against maps in memory: over flushes, merges, restarts and crashes, and with its files damaged.
//!
//! An ID that the index forgets is a double booking, so every question is asked about everything.

#[path = "support/folders.rs"]
mod folders;
mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bookonce::domain::account::Account;
use bookonce::domain::currency::Currency;
use bookonce::domain::event::{Answer, Event, Fact, Movement};
use bookonce::domain::ids::{AccountName, CounterAccount};
use bookonce::domain::metadata::Metadata;
use bookonce::domain::money::{Money, Written};
use bookonce::domain::time::Timestamp;
use bookonce::index::record::{Facts, Mark, Role, StreamKey};
use bookonce::index::{Index, IndexError, InternalKey, Tracked, Tuning};
use bookonce::store::chain::Hash;
use folders::{as_a_crash_leaves_it, read_all, write_all};
use proptest::prelude::*;
use support::*;
use uuid::Uuid;

const SMALL: Tuning =
    Tuning { flush_at: 16, flush_after: Duration::from_secs(3_600), most_behind: 64, lowest: 16, fan_in: 2 };

fn journal() -> Uuid {
    Uuid::from_u128(77)
}

fn open_index(dir: &Path) -> Result<Index, IndexError> {
    Index::open_with(dir, journal(), 5, SMALL)
}

/// What the index should know, kept in the plainest way.
#[derive(Default)]
struct Known {
    events: Vec<Event>,
    after: Vec<Tracked>,
    marks: BTreeMap<u128, Vec<Mark>>,
    revisions: BTreeMap<(AccountName, u64), Facts>,
    places: Vec<(i64, Facts)>,
    accounts: BTreeMap<AccountName, Account>,
    reversed: BTreeMap<u128, Money>,
    internal: BTreeMap<InternalKey, Money>,
}

/// What happens next: to which account, what, to which earlier ID, for how much.
type Choice = (u8, u8, u16, u32);

impl Known {
    fn hash(position: u64) -> Hash {
        if position == 0 { Hash::genesis(journal()) } else { Hash([position as u8; 32]) }
    }

    /// Makes up the next event, and learns it.
    fn next(&mut self, (account, kind, of, amount): Choice) {
        let position = self.events.len() as u64 + 1;
        let n = u128::from(position) * 7;
        let account = name(["alice", "bob", "carol", "dave"][usize::from(account % 4)]);
        let currency = Currency::parse(if account.as_str() == "dave" { "JPY" } else { "EUR" }).unwrap();
        let before = self.accounts.get(&account).cloned();
        let amount = Written::parse(&(amount + 1).to_string()).unwrap().fit(currency).unwrap();
        let counter = if of.is_multiple_of(5) { "@fees" } else { "@cash" };
        let counter_account = CounterAccount::parse(counter).unwrap();
        let earlier = id(u128::from(of) % 600);
        let fact = match (before.is_some(), kind % 8) {
            (false, _) => {
                Fact::AccountOpened { overdraft_limit: Money::zero(currency), metadata: Metadata::default() }
            }
            // What an ID took back is in one currency: only accounts in euros reverse here.
            (_, 0) if currency.code() == "EUR" => Fact::Reversed {
                reverses: earlier,
                amount,
                credits: of.is_multiple_of(2),
                counter_account,
                reason: reason(),
                partial: true,
                force: true,
            },
            (_, 1) => Fact::Prevented { reverses: earlier, reason: reason(), force: false },
            (_, 2) => Fact::Frozen(reason()),
            (_, kind) => {
                let effective_at_given = kind == 3;
                let moved =
                    Movement { amount, counter_account, effective_at_given, metadata: Metadata::default() };
                if kind % 2 == 0 { Fact::Deposited(moved) } else { Fact::Withdrawn(moved) }
            }
        };
        let at = Timestamp::from_micros(1_000_000 + position as i64);
        let zero = Money::zero(currency);
        let event = Event {
            account: account.clone(),
            revision: before.as_ref().map_or(0, |account| account.revision + 1),
            recorded_at: at,
            effective_at: at,
            transaction_id: id(n),
            currency,
            fact,
            answer: Answer { balance: zero, available: zero },
            origin: freeze(n, "alice").origin,
        };
        self.learn(event, before.as_ref(), position);
    }

    fn learn(&mut self, event: Event, before: Option<&Account>, position: u64) {
        let after = Account::evolve(before, &event).unwrap();
        let key = |id: bookonce::domain::ids::TransactionId| u128::from_be_bytes(*id.as_bytes());
        let mut mark = |id, role| self.marks.entry(key(id)).or_default().push(Mark { position, role });
        mark(event.transaction_id, Role::Booked);
        match &event.fact {
            Fact::Reversed { reverses, amount, .. } => {
                mark(*reverses, Role::Reversed);
                let sum = self.reversed.entry(key(*reverses)).or_insert(Money::zero(event.currency));
                *sum = sum.plus(*amount).unwrap();
            }
            Fact::Prevented { reverses, .. } => mark(*reverses, Role::RuledOut),
            _ => {}
        }
        let facts = Facts::of(&event, position);
        self.revisions.insert((event.account.clone(), event.revision), facts);
        self.places.push((event.recorded_at.micros(), facts));
        if let Some(entries) = event.entries() {
            let key = (entries.counter_account.clone(), event.currency);
            let sum = self.internal.entry(key).or_insert(Money::zero(event.currency));
            *sum = sum.minus(entries.guarded).unwrap();
        }
        let stream = StreamKey::of(&event.account);
        self.accounts.insert(event.account.clone(), after.clone());
        self.after.push(Tracked { account: after, stream, hash: None });
        self.events.push(event);
    }

    /// Feeds the index with the events after a position, as a batch.
    fn feed(&self, index: &Index, after: u64, until: u64) {
        let range = after as usize..until as usize;
        let mut accounts: HashMap<AccountName, Tracked> = HashMap::new();
        for tracked in &self.after[range.clone()] {
            accounts.insert(tracked.account.name.clone(), tracked.clone());
        }
        let events = self.events[range.clone()].iter().zip(&self.after[range]).zip(after + 1..);
        let events = events.map(|((event, tracked), position)| (tracked.stream, position, event));
        index.apply(events, accounts.into_values(), (until, Self::hash(until)));
    }

    fn last(&self) -> u64 {
        self.events.len() as u64
    }

    /// Asks the index everything. `Err`: it says that it is damaged; a wrong answer panics.
    fn ask(&self, index: &Index) -> Result<(), IndexError> {
        for n in 0..self.last() * 7 + 20 {
            let asked = id(n.into());
            let key = u128::from_be_bytes(*asked.as_bytes());
            let right = self.marks.get(&key).cloned().unwrap_or_default();
            assert_eq!(index.marks(asked)?, right, "the marks of {asked}");
            if let Some(sum) = self.reversed.get(&key) {
                let currency = Currency::parse("EUR").unwrap();
                assert_eq!(index.reversed(asked, currency)?, *sum, "what was taken back of {asked}");
            }
        }
        for (name, account) in &self.accounts {
            assert_eq!(index.tracked(name)?.unwrap().account, *account);
            let all = || self.revisions.iter().filter(|((other, _), _)| other == name);
            let right: Vec<_> = all().map(|((_, revision), facts)| (*revision, *facts)).collect();
            let stream = StreamKey::of(name);
            assert_eq!(index.revisions(stream, 0..=u64::from(u32::MAX), false, usize::MAX)?, right);
            let newest: Vec<_> = right.iter().rev().take(3).copied().collect();
            assert_eq!(index.revisions(stream, 0..=u64::from(u32::MAX), true, 3)?, newest);
            let middle: Vec<_> = right.iter().filter(|(r, _)| (2..=5).contains(r)).copied().collect();
            assert_eq!(index.revisions(stream, 2..=5, false, 10)?, middle);
        }
        assert_eq!(index.tracked(&name("nobody"))?, None);
        assert_eq!(index.places(1..=u64::from(u32::MAX), false, usize::MAX)?, self.places);
        let newest: Vec<_> = self.places.iter().rev().take(5).copied().collect();
        assert_eq!(index.places(1..=self.last(), true, 5)?, newest);
        index.overlay(|overlay| {
            assert_eq!(overlay.position(), self.last());
            assert_eq!(overlay.internal(None)?, self.internal);
            let accounts = overlay.accounts(None, 100)?;
            assert_eq!(accounts, self.accounts.values().cloned().collect::<Vec<_>>());
            let next =
                self.accounts.iter().find(|(name, _)| name.as_str() > "alice").map(|(_, account)| account);
            assert_eq!(overlay.accounts(Some(&name("alice")), 1)?.first(), next);
            Ok(())
        })
    }
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
            match asked(dir.path(), &known) {
                Ok(()) => harmless += 1,
                Err(_) => found += 1,
            }
        }
    }
    assert!(found > 100, "{found} found, {harmless} harmless");
}

/// Opens it, catches up, asks everything.
fn asked(dir: &Path, known: &Known) -> Result<(), IndexError> {
    let index = open_index(dir)?;
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

/// Catches: a row of state, or a run in the list, that is gone without a trace.
#[test]
fn a_missing_row_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let known = built(dir.path(), 150);
    let good = read_all(dir.path());
    let catalog = dir.path().join("index.db");
    for (table, keys) in [("state", "kind, key"), ("runs", "file"), ("meta", "key")] {
        let count = format!("SELECT count(*) FROM {table}");
        let count: u32 =
            rusqlite::Connection::open(&catalog).unwrap().query_row(&count, [], |row| row.get(0)).unwrap();
        for nth in 0..count {
            write_all(dir.path(), &good);
            let delete = format!(
                "DELETE FROM {table} WHERE ({keys}) = (SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1 OFFSET {nth})"
            );
            assert_eq!(rusqlite::Connection::open(&catalog).unwrap().execute(&delete, []).unwrap(), 1);
            assert!(asked(dir.path(), &known).is_err(), "row {nth} of {table} is missing");
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
        assert!(asked(dir.path(), &known).is_err(), "{} is missing", path.display());
        let others = foreign.values().chain(good.values()).filter(|bytes| bytes.len() == good[&path].len());
        for bytes in others.filter(|bytes| **bytes != good[&path]).take(2) {
            bad.insert(path.clone(), bytes.clone());
            write_all(dir.path(), &bad);
            assert!(asked(dir.path(), &known).is_err(), "{} is another", path.display());
            swapped += 1;
        }
    }
    assert!(swapped > 0);
    let mut bad = good.clone();
    bad.retain(|path, _| !path.to_string_lossy().starts_with("index.db"));
    write_all(dir.path(), &bad);
    asked(dir.path(), &known).expect("without its catalog it begins anew, and knows everything again");
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
    let mut event = Event { fact: Fact::Frozen(reason()), ..event };
    let stream = StreamKey::of(&event.account);
    const EVENTS: u64 = 100_000;
    for position in 1..=EVENTS {
        event.transaction_id = id(u128::from(position).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c) >> 4);
        event.revision = position;
        index.apply([(stream, position, &event)], [], (position, Known::hash(position)));
    }
    index.close().unwrap();
    assert!(index.bytes() as u64 <= 2 * EVENTS, "{} bytes for {EVENTS} IDs", index.bytes());
}
