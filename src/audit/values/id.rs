//! [`Id`] is the transaction ID of an event: a client's UUID, or an ID of the service's own such as `UUID:hold:1`.
//!
//! What the service books of its own accord (an expiry, a step of a transfer) is named after the hold or the transfer that it
//! is for. Such an ID is no UUID, so that no client can use it first.

use std::fmt;

use uuid::Uuid;

/// An ID is a client's, or one of the service's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Id {
    /// It is a UUID that a client has made.
    Client(u128),
    /// It was made by the service.
    Own(OwnId),
    /// There is none: nobody could ask for the event.
    Absent,
}

/// An own ID names a hold or a transfer, the step, and which attempt it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OwnId {
    /// This is the hold or the transfer.
    pub(crate) of: u128,
    pub(crate) step: Step,
    /// This counts from 1.
    pub(crate) attempt: u32,
}

/// A step is what the service does for a hold or a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A transfer's money is held on the account that it goes out of.
    Hold,
    /// A transfer's money is booked on the account that it goes to.
    Credit,
    /// A transfer's credit is ruled out.
    RuleOut,
    /// What was held is booked out.
    Capture,
    /// What was held is given back.
    Release,
    /// A client's hold is past its time.
    Expiry,
    /// A transfer is past its deadline.
    Timeout,
    /// A payout is sent.
    Payout,
    /// It is known what became of a payout.
    Settle,
    /// A payout turns out to be otherwise than was recorded.
    Contradiction,
    /// A transfer can't go on by itself.
    Stall,
    /// A transfer has ended.
    End,
}

impl Step {
    const ALL: [Self; 12] = [
        Self::Hold,
        Self::Credit,
        Self::RuleOut,
        Self::Capture,
        Self::Release,
        Self::Expiry,
        Self::Timeout,
        Self::Payout,
        Self::Settle,
        Self::Contradiction,
        Self::Stall,
        Self::End,
    ];

    /// Gives the step as an ID writes it.
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Credit => "credit",
            Self::RuleOut => "rule-out",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Expiry => "expiry",
            Self::Timeout => "timeout",
            Self::Payout => "payout",
            Self::Settle => "settle",
            Self::Contradiction => "contradiction",
            Self::Stall => "stall",
            Self::End => "end",
        }
    }

    /// Reads a step that an ID wrote; `None` when it is none of these.
    #[must_use]
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.text().as_bytes() == text)
    }
}

impl Id {
    /// Makes the ID of a step's attempt.
    #[must_use]
    pub(crate) const fn own(of: u128, step: Step, attempt: u32) -> Self {
        Self::Own(OwnId { of, step, attempt })
    }

    /// Gives a client's UUID.
    #[must_use]
    pub(crate) const fn client(self) -> Option<u128> {
        match self {
            Self::Client(id) => Some(id),
            Self::Own(_) | Self::Absent => None,
        }
    }

    /// Gives the attempt, where this is the ID of such a step of this hold or transfer.
    #[must_use]
    pub(crate) fn attempt(self, of: u128, step: Step) -> Option<u32> {
        match self {
            Self::Own(own) if own.of == of && own.step == step => Some(own.attempt),
            Self::Own(_) | Self::Client(_) | Self::Absent => None,
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => Uuid::from_u128(*id).hyphenated().fmt(f),
            Self::Absent => Ok(()),
            Self::Own(OwnId { of, step, attempt }) => {
                write!(f, "{}:{}:{attempt}", Uuid::from_u128(*of).hyphenated(), step.text())
            }
        }
    }
}
