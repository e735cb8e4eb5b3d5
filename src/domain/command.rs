//! A command is what a client asks for. The types of its fields hold every check that the request alone allows.

use std::sync::Arc;

use super::currency::Currency;
use super::ids::{CounterAccount, Id, TransactionId};
use super::metadata::{Metadata, Origin};
use super::money::{Written, WrittenAmount};
use super::stream::StreamName;
use super::time::Timestamp;

/// A `Command` is one request to book something, with the ID that lets it be booked only once.
#[derive(Clone, Debug)]
pub struct Command {
    /// This is the ID that it is booked with.
    pub id: Id,
    /// This is the stream that it is decided on.
    pub stream: StreamName,
    /// This is the operation that is asked for.
    pub operation: Operation,
    /// This is the origin: who asks, and why.
    pub origin: Origin,
}

impl Command {
    /// Returns the ID that it names beside its own.
    #[must_use]
    pub fn names(&self) -> Option<Id> {
        match &self.operation {
            Operation::Reverse(asked) => Some(Id::Client(asked.reverses)),
            Operation::Open(_)
            | Operation::Deposit(_)
            | Operation::Withdraw(_)
            | Operation::Freeze(_)
            | Operation::Unfreeze(_)
            | Operation::Close(_)
            | Operation::SetOverdraftLimit(_) => None,
        }
    }
}

/// An `Operation` is an operation that is asked of an account, with exactly the fields that have a meaning for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The client opens the account.
    Open(Opening),
    /// The client moves money into it from one of the ledger's own accounts.
    Deposit(Move),
    /// The client moves money out of it to one of the ledger's own accounts.
    Withdraw(Move),
    /// The client offsets an earlier deposit or withdrawal, or prevents one that has not come yet.
    Reverse(Reversal),
    /// The client freezes it, which lets no money out of it any more.
    Freeze(Reason),
    /// The client unfreezes it, which lets money out of it again.
    Unfreeze(Reason),
    /// The client closes it.
    Close(Reason),
    /// The client sets how far below zero it may go.
    SetOverdraftLimit(LimitChange),
}

/// An `Opening` has the fields of [`Operation::Open`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// This is its currency, which never changes.
    pub currency: Currency,
    /// This is how far below zero it may go.
    pub overdraft_limit: Written,
    /// These are the business's own ids.
    pub metadata: Metadata,
}

/// A `Move` has the fields of a deposit or a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// This is the amount to move.
    pub amount: WrittenAmount,
    /// This is the ledger's own account on the other side.
    pub counter_account: CounterAccount,
    /// This is the time at which it happened in the world, if the client named one.
    pub effective_at: Option<Timestamp>,
    /// These are the business's own ids.
    pub metadata: Metadata,
}

/// A `Reversal` has the fields of a reversal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// This is the transaction to take back.
    pub reverses: TransactionId,
    /// This is the part of it to take back; all that is left where the client named no amount.
    pub amount: Option<WrittenAmount>,
    /// This says why.
    pub reason: Reason,
    /// This is true where it may pass the overdraft limit.
    pub force: bool,
}

/// A `LimitChange` has the fields of a change of the overdraft limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// This is how far below zero the account may go from now on.
    pub overdraft_limit: Written,
    /// This says why.
    pub reason: Reason,
}

/// The reason why somebody did something: one line that a person wrote, of 1 to 256 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Arc<str>);

impl Reason {
    /// Reads the text as a reason; `None` when it is empty, too long, or has control characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().count();
        ((1..=256).contains(&length) && !text.chars().any(char::is_control)).then(|| Self(text.into()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Operation {
    /// Returns its name, as it stands in answers, events and searches.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "opening",
            Self::Deposit(_) => "deposit",
            Self::Withdraw(_) => "withdrawal",
            Self::Reverse(_) => "reversal",
            Self::Freeze(_) => "freeze",
            Self::Unfreeze(_) => "unfreeze",
            Self::Close(_) => "close",
            Self::SetOverdraftLimit(_) => "overdraft_limit",
        }
    }
}
