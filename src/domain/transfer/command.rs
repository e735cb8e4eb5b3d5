//! These are the operations on a transfer: what clients and operators ask of it, and what the service does to go on with it.

use std::fmt;

use crate::domain::account::decline::Decline;
use crate::domain::ids::{AccountName, Step};
use crate::domain::kind::Kind;
use crate::domain::metadata::Metadata;
use crate::domain::money::WrittenAmount;
use crate::domain::payee::Payee;
use crate::domain::reason::Reason;

pub use super::payout::{Label, Payout};
use super::payout::{Sending, Settlement};

/// A `TransferOperation` is an operation on a transfer. Those from `TimeOut` on are the service's own: no client can ask for
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferOperation {
    /// The client asks for the transfer itself. It is boxed, so that other operations do not become larger.
    Request(Box<Requesting>),
    /// The client asks that it does not move.
    Cancel(Reason),
    /// An operator says what became of its payout.
    Outcome(Box<Reported>),
    /// An operator lets the service go on with it.
    Retry(Reason),
    /// An operator leaves it as it is.
    Abandon(Reason),
    /// The service notes that its deadline is over.
    TimeOut,
    /// The service notes that it can't go on by itself.
    Stall {
        /// This says why.
        stall: Stall,
        /// This is the revision that the driver has seen: what follows from another one is not recorded.
        seen: u64,
    },
    /// The service notes its end.
    End {
        /// This is the end.
        end: End,
        /// This is the revision that the driver has seen: what follows from another one is not recorded.
        seen: u64,
    },
    /// The service notes that it is about to send the payout.
    Send(Box<Sending>),
    /// The service notes what a provider says became of the payout.
    Settle(Box<Settlement>),
    /// The service notes that a provider says otherwise than what is recorded.
    Contradict {
        /// This is what it says.
        said: Box<Settlement>,
        /// This is the revision that the driver has seen: what follows from another one is not recorded.
        seen: u64,
    },
    /// The service asks whether anything was recorded after this revision. Nothing is recorded of it: the refusal is the
    /// answer, and it rests on the end of the stream.
    Confirm {
        /// This is the revision that the driver has seen.
        seen: u64,
    },
}

impl TransferOperation {
    /// Returns its name, as it stands in events.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Request(_) => "transfer",
            Self::Cancel(_) => "cancel",
            Self::Outcome(_) => "outcome",
            Self::Retry(_) => "retry",
            Self::Abandon(_) => "abandon",
            Self::TimeOut => "timeout",
            Self::Stall { .. } => "stall",
            Self::End { .. } => "end",
            Self::Send(_) => "payout",
            Self::Settle(_) => "settle",
            Self::Contradict { .. } => "contradiction",
            Self::Confirm { .. } => "confirm",
        }
    }

    /// Says whether it tells of a payout: two drivers may tell differently of the same, and the first counts.
    #[must_use]
    pub fn is_of_payout(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Settle(_) | Self::Contradict { .. })
    }

    /// Returns the kind of the event that it makes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Request(_) => Kind::Transfer,
            Self::Cancel(_) => Kind::TransferCancel,
            Self::Outcome(_) => Kind::TransferOutcome,
            Self::Retry(_) => Kind::TransferRetry,
            Self::Abandon(_) => Kind::TransferAbandon,
            Self::TimeOut
            | Self::Stall { .. }
            | Self::Send(_)
            | Self::Settle(_)
            | Self::Contradict { .. }
            | Self::Confirm { .. } => Kind::TransferNote,
            Self::End { .. } => Kind::TransferEnd,
        }
    }
}

/// A `Requesting` has the fields of the request for a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requesting {
    /// This is the account that the money comes from.
    pub from: AccountName,
    /// This is the side to which it moves.
    pub to: Payee,
    /// This is the amount to move.
    pub amount: WrittenAmount,
    /// This is how long the transfer may take before it is stopped.
    pub timeout_seconds: TimeoutSeconds,
    /// These are the business's own ids.
    pub metadata: Metadata,
}

/// `TimeoutSeconds` is how many seconds a transfer may take before it is stopped: 1 to 604,800, which are 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeoutSeconds(u32);

impl TimeoutSeconds {
    /// This is the longest time.
    pub const MOST: u32 = 604_800;

    /// Makes it of a number; `None` outside its bounds.
    #[must_use]
    pub fn new(seconds: u64) -> Option<Self> {
        u32::try_from(seconds).ok().filter(|seconds| (1..=Self::MOST).contains(seconds)).map(Self)
    }

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for TimeoutSeconds {
    /// Returns the time that is meant where a request names none: a minute.
    fn default() -> Self {
        Self(60)
    }
}

/// A `Reported` has the fields of an operator's word on a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// This is what became of the payout.
    pub outcome: Payout,
    /// This is the amount that was paid, where it was less than asked.
    pub amount: Option<WrittenAmount>,
    /// This is the provider's own name for the payout.
    pub reference: Option<Label>,
    /// This says how the operator knows.
    pub reason: Reason,
}

/// A `Stall` says why the service can't go on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// This is the step at which it stands.
    pub step: Step,
    /// This says why.
    pub code: StallCode,
}

/// A `StallCode` is the reason why waiting does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallCode {
    /// The step's account has been damaged for a long time.
    StoreDamaged,
    /// Nobody could tell what became of a payout.
    OutcomeUnknown,
    /// A step that must not be declined was declined again and again.
    Declined,
    /// The ledger was restored, and the original may have sent the payout.
    Restored,
}

impl StallCode {
    const ALL: [Self; 4] = [Self::StoreDamaged, Self::OutcomeUnknown, Self::Declined, Self::Restored];

    /// Returns the stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::StoreDamaged => "store_damaged",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Declined => "declined",
            Self::Restored => "restored",
        }
    }

    /// Returns the reason with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }
}

/// An `End` is the end of a transfer: the money moved once, or it did not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It moved.
    Completed,
    /// It did not move.
    Unmoved(Unmoved),
}

/// An `Unmoved` is an end at which no money has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmoved {
    /// The hold was declined.
    Declined {
        /// This is the step that was declined.
        step: Option<Step>,
        /// This says why.
        code: EndCode,
    },
    /// The hold was released, or ruled out before it came.
    Compensated {
        /// This is the step that was declined, if one was.
        step: Option<Step>,
        /// This says why.
        code: EndCode,
    },
    /// It was cancelled in time.
    Cancelled,
}

/// An `EndCode` says why a transfer did not move: the code of a step's decline, or one of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EndCode(&'static str);

impl EndCode {
    /// Its deadline was over.
    pub const TIMED_OUT: Self = Self("timed_out");
    /// The payout provider declined.
    pub const PAYOUT_DECLINED: Self = Self("payout_declined");

    /// Reads a code; `None` for one that no transfer ends with.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let own = [Self::TIMED_OUT.0, Self::PAYOUT_DECLINED.0];
        own.into_iter().chain(Decline::CODES).find(|code| *code == text).map(Self)
    }

    /// Returns its text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl From<Decline> for EndCode {
    fn from(decline: Decline) -> Self {
        Self(decline.code())
    }
}

impl fmt::Debug for EndCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
