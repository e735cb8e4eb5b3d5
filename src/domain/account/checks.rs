//! This file has the checks that several operations on an account have in common.

use crate::domain::money::Money;
use crate::domain::standing::Standing;

use super::decline::Decline;
use super::event::Fact;
use super::{Account, Status};

/// An `Outcome` is the result of a decision that is recorded: a fact, or a decline.
pub(super) type Outcome = Result<Fact, Decline>;

/// `Checks` are the checks that several operations have in common. The caller decides their order.
#[derive(Clone, Copy)]
pub(super) struct Checks<'a> {
    pub(super) standing: Standing<'a>,
    pub(super) account: &'a Account,
}

impl Checks<'_> {
    /// Checks that the account is not closed, and then that the ID was not ruled out.
    pub(super) fn open(self) -> Result<(), Decline> {
        if self.account.status == Status::Closed {
            return Err(Decline::AccountClosed);
        }
        self.not_ruled_out()
    }

    /// Checks that the account is neither closed nor frozen, and then that the ID was not ruled out.
    pub(super) fn open_and_not_frozen(self) -> Result<(), Decline> {
        match self.account.status {
            Status::Closed => Err(Decline::AccountClosed),
            Status::Frozen => Err(Decline::AccountFrozen),
            Status::Open => self.not_ruled_out(),
        }
    }

    /// Checks that the ID was not ruled out before it came.
    pub(super) fn not_ruled_out(self) -> Result<(), Decline> {
        self.standing.ruled_out_by.map_or(Ok(()), |by| Err(Decline::Prevented(by)))
    }

    /// Checks that the balance stays within the largest balance when this amount comes in.
    pub(super) fn room(self, amount: Money) -> Result<(), Decline> {
        match self.account.balance.plus(amount) {
            Some(after) if after <= Money::largest(self.account.currency) => Ok(()),
            Some(_) | None => Err(Decline::BalanceTooLarge),
        }
    }

    /// Checks that the account stays within its overdraft limit when this amount goes out.
    pub(super) fn funds(self, amount: Money) -> Result<(), Decline> {
        match self.account.available().minus(amount) {
            Some(after) if !after.is_negative() => Ok(()),
            Some(_) | None => Err(Decline::InsufficientFunds),
        }
    }
}
