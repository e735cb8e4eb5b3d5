//! An event as the auditor holds it after its line was cut: numbers in minor units, names as parts of the block.

use crate::audit::values::chain::Hash;
use crate::audit::values::currency::Currency;
use crate::audit::values::span::Span;

/// A moment as an event writes it: `2026-11-21T02:00:00.123456Z`. Its order is the order of its bytes.
pub(crate) type Moment = [u8; 27];

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its place in the journal.
    pub(crate) position: u64,
    /// The guarded account in whose stream it is.
    pub(crate) account: Span,
    /// Its place in the stream.
    pub(crate) revision: u64,
    /// When it was recorded.
    pub(crate) recorded_at: Moment,
    /// Its transaction ID.
    pub(crate) id: u128,
    /// The account's currency, as the event says.
    pub(crate) currency: Currency,
    /// What happened.
    pub(crate) fact: Fact,
    /// The balance and what is available after it, as the event says.
    pub(crate) answer: (i128, i128),
    /// Its hash.
    pub(crate) hash: Hash,
    /// Its canonical bytes but for the braces: what stands before its id, and what stands between that and its hash.
    pub(crate) canonical: (Span, Span),
}

/// The two directions in which money moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into the guarded account.
    Deposit,
    /// Out of it.
    Withdrawal,
}

impl Direction {
    /// What the guarded account gets of an amount.
    #[must_use]
    pub(crate) fn signed(self, amount: i128) -> i128 {
        match self {
            Self::Deposit => amount,
            Self::Withdrawal => amount.saturating_neg(),
        }
    }

    /// The direction in which a reversal of it moves.
    #[must_use]
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Deposit => Self::Withdrawal,
            Self::Withdrawal => Self::Deposit,
        }
    }
}

/// The three ways in which a status changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Freeze.
    Freeze,
    /// Unfreeze.
    Unfreeze,
    /// Close.
    Close,
}

/// What an event says has happened.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    /// An account was opened.
    Opened {
        /// How far its balance may go under zero.
        limit: i128,
    },
    /// Money came or went.
    Moved {
        /// Which of the two.
        direction: Direction,
        /// How much; greater than zero.
        amount: i128,
        /// The ledger's own account on the other side.
        counter: Span,
    },
    /// A transaction was taken back, whole or in part.
    Reversed {
        /// Which.
        reverses: u128,
        /// How much; greater than zero.
        amount: i128,
        /// What the guarded account gets: the amount or its negative.
        signed: i128,
        /// The ledger's own account on the other side.
        counter: Span,
        /// Whether the request named the amount.
        partial: bool,
        /// Whether it may pass the overdraft limit.
        force: bool,
    },
    /// A transaction that has not come yet was ruled out.
    Prevented {
        /// Which.
        reverses: u128,
    },
    /// The account was frozen, unfrozen or closed.
    Changed(Change),
    /// The overdraft limit was set.
    LimitChanged {
        /// The new one.
        limit: i128,
    },
    /// A request was declined.
    Declined {
        /// Why.
        code: Code,
        /// What was asked.
        asked: Asked,
        /// The transaction that ruled this one out.
        prevented_by: Option<u128>,
    },
}

/// A request, as far as the rules look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A deposit or a withdrawal.
    Move {
        /// Which of the two.
        direction: Direction,
        /// How much.
        amount: i128,
    },
    /// A reversal.
    Reversal {
        /// Of which transaction.
        reverses: u128,
        /// How much, where the request says so.
        amount: Option<i128>,
        /// Whether it may pass the overdraft limit.
        force: bool,
    },
    /// A freeze, an unfreeze or a closing.
    Change(Change),
    /// Another overdraft limit.
    Limit,
}

/// Why a request is declined.
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
    /// What is to be closed has money.
    AccountNotEmpty,
    /// What is to be frozen is, or what is to be unfrozen is not.
    WrongState,
    /// More would be taken back than was moved.
    ReversalExceedsOriginal,
    /// What is to be taken back moved no money.
    NotReversible,
}

impl Code {
    /// All of them.
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

    /// As an event writes it.
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

    /// Reads what an event wrote.
    #[must_use]
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.text().as_bytes() == text)
    }
}

/// The names of all types, in the order of [`Fact::number`].
pub(crate) const TYPES: [&str; 10] = [
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
];

impl Fact {
    /// The place of the event's type in [`TYPES`].
    #[must_use]
    pub(crate) const fn number(&self) -> usize {
        match self {
            Self::Opened { .. } => 0,
            Self::Moved { direction: Direction::Deposit, .. } => 1,
            Self::Moved { direction: Direction::Withdrawal, .. } => 2,
            Self::Reversed { .. } => 3,
            Self::Prevented { .. } => 4,
            Self::Changed(Change::Freeze) => 5,
            Self::Changed(Change::Unfreeze) => 6,
            Self::Changed(Change::Close) => 7,
            Self::LimitChanged { .. } => 8,
            Self::Declined { .. } => 9,
        }
    }

    /// The event's type.
    #[must_use]
    pub(crate) fn type_name(&self) -> &'static str {
        TYPES.get(self.number()).copied().unwrap_or_default()
    }

    /// What it says became of its request, for a person.
    #[must_use]
    pub(crate) fn outcome(&self) -> String {
        match self {
            Self::Declined { code, .. } => format!("declined: {}", code.text()),
            Self::Opened { .. }
            | Self::Moved { .. }
            | Self::Reversed { .. }
            | Self::Prevented { .. }
            | Self::Changed(_)
            | Self::LimitChanged { .. } => format!("accepted: {}", self.type_name()),
        }
    }
}
