//! Declines of an account are the reasons for which a business rule says no. Each decline is recorded, and is the answer
//! to its ID for ever.

use crate::domain::ids::Id;

/// A `Decline` is the reason why the ledger declined. Codes and texts are part of first answers: they never change, but
/// new ones may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// It would take the account under its overdraft limit.
    InsufficientFunds,
    /// It would take the account above the largest balance.
    BalanceTooLarge,
    /// The account is frozen.
    AccountFrozen,
    /// The account is closed.
    AccountClosed,
    /// An account can't be closed while it has money.
    AccountNotEmpty,
    /// A frozen account can't be frozen again, and an account that is not frozen can't be unfrozen.
    WrongState,
    /// The reversal would take back more than is left of the movement.
    ReversalExceedsOriginal,
    /// The reversal with this ID ruled the transaction out before it came.
    Prevented(Id),
    /// The transaction that the reversal names moved no money, or was a reversal itself.
    NotReversible,
    /// An account can't be closed while money is set aside on it.
    HoldsOpen,
    /// The account has as many open holds of clients as it may have.
    TooManyHolds,
    /// The hold expired before this came.
    HoldExpired,
    /// The hold was captured or released before this came, or was ruled out.
    HoldAlreadySettled,
    /// The capture is of more than the hold.
    CaptureExceedsHold,
}

impl Decline {
    /// Returns the stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::InsufficientFunds => "insufficient_funds",
            Self::BalanceTooLarge => "balance_too_large",
            Self::AccountFrozen => "account_frozen",
            Self::AccountClosed => "account_closed",
            Self::AccountNotEmpty => "account_not_empty",
            Self::WrongState => "wrong_state",
            Self::ReversalExceedsOriginal => "reversal_exceeds_original",
            Self::Prevented(_) => "prevented",
            Self::NotReversible => "not_reversible",
            Self::HoldsOpen => "holds_open",
            Self::TooManyHolds => "too_many_holds",
            Self::HoldExpired => "hold_expired",
            Self::HoldAlreadySettled => "hold_already_settled",
            Self::CaptureExceedsHold => "capture_exceeds_hold",
        }
    }

    /// These are all codes, for searches and documents.
    pub const CODES: [&'static str; 14] = [
        "insufficient_funds",
        "balance_too_large",
        "account_frozen",
        "account_closed",
        "account_not_empty",
        "wrong_state",
        "reversal_exceeds_original",
        "prevented",
        "not_reversible",
        "holds_open",
        "too_many_holds",
        "hold_expired",
        "hold_already_settled",
        "capture_exceeds_hold",
    ];

    /// Returns the decline with this code. `prevented_by` is needed for `prevented`; for any other code it must be
    /// `None`.
    #[must_use]
    pub fn from_code(code: &str, prevented_by: Option<Id>) -> Option<Self> {
        let decline = match code {
            "insufficient_funds" => Self::InsufficientFunds,
            "balance_too_large" => Self::BalanceTooLarge,
            "account_frozen" => Self::AccountFrozen,
            "account_closed" => Self::AccountClosed,
            "account_not_empty" => Self::AccountNotEmpty,
            "wrong_state" => Self::WrongState,
            "reversal_exceeds_original" => Self::ReversalExceedsOriginal,
            "not_reversible" => Self::NotReversible,
            "holds_open" => Self::HoldsOpen,
            "too_many_holds" => Self::TooManyHolds,
            "hold_expired" => Self::HoldExpired,
            "hold_already_settled" => Self::HoldAlreadySettled,
            "capture_exceeds_hold" => Self::CaptureExceedsHold,
            "prevented" => return prevented_by.map(Self::Prevented),
            _ => return None,
        };
        prevented_by.is_none().then_some(decline)
    }
}
