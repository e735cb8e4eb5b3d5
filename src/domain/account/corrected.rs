//! A correction that was booked has a body of its own, kept apart so that the events of everyday stay small.

use crate::domain::command::{BalanceChange, Correction, Reason};
use crate::domain::ids::TransactionId;
use crate::domain::money::{Amount, Direction, Money};
use crate::domain::time::Timestamp;

/// A `Corrected` says how an account was put right, against the ledger's own account `@corrections`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// This is the amount that was moved. Where the request named a balance, the ledger worked the amount out.
    pub amount: Amount,
    /// This says which way the money moved.
    pub direction: Direction,
    /// This is the change that the request asked for. A retry is compared with it.
    pub asked: AskedChange,
    /// This says why.
    pub reason: Reason,
    /// These are the transactions that were wrong: up to 16, on any account.
    pub corrects: Vec<TransactionId>,
    /// This is true where the request said `force`: it may pass the overdraft limit and open holds.
    pub force: bool,
}

/// An `AskedChange` is what the request of a correction asked for, as far as the amount that was moved does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedChange {
    /// The request named the balance that there should be.
    To {
        /// This is that balance.
        balance: Money,
        /// This is the revision of the account's last event, as the operator saw it.
        expected_revision: u64,
    },
    /// The request named the amount and its direction.
    By {
        /// This is the revision of the account's last event, where the request named it.
        expected_revision: Option<u64>,
        /// This is true where the request said when it happened in the world.
        effective_at_given: bool,
    },
}

impl Corrected {
    /// Returns what the guarded account gained; negative where it lost.
    #[must_use]
    pub fn signed(&self) -> Money {
        self.amount.toward(self.direction)
    }

    /// Says whether the request said when it happened in the world.
    #[must_use]
    pub fn effective_at_given(&self) -> bool {
        match self.asked {
            AskedChange::To { .. } => false,
            AskedChange::By { effective_at_given, .. } => effective_at_given,
        }
    }

    /// Returns the request that it answered, from the time at which the event says that it happened.
    #[must_use]
    pub fn request(&self, effective_at: Timestamp) -> Correction {
        Correction {
            change: match self.asked {
                AskedChange::To { balance, expected_revision } => {
                    BalanceChange::To { balance: balance.into(), expected_revision }
                }
                AskedChange::By { expected_revision, effective_at_given } => BalanceChange::By {
                    amount: self.amount.into(),
                    direction: self.direction,
                    expected_revision,
                    effective_at: effective_at_given.then_some(effective_at),
                },
            },
            reason: self.reason.clone(),
            corrects: self.corrects.clone(),
            force: self.force,
        }
    }
}
