//! What is known to be wrong with the store: one account's stream, or the whole of it.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::ids::AccountName;

/// Damage, as it is known at the moment.
#[derive(Debug, Default)]
pub struct Damage {
    accounts: Mutex<BTreeMap<AccountName, Wrong>>,
    whole: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Wrong {
    why: String,
    /// The index has left events of it out: nothing but a rebuild mends that.
    lasting: bool,
}

impl Damage {
    /// The account's stream is not what the ledger wrote. `lasting`: it stays so for this index.
    pub fn account(&self, account: &AccountName, why: &str, lasting: bool) {
        let mut accounts = self.accounts.lock();
        let known = accounts.get(account);
        // What was found first says more than that it was found.
        if !lasting && known.is_some_and(|known| known.lasting) {
            return;
        }
        if known.is_none_or(|known| known.why != why) {
            tracing::error!(%account, why, "the account's stream is damaged: nothing is booked on it");
        }
        accounts.insert(account.clone(), Wrong { why: why.to_owned(), lasting });
    }

    /// The account's stream was read and found right.
    pub(super) fn mended(&self, account: &AccountName) {
        let mut accounts = self.accounts.lock();
        if accounts.get(account).is_some_and(|wrong| !wrong.lasting) {
            accounts.remove(account);
            tracing::info!(%account, "the account's stream is right again");
        }
    }

    /// Is the account damaged?
    #[must_use]
    pub fn has(&self, account: &AccountName) -> bool {
        self.accounts.lock().contains_key(account)
    }

    /// Is it damaged in a way that no new look at its stream can mend?
    #[must_use]
    pub fn is_lasting(&self, account: &AccountName) -> bool {
        self.accounts.lock().get(account).is_some_and(|wrong| wrong.lasting)
    }

    /// How many accounts are damaged.
    #[must_use]
    pub fn count(&self) -> usize {
        self.accounts.lock().len()
    }

    /// Which accounts are damaged, at most so many of them.
    #[must_use]
    pub fn accounts(&self, limit: usize) -> Vec<AccountName> {
        self.accounts.lock().keys().take(limit).cloned().collect()
    }

    /// The store is not the one that the index was made of.
    pub fn set_whole(&self, why: String) {
        tracing::error!(why, "the store is damaged: nothing is answered until a rebuild");
        *self.whole.lock() = Some(why);
    }

    /// Is the whole store damaged?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole.lock().is_some()
    }
}
