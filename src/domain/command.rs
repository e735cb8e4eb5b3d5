//! A command is what a client asks for. The types of its fields hold every check that the request alone allows.

use super::currency::Currency;
use super::delivery::decide::DeliveryOperation;
use super::ids::{AccountName, CounterAccount, Id, Step, TransactionId};
use super::letter::DeadLettered;
use super::metadata::{Metadata, Origin};
use super::money::{Direction, Written, WrittenAmount};
use super::stream::StreamName;
use super::time::Timestamp;
use super::transfer::command::TransferOperation;
use super::written_balance::WrittenBalance;

pub use super::hold_request::{
    Capturing, Crediting, HoldSeconds, Holding, Placing, Releasing, RulingOut, Stopped,
};
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
        let Operation::Transfer(TransferOperation::Request(asked)) = &self.operation else { return None };
        Some((&asked.from, asked.to.account()))
    }

    /// Returns the ID that it names beside its own.
    #[must_use]
    pub fn names(&self) -> Option<Id> {
        match &self.operation {
            Operation::Reverse(asked) => Some(Id::Client(asked.reverses)),
            Operation::Capture(asked) => Some(asked.hold),
            Operation::Release(asked) => Some(asked.hold),
            Operation::TransferHold(asked) => Some(Id::Client(asked.transfer)),
            Operation::TransferCredit(asked) => Some(Id::Client(asked.transfer)),
            Operation::RuleOut(asked) => Some(Id::first_of(asked.transfer, Step::Credit)),
            Operation::Open(_)
            | Operation::Deposit(_)
            | Operation::Withdraw(_)
            | Operation::Correct(_)
            | Operation::Freeze(_)
            | Operation::Unfreeze(_)
            | Operation::Close(_)
            | Operation::SetOverdraftLimit(_)
            | Operation::Hold(_)
            | Operation::Expire(_)
            | Operation::Transfer(_)
            | Operation::Delivery(_)
            | Operation::Letter(_) => None,
        }
    }

    /// Returns the IDs of the service's own that follow from the ID that it names. Whether the stream has booked one of them
    /// may matter: the expiry of a hold that is not open any more, and the steps of a transfer, which a client can't name.
    pub fn followers(&self) -> impl Iterator<Item = Id> + use<> {
        const STEPS: [Step; 4] = [Step::Hold, Step::Credit, Step::Release, Step::RuleOut];
        let (of, steps): (Option<TransactionId>, &'static [Step]) = match &self.operation {
            Operation::Reverse(asked) => (Some(asked.reverses), &STEPS),
            Operation::Capture(asked) => (asked.hold.client(), &[Step::Expiry]),
            Operation::Release(asked) => {
                (asked.hold.client(), &[Step::Expiry, Step::Hold, Step::Credit, Step::Release, Step::RuleOut])
            }
            Operation::Open(_)
            | Operation::Deposit(_)
            | Operation::Withdraw(_)
            | Operation::Freeze(_)
            | Operation::Unfreeze(_)
            | Operation::Close(_)
            | Operation::SetOverdraftLimit(_)
            | Operation::Correct(_)
            | Operation::Hold(_)
            | Operation::Expire(_)
            | Operation::TransferHold(_)
            | Operation::TransferCredit(_)
            | Operation::RuleOut(_)
            | Operation::Transfer(_)
            | Operation::Delivery(_)
            | Operation::Letter(_) => (None, &[]),
        };
        of.into_iter().flat_map(move |of| steps.iter().map(move |step| Id::first_of(of, *step)))
    }

    /// Returns the IDs that it corrects. Of these only one thing matters to the decision: that they were booked.
    #[must_use]
    pub fn corrects(&self) -> &[TransactionId] {
        if let Operation::Correct(asked) = &self.operation { &asked.corrects } else { &[] }
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
    /// The client puts the account right, against the ledger's own account of corrections.
    Correct(Box<Correction>),
    /// The client freezes it, which lets no money out of it any more.
    Freeze(Reason),
    /// The client unfreezes it, which lets money out of it again.
    Unfreeze(Reason),
    /// The client closes it.
    Close(Reason),
    /// The client sets how far below zero it may go.
    SetOverdraftLimit(LimitChange),
    /// The client sets money aside.
    Hold(Placing),
    /// The client, or a transfer, books out what a hold sets aside, whole or in part.
    Capture(Capturing),
    /// The client, or a transfer, makes free what a hold sets aside, or rules out a hold that has not come.
    Release(Releasing),
    /// The service books the expiry of this hold, whose time has come. It is the only command whose event is booked before
    /// it is decided: with all others that are due.
    Expire(TransactionId),
    /// A transfer sets aside what it is to move.
    TransferHold(Holding),
    /// A transfer moves money in.
    TransferCredit(Crediting),
    /// A transfer rules out its credit, where that has not come.
    RuleOut(RulingOut),
    /// Something is asked of a transfer, or the service goes on with one. Its stream is a transfer's.
    Transfer(TransferOperation),
    /// Something is asked of a destination, or the service records what it did. Its stream is a destination's.
    Delivery(Box<DeliveryOperation>),
    /// The service gives up a message. Its stream is a letter's.
    Letter(Box<DeadLettered>),
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

/// A `Correction` has the fields of a correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// This is the change of the balance that is asked for.
    pub change: BalanceChange,
    /// This says why.
    pub reason: Reason,
    /// These are the transactions that were wrong: up to 16, on any account, each once.
    pub corrects: Vec<TransactionId>,
    /// This is true where it may pass the overdraft limit and open holds.
    pub force: bool,
}

/// A `BalanceChange` is the change of a balance that a correction asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalanceChange {
    /// The balance becomes this one, if nothing was booked since the client looked.
    To {
        /// This is what the balance should be. It may be negative.
        balance: WrittenBalance,
        /// This is the revision of the last event that the client saw.
        expected_revision: u64,
    },
    /// The balance changes by this amount, whatever it is.
    By {
        /// This is the amount to move.
        amount: WrittenAmount,
        /// This is the direction in which it moves.
        direction: Direction,
        /// This is the revision of the last event that the client saw; `None` where that does not matter.
        expected_revision: Option<u64>,
        /// This is the time at which it happened in the world, if the client named one.
        effective_at: Option<Timestamp>,
    },
}

impl BalanceChange {
    /// Returns the revision that the account must have, if the client named one.
    #[must_use]
    pub fn expected_revision(&self) -> Option<u64> {
        match self {
            Self::To { expected_revision, .. } => Some(*expected_revision),
            Self::By { expected_revision, .. } => *expected_revision,
        }
    }

    /// Returns the time at which it happened in the world, if the client named one.
    #[must_use]
    pub fn effective_at(&self) -> Option<Timestamp> {
        match self {
            Self::To { .. } => None,
            Self::By { effective_at, .. } => *effective_at,
        }
    }
}

/// A `LimitChange` has the fields of a change of the overdraft limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// This is how far below zero the account may go from now on.
    pub overdraft_limit: Written,
    /// This says why.
    pub reason: Reason,
}

impl Operation {
    /// Says whether it sets money aside.
    #[must_use]
    pub(super) fn is_hold(&self) -> bool {
        matches!(self, Self::Hold(_) | Self::TransferHold(_))
    }

    /// Returns the hold that it settles, if it settles one.
    #[must_use]
    pub fn settles(&self) -> Option<Id> {
        match self {
            Self::Capture(asked) => Some(asked.hold),
            Self::Release(asked) => Some(asked.hold),
            Self::Open(_)
            | Self::Deposit(_)
            | Self::Withdraw(_)
            | Self::Reverse(_)
            | Self::Freeze(_)
            | Self::Unfreeze(_)
            | Self::Close(_)
            | Self::SetOverdraftLimit(_)
            | Self::Correct(_)
            | Self::Hold(_)
            | Self::Expire(_)
            | Self::TransferHold(_)
            | Self::TransferCredit(_)
            | Self::RuleOut(_)
            | Self::Transfer(_)
            | Self::Delivery(_)
            | Self::Letter(_) => None,
        }
    }

    /// Returns its name, as it stands in answers, events and searches.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "opening",
            Self::Deposit(_) => "deposit",
            Self::Withdraw(_) => "withdrawal",
            Self::Reverse(_) => "reversal",
            Self::Correct(_) => "correction",
            Self::Freeze(_) => "freeze",
            Self::Unfreeze(_) => "unfreeze",
            Self::Close(_) => "close",
            Self::SetOverdraftLimit(_) => "overdraft_limit",
            Self::Hold(_) => "hold",
            Self::Capture(_) => "capture",
            Self::Release(_) => "release",
            Self::Expire(_) => "expiry",
            Self::TransferHold(_) => "transfer_hold",
            Self::TransferCredit(_) => "transfer_credit",
            Self::RuleOut(_) => "rule_out",
            Self::Transfer(asked) => asked.name(),
            Self::Delivery(asked) => asked.name(),
            Self::Letter(_) => "dead_letter",
        }
    }
}
