//! The overlay shows all accounts and sums after one and the same event. It reads the catalog, and over it what is
//! newer in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::account::Account;
use crate::domain::digest::StateHash;
use crate::domain::ids::{AccountName, CounterAccount};
use crate::domain::money::Money;
use crate::domain::stream::StreamName;
use crate::still::StillDatabase;

use super::catalog;
use super::error::IndexError;
use super::layers::{InternalKey, Layer};
use super::rows::{self, Kind};

/// An `Overlay` shows the accounts after one event: the catalog, and over it what is newer in memory.
#[derive(Debug)]
pub struct Overlay<'a> {
    pub(super) catalog: &'a Connection,
    /// These layers are newer than the catalog; the oldest is the first.
    pub(super) layers: Vec<Arc<Layer>>,
    pub(super) position: u64,
}

impl Overlay<'_> {
    /// Returns the position of the event after which it is.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns up to `limit` accounts by name, from after `after`.
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
        for layer in &self.layers {
            found.extend(layer.accounts(after, limit).map(|account| (account.name.clone(), account.clone())));
        }
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

    /// Returns the state digest.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn digest(&self) -> Result<String, IndexError> {
        let mut hash = StateHash::default();
        self.every_account(|account| hash.add(account))?;
        Ok(hash.finish())
    }

    /// Returns the ledger's own accounts and what each has; only those of this name, if one is given.
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
        let newer = self.layers.iter().flat_map(|layer| layer.internal());
        for (key, amount) in newer.filter(|(key, _)| wanted(key)) {
            let sum = sums.entry(key.clone()).or_insert_with(|| Money::zero(key.1));
            *sum = sum.plus(*amount).ok_or_else(|| IndexError::damaged("a sum can't be counted"))?;
        }
        Ok(sums)
    }
}

/// Reads what the index's files in `dir` say, beside whoever writes them; `None` when there are none.
///
/// # Errors
/// Fails when they can't be read, or `work` fails.
pub fn read_files<T>(
    dir: &Path,
    mut work: impl FnMut(&Overlay<'_>) -> Result<T, IndexError>,
) -> Result<Option<T>, IndexError> {
    let path = dir.join("index.db");
    if !path.exists() {
        return Ok(None);
    }
    StillDatabase::open(dir.parent().unwrap_or(dir), &path)?.read(|connection| {
        let transaction = connection.unchecked_transaction()?;
        let Some(checkpoint) = catalog::checkpoint(&transaction)? else { return Ok(None) };
        let position = checkpoint.position;
        work(&Overlay { catalog: &transaction, layers: Vec::new(), position }).map(Some)
    })
}
