//! [`Account`] is a guarded account, as the events so far leave it.

use crate::audit::rules::account_before::{AccountBefore, Status};
use crate::audit::rules::open_holds::OpenHolds;
use crate::audit::values::currency::Currency;

/// An `Account` is a guarded account, as the events so far leave it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) currency: Currency,
    /// This is the balance in minor units.
    pub(crate) balance: i128,
    /// This is how far the balance may go below zero, in minor units.
    pub(crate) limit: i128,
    pub(crate) status: Status,
    /// This is the revision of the newest event.
    pub(crate) revision: u64,
    /// This is the running hash of what became of which ID on the account.
    pub(crate) id_history: [u8; 32],
    /// These are the open holds, where there are any.
    pub(super) holds: Option<Box<OpenHolds>>,
}

impl Account {
    /// Opens an account.
    #[must_use]
    pub(super) fn open(currency: Currency, limit: i128) -> Self {
        let (balance, status, revision, id_history) = (0, Status::Open, 0, [0; 32]);
        Self { currency, balance, limit, status, revision, id_history, holds: None }
    }

    /// Gives what is held, in minor units.
    #[must_use]
    pub(crate) fn held(&self) -> i128 {
        self.holds.as_ref().map_or(0, |holds| holds.sum())
    }

    /// Gives what the rules look at.
    #[must_use]
    pub(super) fn before(&self, prevented: bool) -> AccountBefore {
        AccountBefore {
            currency: self.currency,
            balance: self.balance,
            limit: self.limit,
            status: self.status,
            prevented,
            held: self.held(),
            holds_of_clients: self.holds.as_ref().map_or(0, |holds| holds.of_clients()),
            has_holds: self.holds.is_some(),
        }
    }
}
