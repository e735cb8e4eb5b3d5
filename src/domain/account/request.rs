//! The request that an event of an account answered is worked out here.

use crate::domain::command::{
    Capturing, Crediting, Holding, LimitChange, Move, Opening, Operation, Placing, Releasing, Reversal,
    RulingOut,
};
use crate::domain::money::Amount;

use super::event::{AccountEvent, Fact, Movement, Terms};

impl AccountEvent {
    /// Returns the request that it answered, in canonical form. A later request with its ID is compared with this.
    #[must_use]
    pub fn request(&self) -> Operation {
        let moved = |moved: &Movement| Move {
            amount: moved.amount.into(),
            counter_account: moved.counter_account.clone(),
            effective_at: moved.effective_at_given.then_some(self.effective_at),
            metadata: moved.metadata.clone(),
        };
        match &self.fact {
            Fact::AccountOpened { overdraft_limit, metadata } => Operation::Open(Opening {
                currency: self.currency,
                overdraft_limit: (*overdraft_limit).into(),
                metadata: metadata.clone(),
            }),
            Fact::Deposited(movement) => Operation::Deposit(moved(movement)),
            Fact::Withdrawn(movement) => Operation::Withdraw(moved(movement)),
            Fact::Reversed { reverses, amount, reason, partial, force, .. } => Operation::Reverse(Reversal {
                reverses: *reverses,
                amount: partial.then(|| (*amount).into()),
                reason: reason.clone(),
                force: *force,
            }),
            Fact::Prevented { reverses, reason, force } => Operation::Reverse(Reversal {
                reverses: *reverses,
                amount: None,
                reason: reason.clone(),
                force: *force,
            }),
            Fact::Corrected(corrected) => Operation::Correct(Box::new(corrected.request(self.effective_at))),
            Fact::Frozen(reason) => Operation::Freeze(reason.clone()),
            Fact::Unfrozen(reason) => Operation::Unfreeze(reason.clone()),
            Fact::Closed(reason) => Operation::Close(reason.clone()),
            Fact::OverdraftLimitChanged { overdraft_limit, reason } => {
                Operation::SetOverdraftLimit(LimitChange {
                    overdraft_limit: (*overdraft_limit).into(),
                    reason: reason.clone(),
                })
            }
            Fact::HoldPlaced { amount, terms } => placed(*amount, terms),
            Fact::HoldCaptured { hold, amount, counter_account, partial, metadata, to, .. } => {
                Operation::Capture(Capturing {
                    hold: *hold,
                    amount: (*partial || to.is_some()).then(|| (*amount).into()),
                    counter_account: counter_account.clone(),
                    metadata: metadata.clone(),
                    to: to.clone(),
                })
            }
            Fact::HoldReleased { hold, reason, .. } | Fact::HoldPrevented { hold, reason } => {
                Operation::Release(Releasing { hold: *hold, reason: reason.clone() })
            }
            Fact::HoldExpired { hold, .. } => Operation::Expire(*hold),
            Fact::TransferCredited { transfer, amount, from } => Operation::TransferCredit(Crediting {
                transfer: *transfer,
                amount: (*amount).into(),
                from: from.clone(),
            }),
            Fact::CreditPrevented { transfer, code } => {
                Operation::RuleOut(RulingOut { transfer: *transfer, code: *code })
            }
            Fact::Declined { operation, .. } => operation.clone(),
        }
    }
}

/// Returns the request that a hold answered.
fn placed(amount: Amount, terms: &Terms) -> Operation {
    match terms {
        Terms::Client { expires_in_seconds, metadata, .. } => Operation::Hold(Placing {
            amount: amount.into(),
            expires_in_seconds: *expires_in_seconds,
            metadata: metadata.clone(),
        }),
        Terms::Transfer { transfer, to } => {
            Operation::TransferHold(Holding { transfer: *transfer, amount: amount.into(), to: to.clone() })
        }
    }
}
