//! [`Code`] is why a request was declined, as an event writes it.

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
    /// The account that is to be closed has open holds.
    HoldsOpen,
    /// The account has as many open holds of clients as one may have.
    TooManyHolds,
    /// The hold is past its time.
    HoldExpired,
    /// The hold was captured, released or ruled out.
    HoldAlreadySettled,
    /// More would be captured than is held.
    CaptureExceedsHold,
    /// The transfer has ended.
    TransferEnded,
    /// The payout can't be stopped any more.
    TooLate,
}

impl Code {
    /// These are all codes.
    pub(crate) const ALL: [Self; 16] = [
        Self::AccountClosed,
        Self::AccountFrozen,
        Self::Prevented,
        Self::BalanceTooLarge,
        Self::InsufficientFunds,
        Self::AccountNotEmpty,
        Self::WrongState,
        Self::ReversalExceedsOriginal,
        Self::NotReversible,
        Self::HoldsOpen,
        Self::TooManyHolds,
        Self::HoldExpired,
        Self::HoldAlreadySettled,
        Self::CaptureExceedsHold,
        Self::TransferEnded,
        Self::TooLate,
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
            Self::HoldsOpen => "holds_open",
            Self::TooManyHolds => "too_many_holds",
            Self::HoldExpired => "hold_expired",
            Self::HoldAlreadySettled => "hold_already_settled",
            Self::CaptureExceedsHold => "capture_exceeds_hold",
            Self::TransferEnded => "transfer_ended",
            Self::TooLate => "too_late",
        }
    }

    /// Reads a code that an event wrote; `None` when it is none of these.
    #[must_use]
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.text().as_bytes() == text)
    }
}
