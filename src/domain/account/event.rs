//! An event of an account says what happened to it. One command makes one event; an event is never changed and never
//! deleted.

use crate::domain::command::{LimitChange, Move, Opening, Operation, Reason, Reversal};
use crate::domain::currency::Currency;
use crate::domain::ids::{CounterAccount, TransactionId};
use crate::domain::kind::Kind;
use crate::domain::metadata::Metadata;
use crate::domain::money::{Amount, Direction, Money};
use crate::domain::time::Timestamp;

use super::corrected::Corrected;
use super::decline::Decline;

/// This is the version in which new events of accounts are written.
pub const VERSION: u32 = 1;

/// An `AccountEvent` is the body of an event in an account's stream: the fact, and the answer that its client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEvent {
    /// This is the time at which it happened in the world; the event's `recorded_at` where the client named no time.
    pub effective_at: Timestamp,
    /// This is the account's currency. Every sum in the event is in this currency.
    pub currency: Currency,
    /// This is what happened.
    pub fact: Fact,
    /// This is the part of the client's answer that follows from the fact. The fold never reads it; the audit
    /// recomputes it.
    pub answer: Answer,
}

/// An `Answer` says how the account stands after the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// This is its balance.
    pub balance: Money,
    /// Balance plus overdraft less holds.
    pub available: Money,
}

/// A `Fact` says what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An account was opened.
    AccountOpened {
        /// This is the limit of its overdraft: how far below zero its balance may go.
        overdraft_limit: Money,
        /// These are the business's own ids.
        metadata: Metadata,
    },
    /// Money came in.
    Deposited(Movement),
    /// Money went out.
    Withdrawn(Movement),
    /// An earlier movement was offset, in whole or in part.
    Reversed {
        /// This is the movement that it offsets.
        reverses: TransactionId,
        /// This is the part of it that is taken back.
        amount: Amount,
        /// This says which way the money moves: in, where a withdrawal was reversed.
        direction: Direction,
        /// This is the ledger's own account on the other side, that of the original.
        counter_account: CounterAccount,
        /// This says why.
        reason: Reason,
        /// This is true where the request named the amount.
        partial: bool,
        /// This is true where the request said `force`: it may pass the overdraft limit.
        force: bool,
    },
    /// A movement that has not come was ruled out.
    Prevented {
        /// This is the ID that is ruled out.
        reverses: TransactionId,
        /// This says why.
        reason: Reason,
        /// This is true where the request said `force`.
        force: bool,
    },
    /// The account was put right.
    Corrected(Box<Corrected>),
    /// The account was frozen: no money may go out of it.
    Frozen(Reason),
    /// The account was unfrozen: money may go out of it again.
    Unfrozen(Reason),
    /// The account was closed.
    Closed(Reason),
    /// The overdraft limit was changed.
    OverdraftLimitChanged {
        /// This is the new limit.
        overdraft_limit: Money,
        /// This says why.
        reason: Reason,
    },
    /// The ledger declined the request.
    Declined {
        /// This is the operation that was declined.
        operation: Operation,
        /// This says why.
        decline: Decline,
    },
}

/// An `Effect` says what an event does to another transaction that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This amount of it is taken back.
    TakenBack(Amount),
    /// It is ruled out before it has come.
    RuledOut,
}

/// A `Movement` is a movement of money between the guarded account and one of the ledger's own accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// This is the amount that was moved.
    pub amount: Amount,
    /// This is the ledger's own account on the other side.
    pub counter_account: CounterAccount,
    /// This is true where the client said when it happened.
    pub effective_at_given: bool,
    /// These are the business's own ids.
    pub metadata: Metadata,
}

/// `Entries` are the two sides of a movement, which sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries<'a> {
    /// This is what the guarded account gains; negative where it loses.
    pub guarded: Money,
    /// This is the ledger's own account, which gains the opposite.
    pub counter_account: &'a CounterAccount,
}

impl AccountEvent {
    /// Returns the name of its type in the journal.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.fact {
            Fact::AccountOpened { .. } => "AccountOpened",
            Fact::Deposited(_) => "Deposited",
            Fact::Withdrawn(_) => "Withdrawn",
            Fact::Reversed { .. } => "Reversed",
            Fact::Prevented { .. } => "Prevented",
            Fact::Corrected(_) => "Corrected",
            Fact::Frozen(_) => "Frozen",
            Fact::Unfrozen(_) => "Unfrozen",
            Fact::Closed(_) => "Closed",
            Fact::OverdraftLimitChanged { .. } => "OverdraftLimitChanged",
            Fact::Declined { .. } => "Declined",
        }
    }

    /// Returns its kind, as answers and searches name it. A decline has the kind of the operation that was declined; a
    /// prevention has a kind of its own, though a reversal was asked.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.fact {
            Fact::AccountOpened { .. } => Kind::Opening,
            Fact::Deposited(_) => Kind::Deposit,
            Fact::Withdrawn(_) => Kind::Withdrawal,
            Fact::Reversed { .. } => Kind::Reversal,
            Fact::Prevented { .. } => Kind::Prevention,
            Fact::Corrected(_) => Kind::Correction,
            Fact::Frozen(_) => Kind::Freeze,
            Fact::Unfrozen(_) => Kind::Unfreeze,
            Fact::Closed(_) => Kind::Close,
            Fact::OverdraftLimitChanged { .. } => Kind::OverdraftLimit,
            Fact::Declined { operation, .. } => match operation {
                Operation::Open(_) => Kind::Opening,
                Operation::Deposit(_) => Kind::Deposit,
                Operation::Withdraw(_) => Kind::Withdrawal,
                Operation::Reverse(_) => Kind::Reversal,
                Operation::Correct(_) => Kind::Correction,
                Operation::Freeze(_) => Kind::Freeze,
                Operation::Unfreeze(_) => Kind::Unfreeze,
                Operation::Close(_) => Kind::Close,
                Operation::SetOverdraftLimit(_) => Kind::OverdraftLimit,
            },
        }
    }

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
            | Fact::Declined { .. } => None,
        }
    }

    /// Returns the decline that it records, if it is one.
    #[must_use]
    pub fn decline(&self) -> Option<Decline> {
        match self.fact {
            Fact::Declined { decline, .. } => Some(decline),
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected(_)
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. } => None,
        }
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
            Fact::AccountOpened { .. }
            | Fact::Prevented { .. }
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::Declined { .. } => return None,
        };
        Some(Entries { guarded: amount.toward(direction), counter_account })
    }

    /// Returns the transaction that it names beside its own, and what it does to that transaction.
    #[must_use]
    pub fn names(&self) -> Option<(TransactionId, Effect)> {
        match self.fact {
            Fact::Reversed { reverses, amount, .. } => Some((reverses, Effect::TakenBack(amount))),
            Fact::Prevented { reverses, .. } => Some((reverses, Effect::RuledOut)),
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Corrected(_)
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::Declined { .. } => None,
        }
    }

    /// Returns the transactions that it corrects. It does nothing to them: it is only shown under each.
    #[must_use]
    pub fn corrects(&self) -> &[TransactionId] {
        match &self.fact {
            Fact::Corrected(corrected) => &corrected.corrects,
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::Declined { .. } => &[],
        }
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
            | Fact::Declined { .. } => false,
        }
    }

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
            Fact::Declined { operation, .. } => operation.clone(),
        }
    }
}
