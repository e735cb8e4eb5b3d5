//! [`AccountBefore`] is an account as the events before a request leave it, with the checks that several requests share.

use crate::audit::values::code::Code;
use crate::audit::values::currency::Currency;
use crate::audit::values::money;

/// The status of a guarded account is one of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Status {
    /// An open account takes every request.
    #[default]
    Open,
    /// A frozen account declines what takes money out.
    Frozen,
    /// A closed account declines everything but preventions.
    Closed,
}

impl Status {
    /// Gives the status as the service writes it.
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }
}

/// An `AccountBefore` is an account as the events before a request leave it. The rules look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountBefore {
    pub(crate) currency: Currency,
    pub(crate) balance: i128,
    /// This is how far the balance may go below zero.
    pub(crate) limit: i128,
    pub(crate) status: Status,
    /// This says whether the request's own ID was ruled out on this account.
    pub(crate) prevented: bool,
    /// This is what is held.
    pub(crate) held: i128,
    /// This is how many holds of clients are open.
    pub(crate) holds_of_clients: usize,
    /// This says whether any hold is open, those of transfers too.
    pub(crate) has_holds: bool,
}

/// A judgement is what must become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The request is accepted, and the guarded account gets this sum (zero for what moves no money).
    Accepted(i128),
    /// The request is accepted, and rules out a transaction that has not come yet.
    Prevention,
    /// The request is declined, and that is recorded.
    Declined(Code),
    /// The request is refused, and nothing is recorded.
    Unrecorded(&'static str),
}

impl std::fmt::Display for Judgement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted(_) => f.write_str("accepted"),
            Self::Prevention => f.write_str("accepted: Prevented"),
            Self::Declined(code) => write!(f, "declined: {}", code.text()),
            Self::Unrecorded(why) => write!(f, "not recorded: {why}"),
        }
    }
}

/// Checks that this sum can be booked on the account.
pub(super) fn moved(account: &AccountBefore, signed: i128, force: bool) -> Result<Judgement, Code> {
    // To saturate is enough: the sum is compared here, and added with a check where it is booked.
    let after = account.balance.saturating_add(signed);
    if signed > 0 && after > money::largest(account.currency) {
        return Err(Code::BalanceTooLarge);
    }
    if signed < 0 && !force {
        enough(account, signed.saturating_neg())?;
    }
    Ok(Judgement::Accepted(signed))
}

/// Checks that so much is available.
pub(super) fn enough(account: &AccountBefore, amount: i128) -> Result<(), Code> {
    let available = account.balance.saturating_add(account.limit).saturating_sub(account.held);
    if amount > available { Err(Code::InsufficientFunds) } else { Ok(()) }
}

/// Checks that the account is not closed.
pub(super) fn not_closed(account: &AccountBefore) -> Result<(), Code> {
    if account.status == Status::Closed { Err(Code::AccountClosed) } else { Ok(()) }
}

/// Checks that the request's own ID was not ruled out.
pub(super) fn not_prevented(account: &AccountBefore) -> Result<(), Code> {
    if account.prevented { Err(Code::Prevented) } else { Ok(()) }
}
