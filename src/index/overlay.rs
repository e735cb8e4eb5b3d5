//! The overlay shows all accounts and sums after one and the same event. It reads the catalog, and over it what is
//! newer in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use uuid::Uuid;

use crate::domain::account::Account;
use crate::domain::digest::{EndedSum, StateHash};
use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::money::Money;
use crate::domain::stream::StreamName;
use crate::domain::transfer::Transfer;
use crate::still::StillDatabase;

use super::catalog;
use super::error::IndexError;
use super::layers::{InternalKey, Layer};
use super::now::internal_name;
use super::proven::Proven;
use super::rows::{self, Kind};

/// An `Overlay` shows the accounts after one event: the catalog, and over it what is newer in memory.
#[derive(Debug)]
pub struct Overlay<'a> {
    pub(super) catalog: &'a Connection,
    pub(super) proven: &'a Proven,
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
        for (key, value) in self.proven.states(self.catalog, Kind::Account, key, limit)? {
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

    /// Visits every transfer that has not ended, in the order of their IDs.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn every_open_transfer(&self, mut visit: impl FnMut(&Transfer)) -> Result<(), IndexError> {
        let newer = self.newer_transfers();
        let is_open = |transfer: &&&Transfer| !transfer.stage.is_end();
        let mut open = newer.values().filter(is_open).peekable();
        self.transfer_rows(|transfer| {
            while let Some(before) = open.next_if(|newer| newer.id < transfer.id) {
                visit(before);
            }
            if !transfer.stage.is_end() && !newer.contains_key(&transfer.id) {
                visit(transfer);
            }
        })?;
        open.for_each(|transfer| visit(transfer));
        Ok(())
    }

    /// Returns the transfers that are newer in memory.
    fn newer_transfers(&self) -> BTreeMap<TransactionId, &Transfer> {
        let mut newer = BTreeMap::new();
        for layer in &self.layers {
            newer.extend(layer.transfers().map(|transfer| (transfer.id, transfer)));
        }
        newer
    }

    /// Returns the sum of the transfers that have ended.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn ended(&self) -> Result<EndedSum, IndexError> {
        let newer = self.layers.iter().map(|layer| layer.ended());
        Ok(newer.fold(catalog::ended(self.catalog)?, EndedSum::plus))
    }

    /// Visits the transfers that have a row in the catalog, in the order of their IDs.
    fn transfer_rows(&self, mut visit: impl FnMut(&Transfer)) -> Result<(), IndexError> {
        const PAGE: usize = 4_096;
        let mut after = Vec::new();
        loop {
            let page = self.proven.states(self.catalog, Kind::Transfer, &after, PAGE)?;
            for (key, value) in &page {
                let id = Uuid::from_slice(key).ok().and_then(TransactionId::from_uuid);
                let id = id.ok_or_else(|| IndexError::damaged("a transfer's ID can't be read"))?;
                let tracked = rows::read_state(&StreamName::Transfer(id), value)?;
                tracked.state.transfer().into_iter().for_each(&mut visit);
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => after.clone_from(key),
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
        self.every_open_transfer(|transfer| hash.add_transfer(transfer))?;
        hash.add_ended(self.ended()?);
        Ok(hash.finish())
    }

    /// Returns the ledger's own accounts and what each has.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn internal(&self) -> Result<BTreeMap<InternalKey, Money>, IndexError> {
        let mut sums = BTreeMap::new();
        for (key, value) in self.proven.states(self.catalog, Kind::Internal, b"", usize::MAX)? {
            sums.insert(internal_name(&key)?, rows::read_sum(&value)?.1);
        }
        for (key, amount) in self.layers.iter().flat_map(|layer| layer.internal()) {
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
        let proven = &Proven::believing();
        work(&Overlay { catalog: &transaction, proven, layers: Vec::new(), position }).map(Some)
    })
}
