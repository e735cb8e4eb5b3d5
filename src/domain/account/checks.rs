//! The checks that several operations on an account have in common.

use crate::domain::money::Money;
use crate::domain::standing::Standing;

use super::decline::Decline;
use super::event::Fact;
use super::{Account, Status};

/// How a decision ends that is recorded: with a fact, or with a decline.
pub(super) type Outcome = Result<Fact, Decline>;

/// The checks that several operations have in common. Who calls them decides their order.
#[derive(Clone, Copy)]
pub(super) struct Checks<'a> {
    pub(super) standing: Standing<'a>,
    pub(super) account: &'a Account,
}

impl Checks<'_> {
    /// Is the account not closed, and the ID not ruled out?
    pub(super) fn open(self) -> Result<(), Decline> {
        if self.account.status == Status::Closed {
            return Err(Decline::AccountClosed);
        }
        self.not_ruled_out()
    }

    /// As [`open`](Self::open), and the account not frozen, which is asked before the ID.
    pub(super) fn open_and_not_frozen(self) -> Result<(), Decline> {
        match self.account.status {
            Status::Closed => Err(Decline::AccountClosed),
            Status::Frozen => Err(Decline::AccountFrozen),
            Status::Open => self.not_ruled_out(),
        }
    }

    /// Was the ID not ruled out before it came?
    pub(super) fn not_ruled_out(self) -> Result<(), Decline> {
        self.standing.ruled_out_by.map_or(Ok(()), |by| Err(Decline::Prevented(by)))
    }

    /// May so much come in?
    pub(super) fn room(self, amount: Money) -> Result<(), Decline> {
        match self.account.balance.plus(amount) {
            Some(after) if after <= Money::largest(self.account.currency) => Ok(()),
            Some(_) | None => Err(Decline::BalanceTooLarge),
        }
    }

    /// May so much go out?
    pub(super) fn funds(self, amount: Money) -> Result<(), Decline> {
        match self.account.available().minus(amount) {
            Some(after) if !after.is_negative() => Ok(()),
            Some(_) | None => Err(Decline::InsufficientFunds),
        }
    }
}
