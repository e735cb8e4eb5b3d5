//! [`Proven`] knows which parts of the catalog were compared with what was written, and compares a part before the first of
//! its rows is believed.
//!
//! The first parts are proven at the start, so that a small ledger is known to be whole before it serves; the others when
//! they are asked for, and one after the other by a thread of the index in the background. When all are proven, a read costs
//! nothing more than the row.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};

use super::catalog;
use super::error::IndexError;
use super::parts::{Found, Start, part_of, prove};
use super::rows::Kind;

/// `Proven` says which parts of the catalog are what was written.
#[derive(Debug, Default)]
pub(super) struct Proven {
    /// This is true when all parts are.
    all: AtomicBool,
    parts: Mutex<HashSet<Start>>,
}

impl Proven {
    /// Makes one that believes every part, for a reader that compares all that it reads with the journal.
    pub(super) fn believing() -> Self {
        Self { all: AtomicBool::new(true), parts: Mutex::default() }
    }

    /// Returns one row of state, if it is there.
    pub(super) fn state(
        &self,
        connection: &Connection,
        kind: Kind,
        key: &[u8],
    ) -> Result<Option<String>, IndexError> {
        self.in_view(connection, |connection| {
            self.prove(connection, kind, key)?;
            match catalog::state(connection, kind, key)? {
                None if !self.is_whole() => self.look_again(connection, kind, key).map(|()| None),
                found => Ok(found),
            }
        })
    }

    /// Looks through the part of a row that was not found by its key. Rows of parts that are not proven yet can stand out of
    /// order on the same page of the file, and lead a look-up past the row.
    fn look_again(&self, connection: &Connection, kind: Kind, key: &[u8]) -> Result<(), IndexError> {
        let Some(Found { start, next, part }) = part_of(connection, kind as i64, key)? else { return Ok(()) };
        let mut is_there = false;
        prove(connection, &start, next.as_deref(), part, |row, _| is_there |= row == key)?;
        if is_there { Err(IndexError::damaged("rows of its state are not in order")) } else { Ok(()) }
    }

    /// Returns the rows of a kind, in the order of their keys, from after `after`.
    pub(super) fn states(
        &self,
        connection: &Connection,
        kind: Kind,
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, String)>, IndexError> {
        self.in_view(connection, |connection| {
            let found = catalog::states(connection, kind, after, limit)?;
            let last = found.last().filter(|_| found.len() >= limit).map(|(key, _)| key.as_slice());
            let mut from = after.to_vec();
            while !self.all.load(Ordering::Acquire) {
                match self.prove(connection, kind, &from)? {
                    Some(next) if last.is_none_or(|last| next.as_slice() <= last) => from = next,
                    Some(_) | None => break,
                }
            }
            Ok(found)
        })
    }

    /// Does the work on one and the same state of the catalog, as long as there are parts to prove.
    fn in_view<T>(
        &self,
        connection: &Connection,
        work: impl FnOnce(&Connection) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        if self.all.load(Ordering::Acquire) || !connection.is_autocommit() {
            return work(connection);
        }
        work(&*connection.unchecked_transaction()?)
    }

    /// Proves the part in which a key lies, unless it was proven before. Returns where the next one of its kind begins; that is
    /// not known any more when all are proven.
    fn prove(&self, connection: &Connection, kind: Kind, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        if self.all.load(Ordering::Acquire) {
            return Ok(None);
        }
        let Some(Found { start, next, part }) = part_of(connection, kind as i64, key)? else {
            // A kind has no part until it has its first row.
            let sql = "SELECT EXISTS(SELECT 1 FROM state WHERE kind = ?1)";
            return match connection.query_row(sql, [kind as i64], |row| row.get(0))? {
                true => Err(IndexError::damaged("rows of its state are of no part")),
                false => Ok(None),
            };
        };
        if !self.parts.lock().contains(&start) {
            prove(connection, &start, next.as_deref(), part, |_, _| {})?;
            self.parts.lock().insert(start);
        }
        Ok(next)
    }

    /// Proves the first part after this one, and returns where it begins; `None` when there is none any more: then all are
    /// proven. A part that was split since was proven by that.
    pub(super) fn go_on(
        &self,
        connection: &Connection,
        after: Option<&Start>,
    ) -> Result<Option<Start>, IndexError> {
        let sql = "SELECT kind, first FROM parts WHERE (kind, first) > (?1, ?2) ORDER BY kind, first LIMIT 1";
        self.in_view(connection, |connection| {
            let (kind, first) = after.map_or((i64::MIN, &[][..]), |(kind, first)| (*kind, first));
            let mut statement = connection.prepare_cached(sql)?;
            let next = statement.query_row(params![kind, first], |row| Ok((row.get(0)?, row.get(1)?)));
            let next: Option<Start> = next.optional()?;
            match &next {
                Some((kind, first)) => {
                    let kind = Kind::of(*kind);
                    let kind = kind.ok_or_else(|| IndexError::damaged("it has a row of an unknown kind"))?;
                    self.prove(connection, kind, first)?;
                }
                None => {
                    self.all.store(true, Ordering::Release);
                    *self.parts.lock() = HashSet::new();
                }
            }
            Ok(next)
        })
    }

    /// Proves up to so many parts from the first on, and returns the last of them.
    pub(super) fn begin(&self, connection: &Connection, parts: usize) -> Result<Option<Start>, IndexError> {
        let mut last = None;
        for _ in 0..parts.saturating_add(1) {
            match self.go_on(connection, last.as_ref())? {
                Some(next) => last = Some(next),
                None => break,
            }
        }
        Ok(last)
    }

    /// Says whether all parts are proven.
    pub(super) fn is_whole(&self) -> bool {
        self.all.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::account::{Account, Status};
    use crate::domain::currency::Currency;
    use crate::domain::ids::AccountName;
    use crate::domain::money::Money;
    use crate::domain::state::State;
    use crate::domain::stream::StreamName;
    use crate::index::record::StreamKey;
    use crate::index::{Index, Tracked, Tuning};
    use crate::store::chain::Hash;

    const TUNING: Tuning = Tuning {
        flush_at: usize::MAX,
        flush_after: std::time::Duration::from_secs(3_600),
        most_behind: usize::MAX,
        lowest: 1 << 17,
        fan_in: 4,
        rows_together: 8,
        parts_at_start: 4,
    };

    fn stream(n: u64) -> StreamName {
        StreamName::Account(AccountName::parse(&format!("account-{n:05}")).unwrap())
    }

    fn tracked(n: u64, revision: u64) -> Tracked {
        let currency = Currency::parse("EUR").unwrap();
        let (stream, zero) = (stream(n), Money::zero(currency));
        let account = Account {
            name: stream.account().unwrap().clone(),
            currency,
            balance: zero,
            overdraft_limit: zero,
            status: Status::Open,
            holds: Default::default(),
            revision,
            seen: [0; 32],
        };
        Tracked { key: StreamKey::of(&stream), state: State::Account(account), hash: None }
    }

    /// Opens an index whose threads do not run, so that nothing is proven in the background.
    fn still(dir: &std::path::Path) -> Result<Index, IndexError> {
        Index::prepare(dir, Uuid::from_u128(1), 1, TUNING)
    }

    fn built(accounts: u64) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let index = still(dir.path()).unwrap();
        for (position, accounts) in (1..).zip((0..accounts).collect::<Vec<_>>().chunks(150)) {
            for revision in [0, 1] {
                index.apply(
                    [],
                    accounts.iter().map(|n| tracked(*n, revision)),
                    (position * 2 + revision, Hash([7; 32])),
                );
                index.move_checkpoint().unwrap();
            }
        }
        dir
    }

    fn proven(index: &Index) -> usize {
        index.0.proven.parts.lock().len()
    }

    /// Seen failing with a start that proves every part.
    #[test]
    fn a_start_reads_a_few_rows_however_many_accounts_there_are() {
        for accounts in [600, 1_800] {
            let dir = built(accounts);
            let index = still(dir.path()).unwrap();
            assert_eq!((proven(&index), index.0.proven.is_whole()), (TUNING.parts_at_start + 1, false));
            assert_eq!(index.tracked(&stream(accounts - 1)).unwrap(), Some(tracked(accounts - 1, 1)));
            assert!(index.tracked(&stream(accounts)).unwrap().is_none());
            assert_eq!(proven(&index), TUNING.parts_at_start + 2, "one more part is asked for");
            let all = index.overlay(|overlay| overlay.accounts(None, usize::MAX)).unwrap();
            assert_eq!(all.len() as u64, accounts);
            let parts = proven(&index);
            assert!(parts as u64 > accounts / TUNING.rows_together, "{parts} parts");
            let mut last = None;
            while let Some(next) =
                index.0.proven.go_on(index.0.writer.lock().connection(), last.as_ref()).unwrap()
            {
                last = Some(next);
            }
            assert!(index.0.proven.is_whole());
        }
    }

    /// Seen failing with rows that were believed without their part: an old row said how the account stands.
    #[test]
    fn a_row_that_is_lost_or_old_is_found_when_it_is_asked_for() {
        let dir = built(600);
        let catalog = Connection::open(dir.path().join("index.db")).unwrap();
        let name = "account-00400";
        let old = format!("EUR 0.00 0.00 open 0 {}", "0".repeat(64));
        let spoil = [
            format!("DELETE FROM state WHERE key = CAST('{name}' AS BLOB)"),
            format!(
                "UPDATE state SET value = '{old}', crc = {} WHERE key = CAST('{name}' AS BLOB)",
                catalog::crc(Kind::Account, name.as_bytes(), &old)
            ),
        ];
        for spoil in spoil {
            let before: (String, u32) = row(&catalog, name);
            assert_eq!(catalog.execute(&spoil, []).unwrap(), 1);
            let index = still(dir.path()).unwrap();
            assert!(index.tracked(&stream(300)).unwrap().is_some(), "it is in another part");
            assert!(index.tracked(&stream(400)).is_err_and(|error| error.is_damage()), "{spoil}");
            assert!(index.failure().is_some(), "nothing is decided any more");
            std::fs::remove_file(dir.path().join("DAMAGED")).unwrap();
            let sql =
                "INSERT OR REPLACE INTO state(kind, key, value, crc) VALUES (1, CAST(?1 AS BLOB), ?2, ?3)";
            catalog.execute(sql, params![name, before.0, before.1]).unwrap();
        }
        assert!(still(dir.path()).unwrap().tracked(&stream(400)).unwrap().is_some());
    }

    fn row(catalog: &Connection, name: &str) -> (String, u32) {
        let sql = "SELECT value, crc FROM state WHERE key = CAST(?1 AS BLOB)";
        catalog.query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }
}
