//! These reads say how accounts stand: now, by when things were recorded, by when they happened, after a position.
//!
//! Costs: an account now, after a position or by when things were recorded takes a number of look-ups that grows with the
//! logarithm of its events. By when things happened it takes some 200 rows of the index besides, and one look-up for each
//! event that the account's client dated and that happened or was recorded in the same 72 minutes. Where those are many that is
//! a long read, and so is a list at another time than now.

use crate::domain::ids::AccountName;

use super::effective::Standing;
use super::handle::Ledger;
use super::long_reads::Wanted;
use super::stream::{Stream, reading};
use super::types::{AccountReading, AccountsPage, At, ReadError};

impl Ledger {
    /// Returns how an account stands at a time or a position; `None` when it was not open there.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or a position is behind its end.
    pub async fn account(&self, name: &AccountName, at: At) -> Result<Option<AccountReading>, ReadError> {
        self.undamaged(name)?;
        self.not_beyond(at.position()).await?;
        let stream = Stream::new(self, name);
        let asked = stream.clone();
        match self.blocking(move || asked.at(at, None)).await? {
            Standing::Found(found) => Ok(found),
            Standing::IsLong => self.long(move |wanted| at_last(&stream, at, wanted)).await,
        }
    }

    /// Returns up to `limit` accounts in the order of their names, from after `after`.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or a position is behind its end.
    pub async fn accounts(
        &self,
        after: Option<AccountName>,
        limit: usize,
        at: At,
    ) -> Result<AccountsPage, ReadError> {
        self.not_beyond(at.position()).await?;
        let index = self.0.index.clone();
        let now = move || {
            let mut found = index.accounts(after.as_ref(), limit + 1)?;
            let more = found.len() > limit;
            found.truncate(limit);
            let more_after = found.last().filter(|_| more).map(|last| last.name.clone());
            Ok(AccountsPage { accounts: found.iter().map(reading).collect(), more_after })
        };
        if at == At::Now {
            return self.page(now).await;
        }
        let ledger = self.clone();
        self.long(move |wanted| {
            let page = now()?;
            let mut accounts = Vec::with_capacity(page.accounts.len());
            for account in page.accounts {
                wanted.check()?;
                ledger.undamaged(&account.name)?;
                accounts.extend(at_last(&Stream::new(&ledger, &account.name), at, wanted)?);
            }
            Ok(AccountsPage { accounts, more_after: page.more_after })
        })
        .await
    }
}

/// Returns how an account stood, however long it takes.
fn at_last(stream: &Stream, at: At, wanted: &Wanted) -> Result<Option<AccountReading>, ReadError> {
    match stream.at(at, Some(wanted))? {
        Standing::Found(found) => Ok(found),
        Standing::IsLong => Err(ReadError::TooLong),
    }
}
