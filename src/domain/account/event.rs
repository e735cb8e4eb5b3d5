//! An event of an account says what happened to it. One command makes one event; an event is never changed and never
//! deleted. What follows from it (entries, effects, what is set aside) is in `effects`, and the request that it answered in
//! `request`.

use crate::domain::command::{HoldSeconds, Operation, Reason, Stopped};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use crate::domain::kind::Kind;
use crate::domain::metadata::Metadata;
use crate::domain::money::{Amount, Direction, Money};
use crate::domain::payee::Payee;
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
    /// Money was set aside.
    HoldPlaced {
        /// This is the amount.
        amount: Amount,
        /// These are the terms on which it was set aside.
        terms: Terms,
    },
    /// Money that was set aside went out, and what is left of it is free again.
    HoldCaptured {
        /// This is the hold.
        hold: Id,
        /// This is the part that went out.
        amount: Amount,
        /// This is the part that is free again, if there is one.
        released: Option<Amount>,
        /// This is the ledger's own account on the other side.
        counter_account: CounterAccount,
        /// This is true where the request of a client named the amount.
        partial: bool,
        /// These are the business's own ids.
        metadata: Metadata,
        /// This is the payee of the transfer whose step it is; `None` for a client's.
        to: Option<Payee>,
    },
    /// Money that was set aside is free again.
    HoldReleased {
        /// This is the hold.
        hold: Id,
        /// This is the sum that it had set aside.
        amount: Amount,
        /// This says why, where the client said so.
        reason: Option<Reason>,
    },
    /// Money that was set aside is free again, because the time of the hold is over.
    HoldExpired {
        /// This is the hold.
        hold: TransactionId,
        /// This is the sum that it had set aside.
        amount: Amount,
    },
    /// A hold that has not come was ruled out.
    HoldPrevented {
        /// This is the ID that is ruled out.
        hold: Id,
        /// This says why, where the client said so.
        reason: Option<Reason>,
    },
    /// What a transfer moves came in.
    TransferCredited {
        /// This is the transfer.
        transfer: TransactionId,
        /// This is the amount.
        amount: Amount,
        /// This is the account that it comes from.
        from: AccountName,
    },
    /// The credit of a transfer, which has not come, was ruled out.
    CreditPrevented {
        /// This is the transfer.
        transfer: TransactionId,
        /// This says why.
        code: Stopped,
    },
    /// The ledger declined the request.
    Declined {
        /// This is the operation that was declined.
        operation: Operation,
        /// This says why.
        decline: Decline,
    },
}

/// `Terms` are the terms of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terms {
    /// A client placed it, for a time.
    Client {
        /// This is how long it is set aside at most.
        expires_in_seconds: HoldSeconds,
        /// This is when it expires.
        expires_at: Timestamp,
        /// These are the business's own ids.
        metadata: Metadata,
    },
    /// A transfer placed it, until the transfer ends.
    Transfer {
        /// This is the transfer.
        transfer: TransactionId,
        /// This is the side to which the transfer moves the amount.
        to: Payee,
    },
}

impl Terms {
    /// Returns when the hold expires; `None` for that of a transfer.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Client { expires_at, .. } => Some(*expires_at),
            Self::Transfer { .. } => None,
        }
    }
}

/// An `Effect` says what an event does to another transaction that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This amount of it is taken back.
    TakenBack(Amount),
    /// It is ruled out before it has come.
    RuledOut,
    /// It is a hold, and is captured, released or expired: it sets nothing aside any more.
    Settled,
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
            Fact::HoldPlaced { .. } => "HoldPlaced",
            Fact::HoldCaptured { .. } => "HoldCaptured",
            Fact::HoldReleased { .. } => "HoldReleased",
            Fact::HoldExpired { .. } => "HoldExpired",
            Fact::HoldPrevented { .. } => "HoldPrevented",
            Fact::TransferCredited { .. } => "TransferCredited",
            Fact::CreditPrevented { .. } => "CreditPrevented",
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
            Fact::HoldPlaced { .. } => Kind::Hold,
            Fact::HoldCaptured { hold, .. } => captured(*hold),
            Fact::HoldReleased { .. } => Kind::Release,
            Fact::HoldExpired { .. } => Kind::Expiry,
            Fact::HoldPrevented { .. } | Fact::CreditPrevented { .. } => Kind::Prevention,
            Fact::TransferCredited { .. } => Kind::TransferIn,
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
                Operation::Hold(_) | Operation::TransferHold(_) => Kind::Hold,
                Operation::Capture(asked) => captured(asked.hold),
                Operation::Release(_) => Kind::Release,
                Operation::Expire(_) => Kind::Expiry,
                Operation::TransferCredit(_) => Kind::TransferIn,
                Operation::RuleOut(_) => Kind::Prevention,
                Operation::Transfer(asked) => asked.kind(),
                // No account declines these.
                Operation::Delivery(_) => Kind::DeliveryProgress,
                Operation::Letter(_) => Kind::DeadLetter,
            },
        }
    }
}

/// Returns the kind of the capture of a hold: a client's, or that of a transfer.
fn captured(hold: Id) -> Kind {
    if hold.transfer().is_some() { Kind::TransferOut } else { Kind::Capture }
}
