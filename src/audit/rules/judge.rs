//! What the ledger's rules make of a request, computed again from the contract's text. Pure.
//!
//! The order of the declines is part of the rules: closed, frozen, prevented, then the rest, funds last.

use crate::audit::values::currency::Currency;
use crate::audit::values::event::{Change, Code, Way};
use crate::audit::values::money;

/// The three states of a guarded account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Takes everything.
    #[default]
    Open,
    /// Refuses what takes money out.
    Frozen,
    /// Refuses all but preventions.
    Closed,
}

impl Status {
    /// As the service writes it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }
}

/// What the rules look at: the account as the events before leave it.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Its currency.
    pub currency: Currency,
    /// Its balance.
    pub balance: i128,
    /// How far that may go under zero.
    pub limit: i128,
    /// Its state.
    pub status: Status,
    /// Whether the request's own ID was ruled out on this account.
    pub prevented: bool,
}

/// What a reversal is to take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// An ID that was never seen on this account, nor ruled out.
    Unseen,
    /// An ID that was never seen on this account and was ruled out.
    RuledOut,
    /// An accepted deposit or withdrawal, with what was taken back of it so far.
    Moved {
        /// Which of the two.
        way: Way,
        /// How much it moved.
        amount: i128,
        /// How much was taken back.
        reversed: i128,
    },
    /// Something else.
    Other,
}

/// A request that changes or moves something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// A deposit or a withdrawal.
    Move(Way, i128),
    /// A reversal.
    Reverse {
        /// What it is to take back.
        target: Target,
        /// How much, where the request says so.
        amount: Option<i128>,
        /// Whether it may pass the overdraft limit.
        force: bool,
    },
    /// A freeze, an unfreeze or a closing.
    Change(Change),
    /// Another overdraft limit.
    Limit,
}

/// What the rules make of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It is accepted, and the guarded account gets so much (zero for what moves no money).
    Accepted(i128),
    /// It is accepted, and rules out a transaction that has not come yet.
    Prevention,
    /// It is declined, and that is recorded.
    Declined(Code),
    /// It is refused, and nothing is recorded.
    Unrecorded(&'static str),
}

impl std::fmt::Display for Ruling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted(_) => f.write_str("accepted"),
            Self::Prevention => f.write_str("accepted: Prevented"),
            Self::Declined(code) => write!(f, "declined: {}", code.text()),
            Self::Unrecorded(why) => write!(f, "not recorded: {why}"),
        }
    }
}

/// What becomes of a request on an account that is there.
#[must_use]
pub fn ruling(standing: &Standing, request: Request) -> Ruling {
    match judge(standing, request) {
        Ok(ruling) => ruling,
        Err(code) => Ruling::Declined(code),
    }
}

fn judge(standing: &Standing, request: Request) -> Result<Ruling, Code> {
    match request {
        Request::Move(way, amount) => {
            not_closed(standing)?;
            if way == Way::Withdrawal && standing.status == Status::Frozen {
                return Err(Code::AccountFrozen);
            }
            not_prevented(standing)?;
            moved(standing, way.signed(amount), false)
        }
        Request::Reverse { target: Target::Unseen | Target::RuledOut, amount: Some(_), .. } => {
            Ok(Ruling::Unrecorded("a part can't be taken back of a transaction that was never seen"))
        }
        Request::Reverse { target: Target::Unseen, amount: None, .. } => {
            not_prevented(standing)?;
            Ok(Ruling::Prevention)
        }
        Request::Reverse { target, amount, force } => {
            not_closed(standing)?;
            not_prevented(standing)?;
            reversed(standing, target, amount, force)
        }
        Request::Change(change) => {
            not_closed(standing)?;
            not_prevented(standing)?;
            match change {
                Change::Freeze if standing.status == Status::Frozen => Err(Code::WrongState),
                Change::Unfreeze if standing.status != Status::Frozen => Err(Code::WrongState),
                Change::Close if standing.balance != 0 => Err(Code::AccountNotEmpty),
                Change::Freeze | Change::Unfreeze | Change::Close => Ok(Ruling::Accepted(0)),
            }
        }
        Request::Limit => {
            not_closed(standing)?;
            not_prevented(standing)?;
            Ok(Ruling::Accepted(0))
        }
    }
}

fn reversed(standing: &Standing, target: Target, asked: Option<i128>, force: bool) -> Result<Ruling, Code> {
    let (way, left) = match target {
        Target::Other => return Err(Code::NotReversible),
        Target::Unseen | Target::RuledOut => return Err(Code::ReversalExceedsOriginal),
        Target::Moved { way, amount, reversed } => (way, amount - reversed),
    };
    let amount = asked.unwrap_or(left);
    if left == 0 || amount > left {
        return Err(Code::ReversalExceedsOriginal);
    }
    moved(standing, -way.signed(amount), force)
}

fn moved(standing: &Standing, signed: i128, force: bool) -> Result<Ruling, Code> {
    let after = standing.balance + signed;
    if signed > 0 && after > money::largest(standing.currency) {
        return Err(Code::BalanceTooLarge);
    }
    if signed < 0 && !force && after < -standing.limit {
        return Err(Code::InsufficientFunds);
    }
    Ok(Ruling::Accepted(signed))
}

fn not_closed(standing: &Standing) -> Result<(), Code> {
    if standing.status == Status::Closed { Err(Code::AccountClosed) } else { Ok(()) }
}

fn not_prevented(standing: &Standing) -> Result<(), Code> {
    if standing.prevented { Err(Code::Prevented) } else { Ok(()) }
}
