//! This file says what follows from an event of an account, by its fact alone: what it books, what it sets aside, and what it
//! does to other transactions.

use crate::domain::command::Operation;
use crate::domain::ids::{CounterAccount, Id, Step, TransactionId};
use crate::domain::money::{Direction, Money};

use super::decline::Decline;
use super::event::{AccountEvent, Effect, Entries, Fact};

impl AccountEvent {
    /// Returns the overdraft limit that it sets, if it sets one.
    #[must_use]
    pub fn overdraft_limit_set(&self) -> Option<Money> {
        match &self.fact {
            Fact::AccountOpened { overdraft_limit, .. }
            | Fact::OverdraftLimitChanged { overdraft_limit, .. } => Some(*overdraft_limit),
            Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected(_)
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::HoldPlaced { .. }
            | Fact::HoldCaptured { .. }
            | Fact::HoldReleased { .. }
            | Fact::HoldExpired { .. }
            | Fact::HoldPrevented { .. }
            | Fact::TransferCredited { .. }
            | Fact::CreditPrevented { .. }
            | Fact::Declined { .. } => None,
        }
    }

    /// Returns the decline that it records, if it is one.
    #[must_use]
    pub fn decline(&self) -> Option<Decline> {
        if let Fact::Declined { decline, .. } = self.fact { Some(decline) } else { None }
    }

    /// Returns the two entries that it books, which sum to zero; `None` where no money moved.
    #[must_use]
    pub fn entries(&self) -> Option<Entries<'_>> {
        let (amount, direction, counter_account) = match &self.fact {
            Fact::Deposited(moved) => (moved.amount, Direction::Credit, &moved.counter_account),
            Fact::Withdrawn(moved) => (moved.amount, Direction::Debit, &moved.counter_account),
            Fact::Reversed { amount, direction, counter_account, .. } => {
                (*amount, *direction, counter_account)
            }
            Fact::Corrected(corrected) => {
                (corrected.amount, corrected.direction, CounterAccount::corrections())
            }
            Fact::HoldCaptured { amount, counter_account, .. } => {
                (*amount, Direction::Debit, counter_account)
            }
            Fact::TransferCredited { amount, .. } => (*amount, Direction::Credit, CounterAccount::transit()),
            Fact::AccountOpened { .. }
            | Fact::Prevented { .. }
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::HoldPlaced { .. }
            | Fact::HoldReleased { .. }
            | Fact::HoldExpired { .. }
            | Fact::HoldPrevented { .. }
            | Fact::CreditPrevented { .. }
            | Fact::Declined { .. } => return None,
        };
        Some(Entries { guarded: amount.toward(direction), counter_account })
    }

    /// Returns by how much it changes what the account sets aside; `None` where it changes nothing.
    #[must_use]
    pub fn sets_aside(&self) -> Option<Money> {
        match &self.fact {
            Fact::HoldPlaced { amount, .. } => Some(amount.money()),
            Fact::HoldCaptured { amount, released, .. } => {
                let amount = amount.money();
                // The two are parts of one amount, so that their sum can be counted.
                let whole = released.map_or(Some(amount), |released| amount.plus(released.money()));
                Some(whole.unwrap_or(amount).negated())
            }
            Fact::HoldReleased { amount, .. } | Fact::HoldExpired { amount, .. } => {
                Some(amount.money().negated())
            }
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected(_)
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::HoldPrevented { .. }
            | Fact::TransferCredited { .. }
            | Fact::CreditPrevented { .. }
            | Fact::Declined { .. } => None,
        }
    }

    /// Returns the ID that it names beside its own, and what it does to the transaction with that ID.
    #[must_use]
    pub fn names(&self) -> Option<(Id, Effect)> {
        match &self.fact {
            Fact::Reversed { reverses, amount, .. } => {
                Some((Id::Client(*reverses), Effect::TakenBack(*amount)))
            }
            Fact::Prevented { reverses, .. } => Some((Id::Client(*reverses), Effect::RuledOut)),
            Fact::HoldCaptured { hold, .. } | Fact::HoldReleased { hold, .. } => {
                Some((*hold, Effect::Settled))
            }
            Fact::HoldExpired { hold, .. } => Some((Id::Client(*hold), Effect::Settled)),
            Fact::HoldPrevented { hold, .. } => Some((*hold, Effect::RuledOut)),
            Fact::CreditPrevented { transfer, .. } => {
                Some((Id::first_of(*transfer, Step::Credit), Effect::RuledOut))
            }
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Corrected(_)
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::HoldPlaced { .. }
            | Fact::TransferCredited { .. }
            | Fact::Declined { .. } => None,
        }
    }

    /// Returns the transactions that it corrects. It does nothing to them: it is only shown under each.
    #[must_use]
    pub fn corrects(&self) -> &[TransactionId] {
        if let Fact::Corrected(corrected) = &self.fact { &corrected.corrects } else { &[] }
    }

    /// Says whether the client said when it happened in the world.
    #[must_use]
    pub fn effective_at_given(&self) -> bool {
        match &self.fact {
            Fact::Deposited(moved) | Fact::Withdrawn(moved) => moved.effective_at_given,
            Fact::Declined { operation: Operation::Deposit(asked) | Operation::Withdraw(asked), .. } => {
                asked.effective_at.is_some()
            }
            Fact::Corrected(corrected) => corrected.effective_at_given(),
            Fact::Declined { operation: Operation::Correct(asked), .. } => {
                asked.change.effective_at().is_some()
            }
            Fact::AccountOpened { .. }
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::HoldPlaced { .. }
            | Fact::HoldCaptured { .. }
            | Fact::HoldReleased { .. }
            | Fact::HoldExpired { .. }
            | Fact::HoldPrevented { .. }
            | Fact::TransferCredited { .. }
            | Fact::CreditPrevented { .. }
            | Fact::Declined { .. } => false,
        }
    }
}
