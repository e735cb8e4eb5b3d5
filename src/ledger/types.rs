//! These types are what the ledger's reads are asked with, and what they return.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::account::Status;
use crate::domain::currency::Currency;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::kind::Kind;
use crate::domain::money::Money;
use crate::domain::time::Timestamp;
use crate::store::codec::Line;

pub use crate::clerk::Unavailable;
pub use crate::store::{Head, Position};

/// An `At` says as of when a balance is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The balance is wanted as it is now.
    Now,
    /// Only what happened in the world by then counts, inclusive.
    Effective(Timestamp),
    /// Only what was recorded by then counts, inclusive.
    Known(Timestamp),
    /// Only what had happened in the world by one moment and was recorded by another counts.
    Both {
        /// Only what happened in the world by then counts, inclusive.
        effective: Timestamp,
        /// Only what was recorded by then counts, inclusive.
        known: Timestamp,
    },
    /// It is as it was after the last event at or before this position.
    Position(Position),
}

impl At {
    /// Returns the position that is asked about, if it is one.
    pub(super) fn position(self) -> Option<Position> {
        match self {
            Self::Position(position) => Some(position),
            Self::Now | Self::Effective(_) | Self::Known(_) | Self::Both { .. } => None,
        }
    }
}

/// `OwnBalances` say what one of the ledger's own accounts has, by currency.
pub type OwnBalances = BTreeMap<Currency, Money>;

/// An `AccountsPage` is a page of the list of accounts.
#[derive(Clone, Debug)]
pub struct AccountsPage {
    /// These are the accounts, by name; at another time than now those that were open then.
    pub accounts: Vec<AccountReading>,
    /// This is the last account that the page went over, where there are more.
    pub more_after: Option<AccountName>,
}

/// An `AccountReading` is an account, as one of the reads found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReading {
    /// This is the account's name.
    pub name: AccountName,
    /// This is its currency.
    pub currency: Currency,
    /// The balance is the sum of all that has moved in and out.
    pub balance: Money,
    /// This is the part of the balance that is set aside.
    pub held: Money,
    /// This is the amount that may go out.
    pub available: Money,
    /// This is how far below zero the balance may go.
    pub overdraft_limit: Money,
    /// The status says whether it is open, frozen or closed.
    pub status: Status,
    /// This is the revision of the last event that counts.
    pub revision: u64,
}

/// A `Placed` is an event with its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// This is its place in the journal.
    pub position: Position,
    /// This is the event.
    pub event: Arc<Event>,
}

impl From<Line> for Placed {
    fn from(line: Line) -> Self {
        Self { position: line.position, event: Arc::new(line.event) }
    }
}

/// A `StatementQuery` says which lines of an account's statement are wanted.
#[derive(Clone, Debug)]
pub struct StatementQuery {
    /// Only lines after this revision (oldest first) or before it (newest first) are wanted.
    pub beyond: Option<u64>,
    /// Only lines before this revision are wanted, whatever was booked since. The pages after the first name the end of
    /// the first page here.
    pub end: Option<u64>,
    /// This is true when the newest lines come first.
    pub newest_first: bool,
    /// Only events of this kind are wanted.
    pub kind: Option<Kind>,
    /// Only movements from or to this account of the ledger's own are wanted.
    pub counter_account: Option<CounterAccount>,
    /// Only what was recorded at or after this moment is wanted.
    pub from: Option<Timestamp>,
    /// Only what was recorded before this moment is wanted.
    pub to: Option<Timestamp>,
    /// This is the most lines that are wanted, 1 to 1000.
    pub limit: usize,
}

/// A `Statement` is a page of a statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// This is the account's currency.
    pub currency: Currency,
    /// This is the balance before the earliest of the revisions that this page covers.
    pub opening_balance: Money,
    /// This is the balance after the latest of them. It is the opening balance of the page that follows in time.
    pub closing_balance: Money,
    /// This is the revision before which all pages of this statement end.
    pub end: u64,
    /// These are the lines.
    pub lines: Vec<Placed>,
    /// This is true when there are more lines in this direction.
    pub more: bool,
}

/// An `OwnLine` is an event that moved money between a guarded account and one of the ledger's own.
#[derive(Clone, Debug)]
pub struct OwnLine {
    /// This is the event.
    pub placed: Placed,
    /// This is what the own account had after it, in its currency.
    pub balance: Money,
}

/// An `OwnStatement` is a page of the statement of one of the ledger's own accounts.
#[derive(Clone, Debug)]
pub struct OwnStatement {
    /// This is what the account has now.
    pub now: OwnBalances,
    /// This is what it had where the page begins, in the order of its lines.
    pub near: OwnBalances,
    /// This is what it had where the page ends. The page that follows begins with it.
    pub far: OwnBalances,
    /// This is true when the newest lines come first, so that the page begins with the later of the two.
    pub newest_first: bool,
    /// This is the position before which all pages of this statement end.
    pub end: Position,
    /// These are the lines.
    pub lines: Vec<OwnLine>,
    /// This is true where there are more lines in this direction.
    pub more: bool,
}

impl OwnStatement {
    /// Returns what the account had before the page's earliest line, and after its latest.
    #[must_use]
    pub fn opens_and_closes(&self) -> (&OwnBalances, &OwnBalances) {
        if self.newest_first { (&self.far, &self.near) } else { (&self.near, &self.far) }
    }
}

/// A `TransactionHistory` is what happened to a transaction ID.
#[derive(Clone, Debug, Default)]
pub struct TransactionHistory {
    /// This is the event that the ID was recorded with; `None` when it was only ruled out so far.
    pub first: Option<Placed>,
    /// These are the events of other accounts that were recorded with the same ID in a race between two instances.
    pub elsewhere: Vec<Placed>,
    /// These are the events of this page that reversed it or ruled it out, in order.
    pub reversals: Vec<Placed>,
    /// This is true where there are more of them.
    pub more_reversals: bool,
    /// This is the event that settled it, where it is a hold.
    pub settled_by: Option<Placed>,
    /// These are the first corrections that name it, in order. There are at most [`MOST_SHOWN`]; a search with
    /// `corrects` finds all.
    ///
    /// [`MOST_SHOWN`]: Self::MOST_SHOWN
    pub corrections: Vec<Placed>,
    /// This is true where there are more corrections than those.
    pub more_corrections: bool,
}

impl TransactionHistory {
    /// This is the most corrections that are shown with a transaction, and the most reversals where nothing else is asked for.
    pub const MOST_SHOWN: usize = 100;
}

/// A `SearchQuery` says which events a search wants. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Only events of this account are wanted.
    pub account: Option<AccountName>,
    /// Only events of this kind are wanted.
    pub kind: Option<Kind>,
    /// Only movements from or to this account of the ledger's own are wanted.
    pub counter_account: Option<CounterAccount>,
    /// Only corrections that name this transaction are wanted.
    pub corrects: Option<TransactionId>,
    /// `Some(true)` wants only accepted events, `Some(false)` only declined ones.
    pub accepted: Option<bool>,
    /// Only events that were recorded at or after this moment are wanted.
    pub from: Option<Timestamp>,
    /// Only events that were recorded before this moment are wanted.
    pub to: Option<Timestamp>,
    /// Only events before this position are wanted. The newest come first, so this is where the next page begins.
    pub before: Option<Position>,
    /// This is the most events that are wanted, 1 to 1000.
    pub limit: usize,
}

/// A `TrialBalance` has the sums over the whole ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialBalance {
    /// This is the position of the last event that is counted.
    pub position: Position,
    /// This is the sum of all guarded accounts in each currency.
    pub guarded: BTreeMap<Currency, Money>,
    /// This is the balance of each of the ledger's own accounts, by name and currency.
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

/// A `ReadError` is the reason why a read failed.
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
    /// As many long reads are running as are allowed.
    #[error("too many long reads at once")]
    Busy,
    /// The read is a long one and has taken as long as it may.
    #[error("the read took too long")]
    TooLong,
    /// The position that was asked for is behind the journal's end.
    #[error("the journal ends at position {head}")]
    BeyondHead {
        /// This is the position of the last event.
        head: Position,
    },
    /// No event is at this position.
    #[error("no event is at this position; the last before it is at {before}")]
    UnknownPosition {
        /// This is the position of the last event before it; 0 when there is none.
        before: Position,
    },
}

impl ReadError {
    /// Makes the error for something that could not be read, with its cause.
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
