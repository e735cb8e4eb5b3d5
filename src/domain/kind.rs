//! A kind says what an event is about, as answers, searches and the index name them.

/// A `Kind` is the kind of an event: what it is about, as answers and searches name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The event is an account's opening.
    Opening,
    /// The event is a deposit.
    Deposit,
    /// The event is a withdrawal.
    Withdrawal,
    /// The event is a reversal.
    Reversal,
    /// The event is a prevention: a reversal of a transaction that has not come.
    Prevention,
    /// The event is a freeze.
    Freeze,
    /// The event is the end of a freeze.
    Unfreeze,
    /// The event is an account's closing.
    Close,
    /// The event is a change of the overdraft limit.
    OverdraftLimit,
    /// The event is a hold, a client's or a transfer's.
    Hold,
    /// The event is a capture of a client's hold.
    Capture,
    /// The event is a release of a hold.
    Release,
    /// The event is the expiry of a hold.
    Expiry,
    /// The event takes out what a transfer moves.
    TransferOut,
    /// The event brings in what a transfer moves.
    TransferIn,
    /// The event is a correction.
    Correction,
    /// The event is the request for a transfer.
    Transfer,
    /// The event is the request to cancel a transfer.
    TransferCancel,
    /// The event is an operator's word on what became of a transfer's payout.
    TransferOutcome,
    /// The event is an operator's order to go on with a transfer.
    TransferRetry,
    /// The event is an operator's order to leave a transfer as it is.
    TransferAbandon,
    /// The event is the end of a transfer.
    TransferEnd,
    /// The event is something that the service notes of a transfer before its end.
    TransferNote,
}

impl Kind {
    /// These are all kinds, in the order of their numbers.
    pub const ALL: [Self; 23] = [
        Self::Opening,
        Self::Deposit,
        Self::Withdrawal,
        Self::Reversal,
        Self::Prevention,
        Self::Freeze,
        Self::Unfreeze,
        Self::Close,
        Self::OverdraftLimit,
        Self::Hold,
        Self::Capture,
        Self::Release,
        Self::Expiry,
        Self::TransferOut,
        Self::TransferIn,
        Self::Correction,
        Self::Transfer,
        Self::TransferCancel,
        Self::TransferOutcome,
        Self::TransferRetry,
        Self::TransferAbandon,
        Self::TransferEnd,
        Self::TransferNote,
    ];

    /// Returns its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Reversal => "reversal",
            Self::Prevention => "prevention",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::Close => "close",
            Self::OverdraftLimit => "overdraft_limit",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Expiry => "expiry",
            Self::TransferOut => "transfer_out",
            Self::TransferIn => "transfer_in",
            Self::Correction => "correction",
            Self::Transfer => "transfer",
            Self::TransferCancel => "transfer_cancel",
            Self::TransferOutcome => "transfer_outcome",
            Self::TransferRetry => "transfer_retry",
            Self::TransferAbandon => "transfer_abandon",
            Self::TransferEnd => "transfer_end",
            Self::TransferNote => "transfer_note",
        }
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
