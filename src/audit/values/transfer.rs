//! A transfer's own stream has events of its own: [`TransferFact`] is what they say, [`State`] what they answer.

use crate::audit::values::code::Code;
use crate::audit::values::currency::Currency;
use crate::audit::values::moment::Moment;
use crate::audit::values::span::Span;

/// The state of a transfer is what its events so far make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Steps are being taken.
    UnderWay,
    /// It shall not move.
    Stopping,
    /// The payout may have been sent.
    Paying,
    /// It is past its deadline, or cancelled, and what became of the payout is asked.
    Asking,
    /// It is paid, and is to be captured.
    Finishing,
    /// It is not paid, and is to be released.
    Releasing,
    /// The service can't go on by itself.
    NeedsOperator,
    /// An operator left it as it is.
    Abandoned,
    /// It was moved.
    Completed,
    /// Its hold was declined.
    Declined,
    /// It was released, or ruled out before it was held.
    Compensated,
    /// It was cancelled.
    Cancelled,
}

impl State {
    const ALL: [Self; 12] = [
        Self::UnderWay,
        Self::Stopping,
        Self::Paying,
        Self::Asking,
        Self::Finishing,
        Self::Releasing,
        Self::NeedsOperator,
        Self::Abandoned,
        Self::Completed,
        Self::Declined,
        Self::Compensated,
        Self::Cancelled,
    ];

    /// Gives the state as an event writes it.
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::UnderWay => "under_way",
            Self::Stopping => "stopping",
            Self::Paying => "paying",
            Self::Asking => "asking",
            Self::Finishing => "finishing",
            Self::Releasing => "releasing",
            Self::NeedsOperator => "needs_operator",
            Self::Abandoned => "abandoned",
            Self::Completed => "completed",
            Self::Declined => "declined",
            Self::Compensated => "compensated",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a state that an event wrote; `None` when it is none of these.
    #[must_use]
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.text().as_bytes() == text)
    }
}

/// A transfer's fact is what an event of its own stream says has happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TransferFact {
    /// A client asked for it.
    Requested {
        /// This is the account that the money goes out of.
        from: Span,
        /// This is the account that it goes to, or `@external:` and the name of a provider.
        to: Span,
        amount: i128,
        currency: Currency,
        deadline: Moment,
    },
    /// A client asked to stop it.
    CancelRequested,
    /// Its deadline has passed.
    TimedOut,
    /// Its payout is about to be sent.
    PayoutSent {
        provider: Span,
        /// This says whether the provider can rule a payout out.
        cancellable: bool,
    },
    /// It is known what became of the payout.
    PayoutSettled(Paid),
    /// What became of the payout is told otherwise than it was recorded.
    PayoutContradicted(Paid),
    /// The service can't go on by itself.
    Stalled {
        /// This says that it was under way in a ledger that was restored.
        restored: bool,
    },
    /// An operator has the service go on.
    Resumed,
    /// An operator leaves it as it is.
    Abandoned,
    /// It was moved.
    Completed { amount: i128 },
    /// Its hold was declined.
    NotHeld(EndCode),
    /// It was released, or ruled out before it was held.
    Compensated(EndCode),
    /// It was cancelled.
    Cancelled,
    /// An act on it was declined.
    Refused { act: Act, code: Code },
}

/// `Paid` is what became of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paid {
    /// This says whether it was paid; else it never will be.
    pub(crate) done: bool,
    /// This is how much was paid, as the event writes it, where it was less than was asked.
    pub(crate) amount: Option<Span>,
    /// This says whether an operator knew it.
    pub(crate) by_operator: bool,
}

/// An end code says why a transfer was not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndCode {
    /// A step was declined for this reason.
    Step(Code),
    /// The provider declined.
    PayoutDeclined,
    /// The deadline passed.
    TimedOut,
}

impl EndCode {
    /// Reads a code that an event wrote; `None` when it is none of these.
    #[must_use]
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        match text {
            b"payout_declined" => Some(Self::PayoutDeclined),
            b"timed_out" => Some(Self::TimedOut),
            _ => Code::read(text).map(Self::Step),
        }
    }
}

/// An act is what a client or an operator can do to a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// It is to be stopped.
    Cancel,
    /// An operator says what became of the payout.
    Outcome,
    /// The service is to go on.
    Retry,
    /// It is to be left as it is.
    Abandon,
}

impl TransferFact {
    /// Gives the name of the event's type.
    #[must_use]
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "TransferRequested",
            Self::CancelRequested => "TransferCancelRequested",
            Self::TimedOut => "TransferTimedOut",
            Self::PayoutSent { .. } => "PayoutSent",
            Self::PayoutSettled(_) => "PayoutSettled",
            Self::PayoutContradicted(_) => "PayoutContradicted",
            Self::Stalled { .. } => "TransferStalled",
            Self::Resumed => "TransferResumed",
            Self::Abandoned => "TransferAbandoned",
            Self::Completed { .. } => "TransferCompleted",
            Self::NotHeld(_) => "TransferDeclined",
            Self::Compensated(_) => "TransferCompensated",
            Self::Cancelled => "TransferCancelled",
            Self::Refused { .. } => "Declined",
        }
    }
}
