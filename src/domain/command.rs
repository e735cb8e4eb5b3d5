//! A command is what a client asks for. The types of its fields hold every check that the request alone allows.

use super::currency::Currency;
use super::ids::{AccountName, CounterAccount, Id, TransactionId};
use super::metadata::{Metadata, Origin};
use super::money::{Written, WrittenAmount};
use super::stream::StreamName;
use super::time::Timestamp;
use super::transfer::command::TransferOperation;

pub use super::reason::Reason;

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
    /// Returns the accounts of the transfer that it asks for: the one that the money comes from, and the one that it moves to
    /// where that is an account of the ledger.
    #[must_use]
    pub fn parties(&self) -> Option<(&AccountName, Option<&AccountName>)> {
        match &self.operation {
            Operation::Transfer(TransferOperation::Request(asked)) => Some((&asked.from, asked.to.account())),
            Operation::Transfer(_)
            | Operation::Open(_)
            | Operation::Deposit(_)
            | Operation::Withdraw(_)
            | Operation::Reverse(_)
            | Operation::Freeze(_)
            | Operation::Unfreeze(_)
            | Operation::Close(_)
            | Operation::SetOverdraftLimit(_) => None,
        }
    }

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
            | Operation::SetOverdraftLimit(_)
            | Operation::Transfer(_) => None,
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
    /// Something is asked of a transfer, or the service goes on with one. Its stream is a transfer's.
    Transfer(TransferOperation),
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

/// A `Stopped` is the reason why a transfer stops before its credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its deadline is over.
    TimedOut,
    /// Its cancel was asked for.
    Cancelled,
}

impl Stopped {
    /// Returns the stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the reason with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::TimedOut, Self::Cancelled].into_iter().find(|stopped| stopped.code() == code)
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
            Self::Transfer(asked) => asked.name(),
        }
    }
}
