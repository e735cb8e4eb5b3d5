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
    /// The event says that a destination is set up, or its settings change.
    DestinationSet,
    /// The event says that a destination is paused.
    DestinationPause,
    /// The event says that a destination goes on.
    DestinationResume,
    /// The event says that a destination is removed.
    DestinationRemove,
    /// The event says that a message that says nothing was sent to a destination.
    DestinationTest,
    /// The event says that an instance serves a destination from now on.
    ServingTake,
    /// The event says that messages are about to be sent once.
    DeliveryClaim,
    /// The event says how far a destination has come.
    DeliveryProgress,
    /// The event says that a message was given up.
    DeadLetter,
    /// The event says that an instance asks who serves a destination whether it still lives.
    ServingChallenge,
    /// The event says that who serves a destination lives.
    ServingConfirm,
    /// The event says that who serves a destination lets it go.
    ServingRelease,
}

impl Kind {
    /// These are all kinds, in the order of their numbers.
    pub const ALL: [Self; 35] = [
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
        Self::DestinationSet,
        Self::DestinationPause,
        Self::DestinationResume,
        Self::DestinationRemove,
        Self::DestinationTest,
        Self::ServingTake,
        Self::DeliveryClaim,
        Self::DeliveryProgress,
        Self::DeadLetter,
        Self::ServingChallenge,
        Self::ServingConfirm,
        Self::ServingRelease,
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
            Self::DestinationSet => "destination_set",
            Self::DestinationPause => "destination_pause",
            Self::DestinationResume => "destination_resume",
            Self::DestinationRemove => "destination_remove",
            Self::DestinationTest => "destination_test",
            Self::ServingTake => "serving_take",
            Self::DeliveryClaim => "delivery_claim",
            Self::DeliveryProgress => "delivery_progress",
            Self::DeadLetter => "dead_letter",
            Self::ServingChallenge => "serving_challenge",
            Self::ServingConfirm => "serving_confirm",
            Self::ServingRelease => "serving_release",
        }
    }

    /// Returns the kind with this name that a search may ask for.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::searched().find(|kind| kind.name() == name)
    }

    /// Returns the kinds that a search may ask for: those of accounts and transfers.
    pub fn searched() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_searched())
    }

    /// Says whether a search finds events of this kind: those of accounts and transfers. What the service records of its
    /// deliveries is read at its destination.
    #[must_use]
    pub fn is_searched(self) -> bool {
        match self {
            Self::Opening
            | Self::Deposit
            | Self::Withdrawal
            | Self::Reversal
            | Self::Prevention
            | Self::Freeze
            | Self::Unfreeze
            | Self::Close
            | Self::OverdraftLimit
            | Self::Hold
            | Self::Capture
            | Self::Release
            | Self::Expiry
            | Self::TransferOut
            | Self::TransferIn
            | Self::Correction
            | Self::Transfer
            | Self::TransferCancel
            | Self::TransferOutcome
            | Self::TransferRetry
            | Self::TransferAbandon
            | Self::TransferEnd
            | Self::TransferNote => true,
            Self::DestinationSet
            | Self::DestinationPause
            | Self::DestinationResume
            | Self::DestinationRemove
            | Self::DestinationTest
            | Self::ServingTake
            | Self::DeliveryClaim
            | Self::DeliveryProgress
            | Self::DeadLetter
            | Self::ServingChallenge
            | Self::ServingConfirm
            | Self::ServingRelease => false,
        }
    }
}
