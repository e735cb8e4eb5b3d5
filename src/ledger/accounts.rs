//! These reads say how accounts stand: now, by when things were recorded, by when they happened, after a position.
//!
//! Costs: an account now, after a position or by when things were recorded takes a number of look-ups that grows with the
//! logarithm of its events. By when things happened it takes one look-up for each backdated event of the account besides;
//! with more than [`FEW`] of them that is a long read, and so is a list at another time than now.

use crate::domain::ids::AccountName;

use super::handle::Ledger;
use super::stream::{Stream, reading};
use super::types::{AccountReading, AccountsPage, At, ReadError};

/// This is the most backdated events of one account that an ordinary read looks at.
const FEW: usize = 256;

impl Ledger {
    /// Returns how an account stands at a time or a position; `None` when it was not open there.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or a position is behind its end.
    pub async fn account(&self, name: &AccountName, at: At) -> Result<Option<AccountReading>, ReadError> {
        self.undamaged(name)?;
        self.not_beyond(at.position()).await?;
        let stream = Stream::new(self, name);
        if matches!(at, At::Effective(_) | At::Both { .. }) {
            let asked = stream.clone();
            if self.blocking(move || asked.has_more_backdated(FEW)).await? {
                return self.long(move |wanted| stream.at(at, Some(wanted))).await;
            }
        }
        self.blocking(move || stream.at(at, None)).await
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
            let mut found = index.overlay(|overlay| overlay.accounts(after.as_ref(), limit + 1))?;
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
                accounts.extend(Stream::new(&ledger, &account.name).at(at, Some(wanted))?);
            }
            Ok(AccountsPage { accounts, more_after: page.more_after })
        })
        .await
    }
}
