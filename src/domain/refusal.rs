//! Refusals are outcomes of commands that are answered, and of which nothing is recorded.

use super::account::decline::Decline;
use super::delivery::decide::Refused;
use super::ids::CounterAccount;
use super::money::AmountError;

/// The reason why a command is refused. Nothing is recorded of it, so its ID may come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such account.
    AccountNotFound,
    /// The account to be opened exists already.
    AccountExists,
    /// A reversal with an amount, or a correction, names a transaction that was never booked.
    TransactionNotFound,
    /// The account has never seen a hold with this ID.
    HoldNotFound,
    /// The hold is not open any more, or its time has not come: there is no expiry to book.
    NotDue,
    /// The credit that is to be ruled out was decided before: booked, or declined for this reason. Both are for ever.
    CreditDecided(Option<Decline>),
    /// Something was booked on the account since the client looked at it.
    AccountChanged {
        /// This is the revision of the account's last event.
        revision: u64,
    },
    /// There is no such transfer.
    TransferNotFound,
    /// What the service was to record of its own accord is not possible any more: another driver was first. No client's
    /// request ends so.
    Stale,
    /// Nothing was recorded after the revision that a driver asked about. No client's request ends so.
    NothingNew,
    /// The hold of a transfer that is to be released was declined before, for this reason.
    HoldDeclined(Decline),
    /// A destination is not such that this could be recorded of it.
    Destination(Refused),
    /// The letter is there already: its message was given up before.
    LetterExists,
    /// A field is wrong, which another field, the account or the clock shows.
    Invalid {
        /// This is the field.
        field: &'static str,
        /// This is what is wrong with it.
        problem: String,
    },
}

impl Refusal {
    /// Refuses an account of the ledger's own that only the ledger itself books against.
    pub(super) fn reserved(counter_account: &CounterAccount) -> Result<(), Self> {
        if !counter_account.is_reserved() {
            return Ok(());
        }
        Err(Self::Invalid { field: "counter_account", problem: "is the ledger's own to use".into() })
    }

    pub(super) fn amount(field: &'static str) -> impl FnOnce(AmountError) -> Self {
        move |error| Self::Invalid { field, problem: error.to_string() }
    }
}
