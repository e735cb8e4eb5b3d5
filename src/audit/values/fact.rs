//! [`Fact`] is what an event in the stream of an account says has happened.

use crate::audit::values::code::Code;
use crate::audit::values::correction::Correction;
use crate::audit::values::hold::{AskedHold, CreditFact, HoldFact};
use crate::audit::values::id::Id;
use crate::audit::values::span::Span;

/// A direction says which way money moves, as the guarded account sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Money goes into the guarded account.
    Credit,
    /// Money goes out of the guarded account.
    Debit,
}

impl Direction {
    /// Gives what the guarded account gets of an amount: the amount or its negative.
    #[must_use]
    pub(crate) fn signed(self, amount: i128) -> i128 {
        match self {
            Self::Credit => amount,
            Self::Debit => amount.saturating_neg(),
        }
    }

    /// Gives the direction in which a reversal moves the money back.
    #[must_use]
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Credit => Self::Debit,
            Self::Debit => Self::Credit,
        }
    }
}

/// A change is one of the three ways in which an account's status changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The account is frozen.
    Freeze,
    /// The account is unfrozen.
    Unfreeze,
    /// The account is closed.
    Close,
}

/// A fact is what an event says has happened.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    /// The account was opened.
    Opened {
        /// This is how far the balance may go below zero.
        limit: i128,
    },
    /// Money was deposited or withdrawn.
    Moved {
        /// This is the direction: in for a deposit, out for a withdrawal.
        direction: Direction,
        /// This is the amount, which is greater than zero.
        amount: i128,
        /// This is the ledger's own account on the other side.
        counter: Span,
    },
    /// An earlier transaction was reversed, whole or in part.
    Reversed {
        /// This is the ID of that transaction.
        reverses: u128,
        /// This is the amount, which is greater than zero.
        amount: i128,
        /// This is what the guarded account gets: the amount or its negative.
        signed: i128,
        /// This is the ledger's own account on the other side.
        counter: Span,
        /// This says whether the request named the amount.
        partial: bool,
        /// This says whether the reversal may pass the overdraft limit.
        force: bool,
    },
    /// A transaction that has not come yet was ruled out.
    Prevented {
        /// This is the ID of that transaction.
        reverses: u128,
    },
    /// The account was put right, against the ledger's own account of corrections.
    Corrected {
        /// This is the request.
        asked: Box<Correction>,
        /// This is what the guarded account gets: the amount or its negative.
        signed: i128,
    },
    /// Something happened to a hold.
    Hold(Box<HoldFact>),
    /// A transfer's credit was booked or ruled out.
    Credit(Box<CreditFact>),
    /// The account was frozen, unfrozen or closed.
    Changed(Change),
    /// The overdraft limit was set.
    LimitChanged {
        /// This is the new limit.
        limit: i128,
    },
    /// A request was declined.
    Declined {
        /// This is the reason.
        code: Code,
        /// This is the request.
        asked: Asked,
        /// This is the transaction that ruled this one out.
        prevented_by: Option<Box<Id>>,
    },
}

/// An `Asked` is a declined request, as far as the rules look at it.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// The request was a deposit or a withdrawal.
    Move {
        /// This is the direction: in for a deposit, out for a withdrawal.
        direction: Direction,
        /// This is the amount.
        amount: i128,
    },
    /// The request was a reversal.
    Reversal {
        /// This is the ID of the transaction that is to be reversed.
        reverses: u128,
        /// This is the amount, where the request names one.
        amount: Option<i128>,
        /// This says whether the reversal may pass the overdraft limit.
        force: bool,
    },
    /// The request was a correction.
    Correction(Box<Correction>),
    /// The request was on a hold, or for a step of a transfer.
    Hold(Box<AskedHold>),
    /// The request was a freeze, an unfreeze or a closing.
    Change(Change),
    /// The request was for another overdraft limit.
    Limit,
}

impl Fact {
    /// Gives the name of the event's type.
    #[must_use]
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "AccountOpened",
            Self::Moved { direction: Direction::Credit, .. } => "Deposited",
            Self::Moved { direction: Direction::Debit, .. } => "Withdrawn",
            Self::Reversed { .. } => "Reversed",
            Self::Prevented { .. } => "Prevented",
            Self::Corrected { .. } => "Corrected",
            Self::Hold(fact) => fact.type_name(),
            Self::Credit(fact) => fact.type_name(),
            Self::Changed(Change::Freeze) => "Frozen",
            Self::Changed(Change::Unfreeze) => "Unfrozen",
            Self::Changed(Change::Close) => "Closed",
            Self::LimitChanged { .. } => "OverdraftLimitChanged",
            Self::Declined { .. } => "Declined",
        }
    }

    /// Says in words what became of the request.
    #[must_use]
    pub(crate) fn outcome(&self) -> String {
        match self {
            Self::Declined { code, .. } => format!("declined: {}", code.text()),
            Self::Opened { .. }
            | Self::Moved { .. }
            | Self::Reversed { .. }
            | Self::Prevented { .. }
            | Self::Corrected { .. }
            | Self::Hold(_)
            | Self::Credit(_)
            | Self::Changed(_)
            | Self::LimitChanged { .. } => format!("accepted: {}", self.type_name()),
        }
    }
}
