//! An operation is what a request asks for; each has the shape of its body, and in a batch a name.

use super::shape::{self, Shape};

/// What a request is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Open an account.
    OpenAccount,
    /// Put money in.
    Deposit,
    /// Take money out.
    Withdraw,
    /// Take a movement back.
    Reverse,
    /// Let nothing out.
    Freeze,
    /// Let money out again.
    Unfreeze,
    /// End the account.
    Close,
    /// Set the overdraft limit.
    OverdraftLimit,
}

/// An operation that a line of a batch can ask for.
pub(crate) struct Batched {
    /// The operation.
    pub(crate) op: Op,
    /// What the line's `op` calls it.
    pub(crate) name: &'static str,
    /// What a sentence calls it.
    pub(crate) noun: &'static str,
}

/// The operations that a line of a batch can ask for.
pub(crate) const BATCHED: [Batched; 4] = [
    Batched { op: Op::OpenAccount, name: "open_account", noun: "an opening" },
    Batched { op: Op::Deposit, name: "deposit", noun: "a deposit" },
    Batched { op: Op::Withdraw, name: "withdraw", noun: "a withdrawal" },
    Batched { op: Op::Reverse, name: "reverse", noun: "a reversal" },
];

impl Op {
    /// The operation that a line of a batch calls by this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        BATCHED.iter().find(|batched| batched.name == name).map(|batched| batched.op)
    }

    /// The shape of its body.
    pub(crate) fn shape(self) -> &'static Shape {
        match self {
            Self::OpenAccount => &shape::OPEN_ACCOUNT,
            Self::Deposit | Self::Withdraw => &shape::MOVE,
            Self::Reverse => &shape::REVERSE,
            Self::Freeze | Self::Unfreeze | Self::Close => &shape::BECAUSE,
            Self::OverdraftLimit => &shape::OVERDRAFT_LIMIT,
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
