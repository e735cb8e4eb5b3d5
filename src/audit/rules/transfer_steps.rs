//! The steps of a transfer on accounts are taken here, each against what the journal has of the transfer before.
//!
//! Whether the account could take a step is the [`judge`](super::judge)'s; whether the transfer could take it is said here.

use crate::audit::rules::transfer::{CreditStep, HoldStep, PayoutStep, Stop, To, Transfer};
use crate::audit::rules::transfers::Transfers;
use crate::audit::values::code::Code;
use crate::audit::values::currency::Currency;
use crate::audit::values::finding::Flaw;

/// This is where a step is booked.
#[derive(Debug, Clone, Copy)]
pub(super) struct On {
    pub(super) account: u32,
    pub(super) currency: Currency,
    /// This is the attempt that the step's ID names.
    pub(super) attempt: u32,
}

/// This is what a step says of its transfer, where it says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) amount: i128,
    /// This is the other side; `None` when there is no such account.
    pub(super) other: Option<To>,
}

/// This is what became of a step.
#[derive(Debug, Clone, Copy)]
pub(super) enum StepTaken {
    Held(Told),
    HoldDeclined(Told, Code),
    HoldRuledOut,
    Credited(Told),
    CreditDeclined(Told, Code),
    CreditRuledOut { timed_out: bool },
    Captured(Told),
    CaptureDeclined,
    Released,
    ReleaseDeclined,
}

impl Transfers {
    /// Takes a step of a transfer. Says whether the transfer is known; else nothing can be said of the step.
    ///
    /// # Errors
    /// Fails when there is no such transfer before it in the journal, or the step is none that this transfer may have now.
    pub(super) fn step(&mut self, id: u128, on: On, taken: StepTaken) -> Result<bool, Flaw> {
        let Some((transfer, is_sure)) = self.of_step(id)? else { return Ok(false) };
        if is_sure {
            belongs(transfer, on, taken)?;
            is_allowed(transfer, on, taken)?;
        }
        let (was, amount) = (transfer.is_in_transit(), i128::from(transfer.amount));
        note(transfer, taken);
        let (is, currency) = (transfer.is_in_transit(), transfer.currency);
        match (was, is) {
            (false, true) => self.move_transit(currency, amount),
            (true, false) => self.move_transit(currency, amount.saturating_neg()),
            (true, true) | (false, false) => {}
        }
        Ok(true)
    }
}

/// Checks that a step is on the right account, and of what was asked for.
fn belongs(transfer: &Transfer, on: On, taken: StepTaken) -> Result<(), Flaw> {
    let from = To::Account(transfer.from);
    let (account, told, other) = match taken {
        StepTaken::Held(told) | StepTaken::HoldDeclined(told, _) => (from, Some(told), transfer.to),
        StepTaken::Captured(told) => (from, Some(told), transfer.to),
        StepTaken::Credited(told) | StepTaken::CreditDeclined(told, _) => (transfer.to, Some(told), from),
        StepTaken::CreditRuledOut { .. } => (transfer.to, None, from),
        StepTaken::HoldRuledOut
        | StepTaken::CaptureDeclined
        | StepTaken::Released
        | StepTaken::ReleaseDeclined => (from, None, transfer.to),
    };
    if account != To::Account(on.account) {
        return Err(Flaw::OtherTransfer("account"));
    }
    if on.currency != transfer.currency {
        return Err(Flaw::OtherTransfer("currency"));
    }
    let Some(told) = told else { return Ok(()) };
    if told.other != Some(other) {
        return Err(Flaw::OtherTransfer("account on the other side"));
    }
    let expected = match (taken, transfer.payout) {
        (StepTaken::Captured(_), PayoutStep::Paid(paid)) => paid,
        _ => transfer.amount,
    };
    if told.amount != i128::from(expected) { Err(Flaw::OtherTransfer("amount")) } else { Ok(()) }
}

/// Checks that a step may come now.
fn is_allowed(transfer: &Transfer, on: On, taken: StepTaken) -> Result<(), Flaw> {
    let attempt = |declined: u32| {
        let expected = declined.saturating_add(1);
        let fits = on.attempt == expected;
        if fits { Ok(()) } else { Err(Flaw::Attempt { says: on.attempt, expected }) }
    };
    match taken {
        StepTaken::HoldDeclined(..) => {
            once(matches!(transfer.hold, HoldStep::Unasked | HoldStep::RuledOut { came: false }))
        }
        StepTaken::CreditDeclined(..) => {
            once(matches!(transfer.credit, CreditStep::Unasked | CreditStep::RuledOut { came: false }))
        }
        StepTaken::CaptureDeclined => attempt(transfer.captures_declined),
        StepTaken::ReleaseDeclined => attempt(transfer.releases_declined),
        _ if transfer.ended => Err(Flaw::AfterEnd),
        StepTaken::Held(_) => once(transfer.hold == HoldStep::Unasked),
        StepTaken::Credited(_) => credited(transfer),
        StepTaken::CreditRuledOut { timed_out } => match (transfer.credit, transfer.stop) {
            (CreditStep::Unasked, Some(stop)) if timed_out == (stop == Stop::TimedOut) => Ok(()),
            (CreditStep::Unasked, Some(_)) => Err(Flaw::OtherTransfer("reason to be stopped")),
            (CreditStep::Unasked, None) => Err(Flaw::TooEarly("it is not to be stopped")),
            _ => Err(Flaw::StepTwice),
        },
        StepTaken::Captured(_) => {
            attempt(transfer.captures_declined)?;
            captured(transfer)
        }
        StepTaken::Released | StepTaken::HoldRuledOut => {
            attempt(transfer.releases_declined)?;
            let (is_release, hold) = (matches!(taken, StepTaken::Released), transfer.hold);
            if is_release && hold == HoldStep::Unasked {
                return Err(Flaw::HoldNotOpen);
            }
            once(hold == if is_release { HoldStep::Open } else { HoldStep::Unasked })?;
            may_release(transfer)
        }
    }
}

/// Says that a step has come already, where it may not come any more.
fn once(may_come: bool) -> Result<(), Flaw> {
    if may_come { Ok(()) } else { Err(Flaw::StepTwice) }
}

fn credited(transfer: &Transfer) -> Result<(), Flaw> {
    match (transfer.credit, transfer.hold) {
        (CreditStep::Unasked, HoldStep::Open) => Ok(()),
        (CreditStep::Unasked, _) => Err(Flaw::TooEarly("its hold is not open")),
        _ => Err(Flaw::StepTwice),
    }
}

fn captured(transfer: &Transfer) -> Result<(), Flaw> {
    once(transfer.hold == HoldStep::Open)?;
    match (transfer.to, transfer.credit, transfer.payout) {
        (To::Account(_), CreditStep::Booked, _) | (To::Outside(_), _, PayoutStep::Paid(_)) => Ok(()),
        (To::Account(_), ..) => Err(Flaw::TooEarly("its credit is not booked")),
        (To::Outside(_), ..) => Err(Flaw::TooEarly("its payout is not known to be done")),
    }
}

/// Checks that the money of a transfer can't have been moved, nor ever will be.
fn may_release(transfer: &Transfer) -> Result<(), Flaw> {
    match (transfer.to, transfer.credit, transfer.payout) {
        (To::Account(_), CreditStep::Declined(_) | CreditStep::RuledOut { .. }, _) => Ok(()),
        (To::Account(_), ..) => Err(Flaw::TooEarly("its credit is neither declined nor ruled out")),
        (To::Outside(_), _, PayoutStep::Declined) => Ok(()),
        // One that stalled as restored may have been sent by the original.
        (To::Outside(_), _, PayoutStep::None) if transfer.stop.is_some() && !transfer.restored => Ok(()),
        (To::Outside(_), ..) => Err(Flaw::TooEarly("its payout is not known to be declined")),
    }
}

/// Lets a step take effect on the transfer.
fn note(transfer: &mut Transfer, taken: StepTaken) {
    match taken {
        StepTaken::Held(_) => transfer.hold = HoldStep::Open,
        StepTaken::HoldDeclined(_, code) => {
            let is_out = matches!(transfer.hold, HoldStep::RuledOut { .. });
            transfer.hold = if is_out { HoldStep::RuledOut { came: true } } else { HoldStep::Declined(code) };
        }
        StepTaken::HoldRuledOut => transfer.hold = HoldStep::RuledOut { came: false },
        StepTaken::Credited(_) => transfer.credit = CreditStep::Booked,
        StepTaken::CreditDeclined(_, code) => {
            let is_out = matches!(transfer.credit, CreditStep::RuledOut { .. });
            let ruled_out = CreditStep::RuledOut { came: true };
            transfer.credit = if is_out { ruled_out } else { CreditStep::Declined(code) };
        }
        StepTaken::CreditRuledOut { .. } => transfer.credit = CreditStep::RuledOut { came: false },
        StepTaken::Captured(_) => transfer.hold = HoldStep::Captured,
        StepTaken::CaptureDeclined => {
            transfer.captures_declined = transfer.captures_declined.saturating_add(1);
        }
        StepTaken::Released => transfer.hold = HoldStep::Released,
        StepTaken::ReleaseDeclined => {
            transfer.releases_declined = transfer.releases_declined.saturating_add(1);
        }
    }
}
