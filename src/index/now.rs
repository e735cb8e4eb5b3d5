//! These questions are how a page of accounts stands now, and what one of the ledger's own accounts has now.
//!
//! They are asked often, beside writes, and of little: so nothing is sealed, copied or joined for them, as for a reader of all
//! accounts ([`Overlay`](super::Overlay)). Costs: a page takes one row of the catalog and one look into memory for each account
//! of it, the latter under the lock that every commit needs, some 0.2 microseconds each.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::account::Account;
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, CounterAccount};
use crate::domain::money::Money;
use crate::domain::stream::StreamName;

use super::error::IndexError;
use super::handle::Index;
use super::layers::InternalKey;
use super::lsm::memtable::Memtable;
use super::rows::{self, Kind};

/// There are fewer currencies than this, so that it is the most rows that one of the ledger's own accounts has.
const MOST_CURRENCIES: usize = 512;

impl Index {
    /// Returns up to `limit` accounts by name, from after `after`, all as they stand after one and the same event.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn accounts(&self, after: Option<&AccountName>, limit: usize) -> Result<Vec<Account>, IndexError> {
        let key = after.map_or(&b""[..], |name| name.as_str().as_bytes());
        self.with_reader(|catalog| {
            let look = |checkpoint| {
                // In the view nothing is flushed any more, so that the rows fit to what is in memory beyond them.
                let rows = self.0.proven.states(catalog, Kind::Account, key, limit).and_then(named);
                let mut rows = match rows {
                    Ok(rows) => rows,
                    Err(error) => return Some(Err(error)),
                };
                let state = self.0.state.read();
                let memories = state.beyond(checkpoint)?;
                let opened = memories.iter().flat_map(|memory| memory.opened(after).take(limit));
                let names: BTreeSet<&AccountName> = opened.collect();
                let newly: Vec<AccountName> = names.into_iter().take(limit).cloned().collect();
                rows.extend(newly.into_iter().map(|name| (name, None)));
                Some(Ok(rows
                    .into_iter()
                    .take(limit)
                    .map(|(name, row)| found(&memories, name, row))
                    .collect()))
            };
            let (_view, page) = self.view::<Result<Vec<Found>, IndexError>>(catalog, look)?;
            page?.into_iter().map(Found::account).collect()
        })
    }

    /// Returns what one of the ledger's own accounts has now, by currency, and the position of the event after which it has
    /// that; nothing for one that was never used.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn own_account(&self, name: &CounterAccount) -> Result<(u64, BTreeMap<Currency, Money>), IndexError> {
        self.with_reader(|catalog| {
            let (view, (position, newer)) = self.view(catalog, |checkpoint| {
                let state = self.0.state.read();
                let memories = state.beyond(checkpoint)?;
                let last = memories.iter().rev().find_map(|memory| memory.last());
                let all = memories.into_iter().flat_map(Memtable::all_internal);
                let its = all.filter(|(key, _)| key.0 == *name).map(|(key, amount)| (key.clone(), *amount));
                Some((last.map_or(checkpoint, |last| last.position), its.collect::<Vec<_>>()))
            })?;
            // Its rows are those whose keys begin with its name and a blank.
            let first = format!("{} ", name.as_str()).into_bytes();
            let rows = self.0.proven.states(&view, Kind::Internal, &first, MOST_CURRENCIES)?;
            let rows = rows.into_iter().take_while(|(key, _)| key.starts_with(&first));
            let mut sums = BTreeMap::new();
            for (key, value) in rows {
                sums.insert(internal_name(&key)?.1, rows::read_sum(&value)?.1);
            }
            for ((_, currency), amount) in newer {
                let sum = sums.entry(currency).or_insert_with(|| Money::zero(currency));
                *sum = sum.plus(amount).ok_or_else(|| IndexError::damaged("a sum can't be counted"))?;
            }
            Ok((position, sums))
        })
    }
}

/// A `Found` is an account of a page as it was found: in memory, or in a row that is not read yet.
enum Found {
    InMemory(Account),
    Row(AccountName, Option<String>),
}

/// Finds how an account stands: the newest in memory, or else its row.
fn found(memories: &[&Memtable], name: AccountName, row: Option<String>) -> Found {
    let stream = StreamName::Account(name.clone());
    let tracked = memories.iter().rev().find_map(|memory| memory.tracked(&stream));
    match tracked.and_then(|tracked| tracked.state.account()) {
        Some(account) => Found::InMemory(account.clone()),
        None => Found::Row(name, row),
    }
}

impl Found {
    fn account(self) -> Result<Account, IndexError> {
        let (name, row) = match self {
            Self::InMemory(account) => return Ok(account),
            Self::Row(name, row) => (name, row),
        };
        let unreadable = || IndexError::damaged("an account has no row");
        let tracked = rows::read_state(&StreamName::Account(name), &row.ok_or_else(unreadable)?)?;
        tracked.state.account().cloned().ok_or_else(unreadable)
    }
}

/// Returns rows of accounts by the names of their accounts.
fn named(rows: Vec<(Vec<u8>, String)>) -> Result<BTreeMap<AccountName, Option<String>>, IndexError> {
    let named = |(key, value): (Vec<u8>, String)| {
        let name = std::str::from_utf8(&key).ok().and_then(AccountName::parse);
        let name = name.ok_or_else(|| IndexError::damaged("an account's name can't be read"))?;
        Ok((name, Some(value)))
    };
    rows.into_iter().map(named).collect()
}

/// Returns the name of one of the ledger's own accounts, from the key of its row.
pub(super) fn internal_name(key: &[u8]) -> Result<InternalKey, IndexError> {
    rows::read_internal_key(key).ok_or_else(|| IndexError::damaged("an account's name can't be read"))
}
