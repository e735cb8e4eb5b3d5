//! Declines of a transfer are the reasons for which a rule says no to what is asked of it. Each is recorded.

/// A `TransferDecline` is the reason why the ledger declined what was asked of a transfer. Codes and texts are part of first
/// answers: they never change, but new ones may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferDecline {
    /// The transfer has ended.
    TransferEnded,
    /// The payout may have been sent, and its provider can't cancel.
    TooLate,
    /// The transfer is not in a state from which this can be done.
    WrongState,
}

impl TransferDecline {
    /// Returns the stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TransferEnded => "transfer_ended",
            Self::TooLate => "too_late",
            Self::WrongState => "wrong_state",
        }
    }

    /// These are the codes that no account declines with, for searches and documents.
    pub const OWN_CODES: [&'static str; 2] = ["transfer_ended", "too_late"];

    /// Returns the decline with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::TransferEnded, Self::TooLate, Self::WrongState].into_iter().find(|known| known.code() == code)
    }
}
