//! What the ledger tells: verdicts on commands, and what reads return.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::account::Status;
use crate::domain::currency::Currency;
use crate::domain::event::Event;
use crate::domain::ids::AccountName;
use crate::domain::kind::Kind;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;

pub use crate::clerk::Unavailable;
pub use crate::store::{Head, Position};

/// As of when a balance is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Now.
    Now,
    /// By when things happened in the world, inclusive.
    Effective(Timestamp),
    /// By when they were recorded, inclusive.
    Known(Timestamp),
    /// After the last event at or before this position.
    Position(Position),
}

/// An account, as one of the reads found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReading {
    /// Its name.
    pub name: AccountName,
    /// Its currency.
    pub currency: Currency,
    /// What it has (had).
    pub balance: Money,
    /// What is set aside.
    pub held: Money,
    /// What may go out.
    pub available: Money,
    /// How far below zero it may go.
    pub overdraft_limit: Money,
    /// Open, frozen or closed.
    pub status: Status,
    /// The revision of the last event that counts.
    pub revision: u64,
}

/// An event with its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its place in the journal.
    pub position: Position,
    /// The event.
    pub event: Arc<Event>,
}

/// Which lines of an account's statement are wanted.
#[derive(Clone, Copy, Debug)]
pub struct StatementQuery {
    /// Only lines after this revision (oldest first) or before it (newest first).
    pub beyond: Option<u64>,
    /// Only lines before this revision, whatever was booked since: the end of the first page, for those after it.
    pub end: Option<u64>,
    /// True where the newest lines come first.
    pub newest_first: bool,
    /// Only events of this kind.
    pub kind: Option<Kind>,
    /// Only what was recorded at or after this moment.
    pub from: Option<Timestamp>,
    /// Only what was recorded before this moment.
    pub to: Option<Timestamp>,
    /// The most lines that are wanted, 1 to 1000.
    pub limit: usize,
}

/// A page of a statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The account's currency.
    pub currency: Currency,
    /// The balance before the earliest of the revisions that this page goes over.
    pub opening_balance: Money,
    /// The balance after the latest of them. It is the opening balance of the page that follows in time.
    pub closing_balance: Money,
    /// The revision before which all pages of this statement end.
    pub end: u64,
    /// The lines.
    pub lines: Vec<Placed>,
    /// True where there are more lines in this direction.
    pub more: bool,
}

/// What happened to a transaction ID.
#[derive(Clone, Debug, Default)]
pub struct TransactionHistory {
    /// The event that it was recorded with; `None` when it was only ruled out so far.
    pub first: Option<Placed>,
    /// The events of other accounts that were recorded with the same ID in a race between two instances.
    pub elsewhere: Vec<Placed>,
    /// What reversed it, or ruled it out, in order.
    pub reversals: Vec<Placed>,
}

/// Which events a search wants. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Of this account.
    pub account: Option<AccountName>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// `Some(true)`: accepted; `Some(false)`: declined.
    pub accepted: Option<bool>,
    /// Recorded at or after.
    pub from: Option<Timestamp>,
    /// Recorded before.
    pub to: Option<Timestamp>,
    /// Only before this position: newest first.
    pub before: Option<Position>,
    /// The most events that are wanted, 1 to 1000.
    pub limit: usize,
}

/// Sums over the whole ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialBalance {
    /// After which event.
    pub position: Position,
    /// By currency: what the guarded accounts have together.
    pub guarded: BTreeMap<Currency, Money>,
    /// By name and currency: what each of the ledger's own accounts has.
    pub internal: BTreeMap<(String, Currency), Money>,
}

impl TrialBalance {
    /// Says whether everything sums to zero in every currency.
    #[must_use]
    pub fn balanced(&self) -> bool {
        let mut sums = self.guarded.clone();
        for ((_, currency), amount) in &self.internal {
            let sum = sums.entry(*currency).or_insert_with(|| Money::zero(*currency));
            match sum.plus(*amount) {
                Some(total) => *sum = total,
                None => return false,
            }
        }
        sums.values().all(|sum| sum.is_zero())
    }
}

/// The reason why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store or the index could not be read.
    #[error("the ledger could not be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store can't be reached at the moment, or what this ledger has read of it is too old to answer from.
    #[error("the store can't be reached")]
    Unreachable,
    /// Nobody knows at the moment whether the transaction was booked.
    #[error("it is not known whether the store took the event")]
    OutcomeUnknown,
    /// What is asked for is damaged in the store.
    #[error("the store is damaged")]
    Damaged,
    /// Another folder stands where the ledger's data folder was.
    #[error("the data folder was moved or exchanged")]
    FolderReplaced,
    /// More reads of this expensive kind are running than are allowed.
    #[error("too many long reads at once")]
    Busy,
    /// No event is at this position.
    #[error("no event is at this position; the last before it is at {before}")]
    UnknownPosition {
        /// The position of the last event before it; 0 for none.
        before: Position,
    },
}

impl ReadError {
    /// What could not be read, with its cause.
    pub fn unreadable(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unreadable(Box::new(cause))
    }
}

impl From<crate::store::ReadError> for ReadError {
    fn from(cause: crate::store::ReadError) -> Self {
        match cause {
            crate::store::ReadError::Unreachable(_) => Self::Unreachable,
            crate::store::ReadError::Damaged(why) => {
                tracing::error!(why, "what was asked for is damaged in the store");
                Self::Damaged
            }
            crate::store::ReadError::Failed(_) => Self::unreadable(cause),
        }
    }
}

impl From<Unavailable> for ReadError {
    fn from(why: Unavailable) -> Self {
        match why {
            Unavailable::StoreDamaged => Self::Damaged,
            Unavailable::OutcomeUnknown => Self::OutcomeUnknown,
            Unavailable::FolderReplaced => Self::FolderReplaced,
            Unavailable::Overloaded
            | Unavailable::Stopping
            | Unavailable::StorageFull
            | Unavailable::StoreUnavailable
            | Unavailable::InProgress
            | Unavailable::ClockInDoubt => Self::Unreachable,
        }
    }
}

impl From<crate::index::IndexError> for ReadError {
    fn from(cause: crate::index::IndexError) -> Self {
        Self::unreadable(cause)
    }
}
