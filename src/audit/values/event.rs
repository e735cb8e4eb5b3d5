//! [`Event`] is an event as the auditor holds it after its line was parsed.
//!
//! Sums are numbers of minor units. Names are spans of the block that the line is in, so that an event costs no copies.

use crate::audit::values::chain::Hash;
use crate::audit::values::correction::Correction;
use crate::audit::values::currency::Currency;
use crate::audit::values::span::Span;

/// A moment is kept as an event writes it: `2026-11-21T02:00:00.123456Z`. Moments are in the order of their bytes.
pub(crate) type Moment = [u8; 27];

/// An event says what happened on one guarded account, and what it answers for ever.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// This is the event's place in the journal.
    pub(crate) position: u64,
    /// This is the name of the guarded account in whose stream the event is.
    pub(crate) account: Span,
    /// This is the event's place in that stream.
    pub(crate) revision: u64,
    /// This is when it was recorded.
    pub(crate) recorded_at: Moment,
    /// This is the transaction ID.
    pub(crate) id: u128,
    /// This is the account's currency, as the event says.
    pub(crate) currency: Currency,
    /// This is what happened.
    pub(crate) fact: Fact,
    /// This is the balance after the event, and what is available then, as the event says.
    pub(crate) answer: (i128, i128),
    /// This is its hash.
    pub(crate) hash: Hash,
    /// These are the canonical bytes without their braces: what stands before the event's id, and what stands between
    /// id and hash.
    pub(crate) canonical: (Span, Span),
}

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
        asked: Correction,
        /// This is what the guarded account gets: the amount or its negative.
        signed: i128,
    },
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
        prevented_by: Option<u128>,
    },
}

/// An `Asked` is a declined request, as far as the rules look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    Correction(Correction),
    /// The request was a freeze, an unfreeze or a closing.
    Change(Change),
    /// The request was for another overdraft limit.
    Limit,
}

/// A code says why a request is declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Code {
    /// The account is closed.
    AccountClosed,
    /// The account is frozen.
    AccountFrozen,
    /// The transaction was ruled out before it came.
    Prevented,
    /// The balance would pass the largest one.
    BalanceTooLarge,
    /// The balance would go under the overdraft limit.
    InsufficientFunds,
    /// The account that is to be closed has money.
    AccountNotEmpty,
    /// The account that is to be frozen is frozen already, or the one that is to be unfrozen is not frozen.
    WrongState,
    /// More would be reversed than was moved.
    ReversalExceedsOriginal,
    /// The transaction that is to be reversed moved no money.
    NotReversible,
}

impl Code {
    /// These are all codes.
    pub(crate) const ALL: [Self; 9] = [
        Self::AccountClosed,
        Self::AccountFrozen,
        Self::Prevented,
        Self::BalanceTooLarge,
        Self::InsufficientFunds,
        Self::AccountNotEmpty,
        Self::WrongState,
        Self::ReversalExceedsOriginal,
        Self::NotReversible,
    ];

    /// Gives the code as an event writes it.
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::AccountClosed => "account_closed",
            Self::AccountFrozen => "account_frozen",
            Self::Prevented => "prevented",
            Self::BalanceTooLarge => "balance_too_large",
            Self::InsufficientFunds => "insufficient_funds",
            Self::AccountNotEmpty => "account_not_empty",
            Self::WrongState => "wrong_state",
            Self::ReversalExceedsOriginal => "reversal_exceeds_original",
            Self::NotReversible => "not_reversible",
        }
    }

    /// Reads a code that an event wrote; `None` when it is none of these.
    #[must_use]
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.text().as_bytes() == text)
    }
}

/// These are the names of all types of event, in the order of [`Fact::number`].
pub(crate) const TYPES: [&str; 11] = [
    "AccountOpened",
    "Deposited",
    "Withdrawn",
    "Reversed",
    "Prevented",
    "Frozen",
    "Unfrozen",
    "Closed",
    "OverdraftLimitChanged",
    "Declined",
    "Corrected",
];

impl Fact {
    /// Gives the place of the event's type in [`TYPES`].
    #[must_use]
    pub(crate) const fn number(&self) -> usize {
        match self {
            Self::Opened { .. } => 0,
            Self::Moved { direction: Direction::Credit, .. } => 1,
            Self::Moved { direction: Direction::Debit, .. } => 2,
            Self::Reversed { .. } => 3,
            Self::Prevented { .. } => 4,
            Self::Changed(Change::Freeze) => 5,
            Self::Changed(Change::Unfreeze) => 6,
            Self::Changed(Change::Close) => 7,
            Self::LimitChanged { .. } => 8,
            Self::Declined { .. } => 9,
            Self::Corrected { .. } => 10,
        }
    }

    /// Gives the name of the event's type.
    #[must_use]
    pub(crate) fn type_name(&self) -> &'static str {
        TYPES.get(self.number()).copied().unwrap_or_default()
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
            | Self::Changed(_)
            | Self::LimitChanged { .. } => format!("accepted: {}", self.type_name()),
        }
    }
}
