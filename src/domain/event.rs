//! Events: what happened. One command makes one event; an event is never changed and never deleted.

use super::command::{LimitChange, Move, Opening, Operation, Reason, Reversal};
use super::currency::Currency;
use super::decline::Decline;
use super::ids::{AccountName, CounterAccount, TransactionId};
use super::metadata::{Metadata, Origin};
use super::money::Money;
use super::time::Timestamp;

/// The version that new events are written in.
pub const VERSION: u32 = 1;

/// A fact in an account's stream, and the answer that its client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The account whose stream it is in.
    pub account: AccountName,
    /// Its place in that stream, from 0.
    pub revision: u64,
    /// When the ledger recorded it.
    pub recorded_at: Timestamp,
    /// When it happened in the world; `recorded_at` where the client did not say.
    pub effective_at: Timestamp,
    /// The client's ID.
    pub transaction_id: TransactionId,
    /// The account's currency, which every sum in the event is in.
    pub currency: Currency,
    /// What happened.
    pub fact: Fact,
    /// What its client was told beside the fact. The fold never reads it; the audit recomputes it.
    pub answer: Answer,
    /// Who asked, and why.
    pub origin: Origin,
}

/// The account after the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its balance.
    pub balance: Money,
    /// Balance plus overdraft less holds.
    pub available: Money,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An account came to be.
    AccountOpened {
        /// How far below zero it may go.
        overdraft_limit: Money,
        /// The business's own ids.
        metadata: Metadata,
    },
    /// Money came in.
    Deposited(Movement),
    /// Money went out.
    Withdrawn(Movement),
    /// An earlier movement was offset, in whole or in part.
    Reversed {
        /// The movement it offsets.
        reverses: TransactionId,
        /// How much of it; greater than zero.
        amount: Money,
        /// Does the account get money back (a withdrawal was reversed)?
        credits: bool,
        /// The ledger's own account on the other side, that of the original.
        counter_account: CounterAccount,
        /// Why.
        reason: Reason,
        /// Did the request name the amount?
        partial: bool,
        /// Was it allowed to pass the overdraft limit?
        force: bool,
    },
    /// A movement that has not come was ruled out.
    Prevented {
        /// The ID that is ruled out.
        reverses: TransactionId,
        /// Why.
        reason: Reason,
        /// Did the request say `force`?
        force: bool,
    },
    /// Nothing goes out any more.
    Frozen(Reason),
    /// Money may go out again.
    Unfrozen(Reason),
    /// The account ended.
    Closed(Reason),
    /// It may go so far below zero from now on.
    OverdraftLimitChanged {
        /// The new limit.
        overdraft_limit: Money,
        /// Why.
        reason: Reason,
    },
    /// The ledger said no.
    Declined {
        /// To what.
        operation: Operation,
        /// Why.
        decline: Decline,
    },
}

/// Money moved between the guarded account and one of the ledger's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// How much; greater than zero.
    pub amount: Money,
    /// The ledger's own account on the other side.
    pub counter_account: CounterAccount,
    /// Did the client say when it happened?
    pub effective_at_given: bool,
    /// The business's own ids.
    pub metadata: Metadata,
}

/// The two sides of a movement, which sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries<'a> {
    /// What the guarded account gains; negative where it loses.
    pub guarded: Money,
    /// The ledger's own account, which gains the opposite.
    pub counter_account: &'a CounterAccount,
}

impl Event {
    /// Its type's name in the journal.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.fact {
            Fact::AccountOpened { .. } => "AccountOpened",
            Fact::Deposited(_) => "Deposited",
            Fact::Withdrawn(_) => "Withdrawn",
            Fact::Reversed { .. } => "Reversed",
            Fact::Prevented { .. } => "Prevented",
            Fact::Frozen(_) => "Frozen",
            Fact::Unfrozen(_) => "Unfrozen",
            Fact::Closed(_) => "Closed",
            Fact::OverdraftLimitChanged { .. } => "OverdraftLimitChanged",
            Fact::Declined { .. } => "Declined",
        }
    }

    /// Its kind, as answers and searches name it: what was asked, save that a prevention is one of its own.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.fact {
            Fact::AccountOpened { .. } => Kind::Opening,
            Fact::Deposited(_) => Kind::Deposit,
            Fact::Withdrawn(_) => Kind::Withdrawal,
            Fact::Reversed { .. } => Kind::Reversal,
            Fact::Prevented { .. } => Kind::Prevention,
            Fact::Frozen(_) => Kind::Freeze,
            Fact::Unfrozen(_) => Kind::Unfreeze,
            Fact::Closed(_) => Kind::Close,
            Fact::OverdraftLimitChanged { .. } => Kind::OverdraftLimit,
            Fact::Declined { operation, .. } => match operation {
                Operation::Open(_) => Kind::Opening,
                Operation::Deposit(_) => Kind::Deposit,
                Operation::Withdraw(_) => Kind::Withdrawal,
                Operation::Reverse(_) => Kind::Reversal,
                Operation::Freeze(_) => Kind::Freeze,
                Operation::Unfreeze(_) => Kind::Unfreeze,
                Operation::Close(_) => Kind::Close,
                Operation::SetOverdraftLimit(_) => Kind::OverdraftLimit,
            },
        }
    }

    /// The decline it records, if it is one.
    #[must_use]
    pub fn decline(&self) -> Option<Decline> {
        match self.fact {
            Fact::Declined { decline, .. } => Some(decline),
            _ => None,
        }
    }

    /// The balanced entry it books; `None` where no money moved.
    #[must_use]
    pub fn entries(&self) -> Option<Entries<'_>> {
        let (guarded, counter_account) = match &self.fact {
            Fact::Deposited(moved) => (moved.amount, &moved.counter_account),
            Fact::Withdrawn(moved) => (moved.amount.negated(), &moved.counter_account),
            Fact::Reversed { amount, credits: true, counter_account, .. } => (*amount, counter_account),
            Fact::Reversed { amount, counter_account, .. } => (amount.negated(), counter_account),
            Fact::AccountOpened { .. }
            | Fact::Prevented { .. }
            | Fact::Frozen(_)
            | Fact::Unfrozen(_)
            | Fact::Closed(_)
            | Fact::OverdraftLimitChanged { .. }
            | Fact::Declined { .. } => return None,
        };
        Some(Entries { guarded, counter_account })
    }

    /// The transaction that it takes back or rules out.
    #[must_use]
    pub fn reverses(&self) -> Option<TransactionId> {
        match self.fact {
            Fact::Reversed { reverses, .. } | Fact::Prevented { reverses, .. } => Some(reverses),
            _ => None,
        }
    }

    /// What a reversal took back.
    #[must_use]
    pub fn taken_back(&self) -> Option<Money> {
        match &self.fact {
            Fact::Reversed { amount, .. } => Some(*amount),
            _ => None,
        }
    }

    /// Did the client say when it happened in the world?
    #[must_use]
    pub fn effective_at_given(&self) -> bool {
        match &self.fact {
            Fact::Deposited(moved) | Fact::Withdrawn(moved) => moved.effective_at_given,
            Fact::Declined { operation: Operation::Deposit(asked) | Operation::Withdraw(asked), .. } => {
                asked.effective_at.is_some()
            }
            _ => false,
        }
    }

    /// The request that it answered, in canonical form: what a later request with its ID is compared with.
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

/// What an event is about, as answers and searches name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An account's opening.
    Opening,
    /// A deposit.
    Deposit,
    /// A withdrawal.
    Withdrawal,
    /// A reversal.
    Reversal,
    /// A reversal of what has not come.
    Prevention,
    /// A freeze.
    Freeze,
    /// Its end.
    Unfreeze,
    /// An account's end.
    Close,
    /// A change of the overdraft limit.
    OverdraftLimit,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Opening,
        Self::Deposit,
        Self::Withdrawal,
        Self::Reversal,
        Self::Prevention,
        Self::Freeze,
        Self::Unfreeze,
        Self::Close,
        Self::OverdraftLimit,
    ];

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Reversal => "reversal",
            Self::Prevention => "prevention",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::Close => "close",
            Self::OverdraftLimit => "overdraft_limit",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
