//! These are the fields of what is asked of holds, by clients and by the steps of a transfer.

use super::ids::{AccountName, CounterAccount, Id, TransactionId};
use super::metadata::Metadata;
use super::money::WrittenAmount;
use super::payee::Payee;
use super::reason::Reason;

/// A `Placing` has the fields of a client's hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placing {
    /// This is the amount to set aside.
    pub amount: WrittenAmount,
    /// This is how long it is set aside at most.
    pub expires_in_seconds: HoldSeconds,
    /// These are the business's own ids.
    pub metadata: Metadata,
}

/// `HoldSeconds` is for how many seconds a hold is placed: 1 to 2,592,000, which are 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldSeconds(u32);

impl HoldSeconds {
    /// This is the longest time.
    pub const MOST: u32 = 2_592_000;

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

/// A `Capturing` has the fields of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capturing {
    /// This is the hold's ID, a transfer's where it is a step of a transfer.
    pub hold: Id,
    /// This is the part of it that is booked out; all of it where no amount was named. A transfer always names it.
    pub amount: Option<WrittenAmount>,
    /// This is the ledger's own account on the other side.
    pub counter_account: CounterAccount,
    /// These are the business's own ids.
    pub metadata: Metadata,
    /// This is the payee of the transfer whose step it is; `None` for a client's, and in a decline that was read.
    pub to: Option<Payee>,
}

/// A `Releasing` has the fields of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Releasing {
    /// This is the hold's ID, a transfer's where it is a step of a transfer.
    pub hold: Id,
    /// This says why, where the client said so.
    pub reason: Option<Reason>,
}

/// A `Holding` has the fields of the hold of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// This is the transfer's ID.
    pub transfer: TransactionId,
    /// This is the amount to set aside.
    pub amount: WrittenAmount,
    /// This is the side to which the transfer moves it.
    pub to: Payee,
}

/// A `Crediting` has the fields of the credit of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crediting {
    /// This is the transfer's ID.
    pub transfer: TransactionId,
    /// This is the amount that comes in.
    pub amount: WrittenAmount,
    /// This is the account that it comes from.
    pub from: AccountName,
}

/// A `RulingOut` has the fields of the ruling out of a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulingOut {
    /// This is the transfer's ID.
    pub transfer: TransactionId,
    /// This says why the transfer stops.
    pub code: Stopped,
}

/// A `Stopped` is the reason why a transfer stops before its credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its deadline is over.
    TimedOut,
    /// Its cancel was asked for.
    Cancelled,
}

impl Stopped {
    /// Returns the stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the reason with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::TimedOut, Self::Cancelled].into_iter().find(|stopped| stopped.code() == code)
    }
}
