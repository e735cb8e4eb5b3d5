//! Questions to the index. Each is answered from what is active, what is frozen and the files, in one consistent view.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use crate::domain::account::Account;
use crate::domain::digest::StateHash;
use crate::domain::ids::{AccountName, CounterAccount, Id};
use crate::domain::money::Money;
use crate::domain::stream::StreamName;

use super::catalog::{self, Kind};
use super::error::IndexError;
use super::handle::Index;
use super::lsm::memtable::{InternalKey, Memtable, Note, Tracked};
use super::lsm::tree::TreeKind;
use super::record::{Facts, Mark, Record, Role, StreamKey, id_key, naming_key, place_key, ruled_out_key};
use super::rows;
use super::shared::State;

/// The most connections that are kept for the next readers.
const KEPT_READERS: usize = 4;

/// What the index knows of the use of an ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The positions at which it was booked, in the order of the journal. There is more than one only after a race
    /// between two instances.
    pub booked: Vec<u64>,
    /// True where it was ruled out on some stream.
    pub ruled_out: bool,
}

/// The sum that was taken back of an ID on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// The sum; `None` for nothing.
    pub sum: Option<Money>,
    /// The last revision of the stream that the index knows. Events after it are not in the sum.
    pub revision: Option<u64>,
}

impl State {
    /// The two parts in memory, newest first.
    fn in_memory(&self) -> impl Iterator<Item = &Memtable> {
        std::iter::once(&self.active).chain(self.frozen.as_deref())
    }
}

impl Index {
    /// Returns every position at which this ID plays a role, in the order of the journal. It is empty when no durable
    /// event concerns the ID. The cost grows with the number of events that name the ID. A decision uses the other
    /// questions, whose cost does not grow.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn marks(&self, id: Id) -> Result<Vec<Mark>, IndexError> {
        let mut marks = self.under(id_key(id, self.0.seed))?;
        marks.retain(|mark| mark.role == Role::Booked);
        marks.extend(self.under(naming_key(id, self.0.seed))?);
        marks.sort_unstable_by_key(|mark| mark.position);
        Ok(marks)
    }

    /// Returns what is known of the use of an ID.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn used(&self, id: Id) -> Result<Used, IndexError> {
        let marks = self.under(id_key(id, self.0.seed))?;
        let booked = |mark: &Mark| (mark.role == Role::Booked).then_some(mark.position);
        Ok(Used {
            ruled_out: marks.iter().any(|mark| mark.role == Role::RuledOut),
            booked: marks.iter().filter_map(booked).collect(),
        })
    }

    /// The position of the first event that rules an ID out on this stream.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn ruled_out(&self, id: Id, stream: &StreamName) -> Result<Option<u64>, IndexError> {
        Ok(self.under(ruled_out_key(id, stream, self.0.seed))?.first().map(|mark| mark.position))
    }

    /// Returns the marks under a key of the tree of IDs, in the order of the journal.
    fn under(&self, key: u128) -> Result<Vec<Mark>, IndexError> {
        let mut marks = Vec::new();
        let mut records = Vec::new();
        {
            let state = self.0.state.read();
            state.in_memory().for_each(|memory| memory.marks(key, &mut marks));
            state.tree(TreeKind::Ids).get(key, &mut records)?;
        }
        marks.extend(records.into_iter().map(|record| Mark::unpack(record.value)));
        marks.sort_unstable_by_key(|mark| mark.position);
        marks.dedup();
        Ok(marks)
    }

    /// Returns how the stream stands after its last durable event.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn tracked(&self, stream: &StreamName) -> Result<Option<Tracked>, IndexError> {
        if let Some(tracked) = self.0.state.read().in_memory().find_map(|memory| memory.tracked(stream)) {
            return Ok(Some(tracked.clone()));
        }
        // If it was moved out of memory since the look above, it is in the catalog already.
        let (kind, key) = rows::stream_row(stream);
        let value = self.with_reader(|catalog| catalog::state(catalog, kind, key))?;
        self.told(value.map(|value| rows::read_state(stream, &value)).transpose())
    }

    /// Every note that was taken.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn notes(&self) -> Result<Vec<Note>, IndexError> {
        let mut notes: Vec<Note> = {
            let state = self.0.state.read();
            state.in_memory().flat_map(|memory| memory.notes().iter().cloned()).collect()
        };
        let unreadable = || IndexError::damaged("a note can't be read");
        self.with_reader(|catalog| {
            for kind in [Kind::Twice, Kind::Damaged, Kind::Missing] {
                for (key, value) in catalog::states(catalog, kind, b"", usize::MAX)? {
                    notes.push(rows::read_note(kind, &key, value).ok_or_else(unreadable)?);
                }
            }
            Ok(notes)
        })
    }

    /// Returns the sum that was taken back of an ID on a stream, and the revision of the stream up to which it counts.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn taken_back(&self, id: Id, stream: &StreamName) -> Result<TakenBack, IndexError> {
        let key = (id, stream.clone());
        let (row_kind, row_key) = rows::stream_row(stream);
        self.with_reader(|catalog| {
            let transaction = catalog.unchecked_transaction()?;
            let (newer, tracked) = self.newer_than(&transaction, |_, memories| {
                let newer: Vec<_> = memories.iter().filter_map(|memory| memory.reversed(&key)).collect();
                let tracked = memories.iter().rev().find_map(|memory| memory.tracked(stream).cloned());
                Ok((newer, tracked))
            })?;
            let sum = match catalog::state(&transaction, Kind::Reversed, &rows::reversed_row_key(&key))? {
                Some(value) => Some(rows::read_sum(&value)?.1),
                None => None,
            };
            let sum = newer.into_iter().try_fold(sum, |sum, more| match sum {
                Some(sum) => sum.plus(more).map(Some),
                None => Some(Some(more)),
            });
            let tracked = match tracked {
                Some(tracked) => Some(tracked),
                None => catalog::state(&transaction, row_kind, row_key)?
                    .map(|value| rows::read_state(stream, &value))
                    .transpose()?,
            };
            Ok(TakenBack {
                sum: sum.ok_or_else(|| IndexError::damaged("a sum can't be counted"))?,
                revision: tracked.map(|tracked| tracked.state.revision()),
            })
        })
    }

    /// Up to `limit` events of a stream between two revisions (inclusive), from the low end or the high one.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn revisions(
        &self,
        stream: StreamKey,
        revisions: std::ops::RangeInclusive<u64>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(u64, Facts)>, IndexError> {
        let (low, high) = (stream.revision(*revisions.start()), stream.revision(*revisions.end()));
        let mut records = Vec::new();
        {
            let state = self.0.state.read();
            state.in_memory().for_each(|m| m.revisions(stream, low, high, backwards, limit, &mut records));
            state.tree(TreeKind::Revisions).range(low, high, backwards, limit, &mut records)?;
        }
        let found = ordered(records, backwards, limit).into_iter();
        self.told(found.map(|record| Ok((StreamKey::revision_in(record.key), facts(record)?))).collect())
    }

    /// Returns up to `limit` events between two positions (inclusive), from one end, each with the time of its
    /// recording.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn places(
        &self,
        positions: std::ops::RangeInclusive<u64>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(i64, Facts)>, IndexError> {
        let (low, high) = (place_key(*positions.start(), 0), place_key(*positions.end(), -1));
        let mut records = Vec::new();
        {
            let state = self.0.state.read();
            state.in_memory().for_each(|memory| memory.places(low, high, backwards, limit, &mut records));
            state.tree(TreeKind::Places).range(low, high, backwards, limit, &mut records)?;
        }
        let found = ordered(records, backwards, limit).into_iter();
        self.told(found.map(|record| Ok((super::record::recorded_in(record.key), facts(record)?))).collect())
    }

    /// Gives `work` everything that the index knows of accounts, all of it as it is after one and the same event.
    ///
    /// # Errors
    /// Fails when the catalog can't be read, or `work` fails.
    pub fn overlay<T>(
        &self,
        work: impl FnOnce(&Overlay<'_>) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        self.with_reader(|catalog| {
            let transaction = catalog.unchecked_transaction()?;
            let mut overlay = Overlay {
                catalog: &transaction,
                accounts: BTreeMap::new(),
                internal: Vec::new(),
                position: 0,
            };
            self.newer_than(&transaction, |checkpoint, memories| {
                overlay.position = checkpoint;
                for memory in memories {
                    let accounts = memory.all_streams().filter_map(|tracked| tracked.state.account());
                    overlay.accounts.extend(accounts.map(|account| (account.name.clone(), account.clone())));
                    overlay.internal.extend(memory.all_internal().map(|(key, sum)| (key.clone(), *sum)));
                    overlay.position = memory.last().map_or(overlay.position, |last| last.position);
                }
                Ok(())
            })?;
            work(&overlay)
        })
    }

    /// Gives `work` the catalog's checkpoint and the memtables that go beyond it, oldest first. The catalog's
    /// transaction does not see what is flushed from now on.
    fn newer_than<T>(
        &self,
        catalog: &Connection,
        work: impl FnOnce(u64, &[&Memtable]) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let state = self.0.state.read();
        let checkpoint = catalog::checkpoint(catalog)?.map_or(0, |checkpoint| checkpoint.position);
        // A frozen part that is in the catalog already, and will be dropped from memory in a moment, must not be
        // counted twice.
        let beyond = |memory: &&Memtable| memory.last().is_some_and(|last| last.position > checkpoint);
        let mut memories: Vec<_> = state.in_memory().filter(beyond).collect();
        memories.reverse();
        work(checkpoint, &memories)
    }

    /// Notes for the whole index any damage that a reader found, and returns the result unchanged.
    fn told<T>(&self, result: Result<T, IndexError>) -> Result<T, IndexError> {
        result.inspect_err(|error| {
            if error.is_damage() {
                self.0.failure.damaged(&error.to_string());
            }
        })
    }

    fn with_reader<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let kept = self.0.readers.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let connection = Connection::open(self.0.dir.join("index.db"))?;
                connection.pragma_update(None, "query_only", true)?;
                connection.busy_timeout(std::time::Duration::from_secs(10))?;
                connection
            }
        };
        let result = self.told(work(&connection));
        let mut readers = self.0.readers.lock();
        if readers.len() < KEPT_READERS {
            readers.push(connection);
        }
        result
    }
}

/// Gives `work` what the index's files in `dir` say, while another process may write them; `None` when there are none.
///
/// # Errors
/// Fails when they can't be read, or `work` fails.
pub fn read_files<T>(
    dir: &Path,
    work: impl FnOnce(&Overlay<'_>) -> Result<T, IndexError>,
) -> Result<Option<T>, IndexError> {
    let path = dir.join("index.db");
    if !path.exists() {
        return Ok(None);
    }
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "query_only", true)?;
    let transaction = connection.unchecked_transaction()?;
    let Some(checkpoint) = catalog::checkpoint(&transaction)? else { return Ok(None) };
    let position = checkpoint.position;
    work(&Overlay { catalog: &transaction, accounts: BTreeMap::new(), internal: Vec::new(), position })
        .map(Some)
}

fn ordered(mut records: Vec<Record>, backwards: bool, limit: usize) -> Vec<Record> {
    records.sort_unstable();
    // The same record can come from memory and from the file that it was just written to.
    records.dedup();
    if backwards {
        records.reverse();
    }
    records.truncate(limit);
    records
}

fn facts(record: Record) -> Result<Facts, IndexError> {
    Facts::unpack(record.value).ok_or_else(|| IndexError::damaged("a record can't be read"))
}

/// All accounts after one event: the rows of the catalog, with newer states from memory over them.
#[derive(Debug)]
pub struct Overlay<'a> {
    catalog: &'a Connection,
    accounts: BTreeMap<AccountName, Account>,
    internal: Vec<(InternalKey, Money)>,
    position: u64,
}

impl Overlay<'_> {
    /// Returns the position of the last event that is in it.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns up to `limit` accounts whose names come after `after`, in the order of their names.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn accounts(&self, after: Option<&AccountName>, limit: usize) -> Result<Vec<Account>, IndexError> {
        let key = after.map_or(&b""[..], |name| name.as_str().as_bytes());
        let mut found: BTreeMap<AccountName, Account> = BTreeMap::new();
        for (key, value) in catalog::states(self.catalog, Kind::Account, key, limit)? {
            let name = std::str::from_utf8(&key).ok().and_then(AccountName::parse);
            let name = name.ok_or_else(|| IndexError::damaged("an account's name can't be read"))?;
            let tracked = rows::read_state(&StreamName::Account(name.clone()), &value)?;
            if let Some(account) = tracked.state.account() {
                found.insert(name, account.clone());
            }
        }
        let newer = self.accounts.iter().filter(|(name, _)| after.is_none_or(|after| *name > after));
        found.extend(newer.map(|(name, account)| (name.clone(), account.clone())));
        Ok(found.into_values().take(limit).collect())
    }

    /// Visits every account, by name.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn every_account(&self, mut visit: impl FnMut(&Account)) -> Result<(), IndexError> {
        const PAGE: usize = 4_096;
        let mut after: Option<AccountName> = None;
        loop {
            let page = self.accounts(after.as_ref(), PAGE)?;
            page.iter().for_each(&mut visit);
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.name.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// The state digest.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn digest(&self) -> Result<String, IndexError> {
        let mut hash = StateHash::default();
        self.every_account(|account| hash.add(account))?;
        Ok(hash.finish())
    }

    /// Returns the ledger's own accounts and the balance of each; only those of this name, if one is given.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn internal(
        &self,
        name: Option<&CounterAccount>,
    ) -> Result<BTreeMap<InternalKey, Money>, IndexError> {
        let wanted = |key: &InternalKey| name.is_none_or(|name| key.0 == *name);
        let mut sums = BTreeMap::new();
        for (key, value) in catalog::states(self.catalog, Kind::Internal, b"", usize::MAX)? {
            let key = rows::read_internal_key(&key);
            let key = key.ok_or_else(|| IndexError::damaged("an account's name can't be read"))?;
            if wanted(&key) {
                sums.insert(key, rows::read_sum(&value)?.1);
            }
        }
        for (key, amount) in self.internal.iter().filter(|(key, _)| wanted(key)) {
            let sum = sums.entry(key.clone()).or_insert_with(|| Money::zero(key.1));
            *sum = sum.plus(*amount).ok_or_else(|| IndexError::damaged("a sum can't be counted"))?;
        }
        Ok(sums)
    }
}
