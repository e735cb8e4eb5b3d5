//! An event of a transfer says what happened to it. Its steps on accounts are events of those accounts.

use std::sync::Arc;

use crate::domain::command::Operation;
use crate::domain::currency::Currency;
use crate::domain::ids::AccountName;
use crate::domain::kind::Kind;
use crate::domain::metadata::Metadata;
use crate::domain::money::Amount;
use crate::domain::payee::Payee;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

use super::command::{End, Reported, Requesting, Stall, TimeoutSeconds, TransferOperation, Unmoved};
use super::decline::TransferDecline;
use super::payout::{LearntBy, Payout, Sending, Settlement};
use super::stage::{Stage, Trigger};

/// This is the version in which new events of transfers are written.
pub const VERSION: u32 = 1;

/// A request that is compared with an event is not compared in the revision that its driver had seen.
const NO_MATTER: u64 = 0;

/// A `TransferEvent` is the body of an event in a transfer's stream: the fact, and the state after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferEvent {
    /// This is what happened.
    pub fact: Fact,
    /// This is the state after it, which is told and audited. The fold never reads it.
    pub state: Stage,
}

/// A `Fact` says what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The transfer was asked for.
    Requested {
        /// This is what it is to do.
        terms: Arc<Terms>,
        /// These are the business's own ids.
        metadata: Metadata,
    },
    /// Somebody asked in time that it does not move.
    CancelRequested(Reason),
    /// Its deadline passed.
    TimedOut,
    /// The payout is about to be sent.
    PayoutSent(Sending),
    /// It is known what became of the payout.
    PayoutSettled(Settlement),
    /// The provider says otherwise than what is recorded.
    PayoutContradicted(Settlement),
    /// The service can't go on by itself.
    Stalled(Stall),
    /// An operator let the service go on.
    Resumed(Reason),
    /// An operator left it as it is.
    Abandoned(Reason),
    /// The money moved.
    Completed {
        /// This is how much moved.
        amount: Amount,
        /// This is its currency.
        currency: Currency,
    },
    /// It ended without moving money.
    Unmoved(Unmoved),
    /// The ledger declined what was asked of the transfer.
    Declined {
        /// This is the operation that was declined.
        operation: TransferOperation,
        /// This says why.
        decline: TransferDecline,
    },
}

/// `Terms` say what a transfer is to do. They never change, and are shared by all copies of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// This is the account that the money comes from.
    pub from: AccountName,
    /// This is the side to which it moves.
    pub to: Payee,
    /// This is the amount to move.
    pub amount: Amount,
    /// This is its currency.
    pub currency: Currency,
    /// This is how long the transfer may take before it is stopped.
    pub timeout_seconds: TimeoutSeconds,
    /// This is when that time is over.
    pub deadline_at: Timestamp,
}

impl TransferEvent {
    /// Returns the name of its type in the journal.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.fact {
            Fact::Requested { .. } => "TransferRequested",
            Fact::CancelRequested(_) => "TransferCancelRequested",
            Fact::TimedOut => "TransferTimedOut",
            Fact::PayoutSent(_) => "PayoutSent",
            Fact::PayoutSettled(_) => "PayoutSettled",
            Fact::PayoutContradicted(_) => "PayoutContradicted",
            Fact::Stalled(_) => "TransferStalled",
            Fact::Resumed(_) => "TransferResumed",
            Fact::Abandoned(_) => "TransferAbandoned",
            Fact::Completed { .. } => "TransferCompleted",
            Fact::Unmoved(Unmoved::Declined { .. }) => "TransferDeclined",
            Fact::Unmoved(Unmoved::Compensated { .. }) => "TransferCompensated",
            Fact::Unmoved(Unmoved::Cancelled) => "TransferCancelled",
            Fact::Declined { .. } => "Declined",
        }
    }

    /// Returns its kind, as answers and searches name it. A decline has the kind of what was asked.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.fact {
            Fact::Requested { .. } => Kind::Transfer,
            Fact::CancelRequested(_) => Kind::TransferCancel,
            Fact::PayoutSettled(settled) if settled.learnt_by == LearntBy::Operator => Kind::TransferOutcome,
            Fact::TimedOut
            | Fact::PayoutSent(_)
            | Fact::PayoutSettled(_)
            | Fact::PayoutContradicted(_)
            | Fact::Stalled(_) => Kind::TransferNote,
            Fact::Resumed(_) => Kind::TransferRetry,
            Fact::Abandoned(_) => Kind::TransferAbandon,
            Fact::Completed { .. } | Fact::Unmoved(_) => Kind::TransferEnd,
            Fact::Declined { operation, .. } => operation.kind(),
        }
    }

    /// Returns the sort of event that it is in the state table; `None` for the request and for a decline, which change no
    /// state.
    #[must_use]
    pub fn trigger(&self) -> Option<Trigger> {
        Some(match &self.fact {
            Fact::Requested { .. } | Fact::Declined { .. } => return None,
            Fact::CancelRequested(_) => Trigger::CancelRequested,
            Fact::TimedOut => Trigger::TimedOut,
            Fact::PayoutSent(_) => Trigger::PayoutSent,
            Fact::PayoutSettled(settled) => match settled.outcome {
                Payout::Done => Trigger::Paid,
                Payout::Declined => Trigger::NotPaid,
            },
            Fact::PayoutContradicted(_) => Trigger::Contradicted,
            Fact::Stalled(_) => Trigger::Stalled,
            Fact::Resumed(_) => Trigger::Resumed,
            Fact::Abandoned(_) => Trigger::Abandoned,
            Fact::Completed { .. } => Trigger::Completed,
            Fact::Unmoved(Unmoved::Declined { .. }) => Trigger::Declined,
            Fact::Unmoved(Unmoved::Compensated { .. }) => Trigger::Compensated,
            Fact::Unmoved(Unmoved::Cancelled) => Trigger::Cancelled,
        })
    }

    /// Returns the decline that it records, if it is one.
    #[must_use]
    pub fn decline(&self) -> Option<TransferDecline> {
        if let Fact::Declined { decline, .. } = &self.fact { Some(*decline) } else { None }
    }

    /// Returns the request that it answered, in canonical form. A later request with its ID is compared with this; for an
    /// event that the service records of its own accord it is the operation that made it.
    #[must_use]
    pub fn request(&self) -> Operation {
        Operation::Transfer(match &self.fact {
            Fact::Requested { terms, metadata } => TransferOperation::Request(Box::new(Requesting {
                from: terms.from.clone(),
                to: terms.to.clone(),
                amount: terms.amount.into(),
                timeout_seconds: terms.timeout_seconds,
                metadata: metadata.clone(),
            })),
            Fact::CancelRequested(reason) => TransferOperation::Cancel(reason.clone()),
            Fact::TimedOut => TransferOperation::TimeOut,
            Fact::PayoutSent(sending) => TransferOperation::Send(Box::new(sending.clone())),
            Fact::PayoutContradicted(said) => {
                TransferOperation::Contradict { said: Box::new(said.clone()), seen: NO_MATTER }
            }
            Fact::PayoutSettled(settled) => match &settled.reason {
                Some(reason) => TransferOperation::Outcome(Box::new(Reported {
                    outcome: settled.outcome,
                    amount: settled.amount,
                    reference: settled.reference.clone(),
                    reason: reason.clone(),
                })),
                None => TransferOperation::Settle(Box::new(settled.clone())),
            },
            Fact::Stalled(stall) => TransferOperation::Stall { stall: *stall, seen: NO_MATTER },
            Fact::Resumed(reason) => TransferOperation::Retry(reason.clone()),
            Fact::Abandoned(reason) => TransferOperation::Abandon(reason.clone()),
            Fact::Completed { .. } => TransferOperation::End { end: End::Completed, seen: NO_MATTER },
            Fact::Unmoved(unmoved) => TransferOperation::End { end: End::Unmoved(*unmoved), seen: NO_MATTER },
            Fact::Declined { operation, .. } => operation.clone(),
        })
    }
}
