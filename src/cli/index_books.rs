//! The index's books are what a replay is compared with.

use std::path::Path;

use crate::audit::show::compare::{BooksError, OtherBooks};
use crate::audit::show::replay::{BookedAccount, BookedInternal};
use crate::index;
use crate::ledger::INDEX;

/// `IndexBooks` are the books that the index's files have, all after the same event.
pub(super) struct IndexBooks {
    position: u64,
    digest: String,
    accounts: Vec<BookedAccount>,
    internal: Vec<BookedInternal>,
}

impl IndexBooks {
    /// Reads the index of a data folder; `None` where there is none.
    pub(super) fn read(data: &Path) -> Result<Option<Self>, index::IndexError> {
        index::read_files(&data.join(INDEX), |files| {
            let mut accounts = Vec::new();
            files.every_account(|account| {
                accounts.push(BookedAccount {
                    account: account.name.to_string(),
                    currency: account.currency.to_string(),
                    balance: account.balance.to_string(),
                    held: Some(account.held()).filter(|held| !held.is_zero()).map(|held| held.to_string()),
                    overdraft_limit: account.overdraft_limit.to_string(),
                    status: account.status.name().to_owned(),
                    revision: account.revision,
                });
            })?;
            let internal = files.internal()?.into_iter().map(|((name, currency), balance)| BookedInternal {
                account: name.to_string(),
                currency: currency.to_string(),
                balance: balance.to_string(),
            });
            let internal = internal.collect();
            Ok(Self { position: files.position(), digest: files.digest()?, accounts, internal })
        })
    }
}

impl OtherBooks for IndexBooks {
    fn position(&self) -> u64 {
        self.position
    }

    fn accounts(&self) -> Result<Vec<BookedAccount>, BooksError> {
        Ok(self.accounts.clone())
    }

    fn internal(&self) -> Result<Vec<BookedInternal>, BooksError> {
        Ok(self.internal.clone())
    }

    fn digest(&self) -> Result<Option<String>, BooksError> {
        Ok(Some(self.digest.clone()))
    }
}
