//! Holds, and the steps of transfers on accounts, are what [`HoldFact`] and [`CreditFact`] say.

use crate::audit::values::id::Id;
use crate::audit::values::moment::Moment;
use crate::audit::values::span::Span;

/// A side is a transfer, and the account on its other side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    pub(crate) transfer: u128,
    pub(crate) other: Span,
}

/// A hold is placed by a client, until a moment, or by a transfer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Placed {
    /// A client's hold expires so many seconds after it was placed, at this moment.
    Until { seconds: u64, at: Moment },
    /// A transfer's hold does not expire.
    For(Side),
}

/// A hold's fact is what an event says has happened to a hold.
#[derive(Debug, Clone)]
pub(crate) enum HoldFact {
    /// Money was set aside.
    Placed { amount: i128, placed: Placed },
    /// It was booked out, whole or in part.
    Captured(Captured),
    /// It was given back.
    Released { hold: Id, amount: i128 },
    /// It was past its time.
    Expired { hold: Id, amount: i128 },
    /// A hold that has not come was ruled out.
    Prevented { hold: Id },
}

/// A captured hold was booked out.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub(crate) hold: Id,
    pub(crate) amount: i128,
    /// This is the ledger's own account on the other side.
    pub(crate) counter: Span,
    /// This is what was given back of the hold in the same event; zero where nothing was.
    pub(crate) released: i128,
    /// This says whether the request named the amount.
    pub(crate) partial: bool,
    pub(crate) side: Option<Side>,
}

impl HoldFact {
    /// Gives the name of the event's type.
    #[must_use]
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "HoldPlaced",
            Self::Captured(_) => "HoldCaptured",
            Self::Released { .. } => "HoldReleased",
            Self::Expired { .. } => "HoldExpired",
            Self::Prevented { .. } => "HoldPrevented",
        }
    }
}

/// A credit's fact is what became of a transfer's credit on the account that it goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CreditFact {
    /// It was booked.
    Booked { amount: i128, side: Side },
    /// It was ruled out before it came.
    RuledOut {
        transfer: u128,
        /// This says whether the deadline was the reason; else it was a cancel.
        timed_out: bool,
    },
}

impl CreditFact {
    /// Gives the name of the event's type.
    #[must_use]
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Booked { .. } => "TransferCredited",
            Self::RuledOut { .. } => "CreditPrevented",
        }
    }
}

/// An asked hold is a declined request on a hold or for a transfer's step, as far as the rules look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AskedHold {
    /// A client wanted to set money aside.
    Place { amount: i128 },
    /// A client or a transfer wanted to book a hold out.
    Capture { hold: Id, amount: Option<i128> },
    /// A client or a transfer wanted to give a hold back.
    Release { hold: Id },
    /// A transfer wanted to set money aside.
    TransferHold { amount: i128, side: Side },
    /// A transfer wanted to book its credit.
    TransferCredit { amount: i128, side: Side },
}
