//! An operation is what a request asks for; each has the shape of its body, and in a batch a name.

use super::field::Field;
use super::shape::{self, Shape};

/// An `Op` says what a request is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The request opens an account.
    OpenAccount,
    /// The request puts money in.
    Deposit,
    /// The request takes money out.
    Withdraw,
    /// The request takes a movement back.
    Reverse,
    /// The request puts the account right.
    Correct,
    /// The request freezes the account: no money goes out.
    Freeze,
    /// The request lets money out again.
    Unfreeze,
    /// The request closes the account for ever.
    Close,
    /// The request sets the overdraft limit.
    OverdraftLimit,
    /// The request sets money aside.
    Hold,
    /// The request books out what a hold sets aside.
    Capture,
    /// The request makes free what a hold sets aside.
    Release,
    /// The request moves money from one account to another.
    Transfer,
    /// The request stops a transfer, where it comes in time.
    CancelTransfer,
    /// The request says what became of a transfer's payout.
    TransferOutcome,
    /// The request lets the service go on with a transfer.
    RetryTransfer,
    /// The request leaves a transfer as it is.
    AbandonTransfer,
    /// The request sends nothing to a destination for now.
    PauseDestination,
    /// The request lets a destination go on.
    ResumeDestination,
    /// The request sends a message that says nothing to a destination.
    TestDestination,
}

/// A `Batched` is an operation that a line of a batch can ask for.
pub(crate) struct Batched {
    /// This is the operation.
    pub(crate) op: Op,
    /// This is what the line's `op` calls it.
    pub(crate) name: &'static str,
    /// This is what a sentence calls it.
    pub(crate) noun: &'static str,
}

/// These are the operations that a line of a batch can ask for.
pub(crate) const BATCHED: [Batched; 8] = [
    Batched { op: Op::OpenAccount, name: "open_account", noun: "an opening" },
    Batched { op: Op::Deposit, name: "deposit", noun: "a deposit" },
    Batched { op: Op::Withdraw, name: "withdraw", noun: "a withdrawal" },
    Batched { op: Op::Reverse, name: "reverse", noun: "a reversal" },
    Batched { op: Op::Hold, name: "hold", noun: "a hold" },
    Batched { op: Op::Capture, name: "capture", noun: "a capture" },
    Batched { op: Op::Release, name: "release", noun: "a release" },
    Batched { op: Op::Transfer, name: "transfer", noun: "a transfer" },
];

impl Op {
    /// Returns the operation that a line of a batch calls by this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        BATCHED.iter().find(|batched| batched.name == name).map(|batched| batched.op)
    }

    /// Returns the shape of its body.
    pub(crate) fn shape(self) -> &'static Shape {
        match self {
            Self::OpenAccount => &shape::OPEN_ACCOUNT,
            Self::Deposit | Self::Withdraw => &shape::MOVE,
            Self::Reverse => &shape::REVERSE,
            Self::Correct => &shape::CORRECT,
            Self::Freeze | Self::Unfreeze | Self::Close => &shape::BECAUSE,
            Self::OverdraftLimit => &shape::OVERDRAFT_LIMIT,
            Self::Hold => &shape::HOLD,
            Self::Capture => &shape::CAPTURE,
            Self::Release => &shape::RELEASE,
            Self::Transfer => &shape::TRANSFER,
            Self::TransferOutcome => &shape::TRANSFER_OUTCOME,
            Self::CancelTransfer | Self::RetryTransfer | Self::AbandonTransfer => &shape::BECAUSE,
            Self::PauseDestination => &shape::DESTINATION_PAUSE,
            Self::ResumeDestination => &shape::DESTINATION_RESUME,
            Self::TestDestination => &shape::DESTINATION_TEST,
        }
    }

    /// Returns the set of fields that a line of a batch has besides those of its body: those of every line, and what stands
    /// in the path of its own request.
    pub(crate) fn line(self) -> u32 {
        match self {
            Self::Capture | Self::Release => shape::BATCH_LINE.required | Field::Hold.bit(),
            // A transfer is on no one account: its own fields name both.
            Self::Transfer => shape::BATCH_LINE.required & !Field::Account.bit(),
            Self::OpenAccount
            | Self::Deposit
            | Self::Withdraw
            | Self::Reverse
            | Self::Correct
            | Self::Freeze
            | Self::Unfreeze
            | Self::Close
            | Self::OverdraftLimit
            | Self::Hold
            | Self::CancelTransfer
            | Self::TransferOutcome
            | Self::RetryTransfer
            | Self::AbandonTransfer
            | Self::PauseDestination
            | Self::ResumeDestination
            | Self::TestDestination => shape::BATCH_LINE.required,
        }
    }
}

/// Joins words as a sentence enumerates them: `a, b or c`.
pub(crate) fn any_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
