//! The books of holds: what is held on an account, what became of each hold, and whether an event on one says so.

use crate::audit::rules::account_before::Judgement;
use crate::audit::rules::books::Books;
use crate::audit::rules::id_set::{HoldRole, KnownId, Role};
use crate::audit::rules::judge_holds::{HoldRequest, HoldTarget};
use crate::audit::rules::open_holds::OpenHolds;
use crate::audit::rules::transfer::HoldStep;
use crate::audit::values::code::Code;
use crate::audit::values::event::{AccountBody, Event};
use crate::audit::values::fact::Fact;
use crate::audit::values::finding::Flaw;
use crate::audit::values::hold::{Captured, HoldFact, Placed};
use crate::audit::values::id::{Id, OwnId, Step};
use crate::audit::values::moment::Moment;
use crate::audit::values::money;
use crate::audit::values::span::Span;

/// Checks an event of an account that has open holds against their times: what is due is booked before anything else, and
/// nothing before it is due.
///
/// # Errors
/// Fails when an expiry is missing before the event, or the event is an expiry that is not the next one due.
pub(super) fn in_time(holds: &OpenHolds, event: &Event, body: &AccountBody) -> Result<(), Flaw> {
    let Some(next) = holds.next_expiry() else { return Ok(()) };
    let show = |moment: &Moment| String::from_utf8_lossy(moment).into_owned();
    let expired = match &body.fact {
        Fact::Hold(fact) => match **fact {
            HoldFact::Expired { hold, .. } => Some(hold),
            HoldFact::Placed { .. }
            | HoldFact::Captured(_)
            | HoldFact::Released { .. }
            | HoldFact::Prevented { .. } => None,
        },
        Fact::Opened { .. }
        | Fact::Moved { .. }
        | Fact::Reversed { .. }
        | Fact::Prevented { .. }
        | Fact::Corrected { .. }
        | Fact::Credit(_)
        | Fact::Changed(_)
        | Fact::LimitChanged { .. }
        | Fact::Declined { .. } => None,
    };
    match expired.map(|hold| holds.expiry(hold)) {
        None if event.recorded_at >= next => Err(Flaw::PastExpiry(show(&next))),
        // One that is not open is found by its own check.
        None | Some(None) => Ok(()),
        Some(Some(at)) if event.recorded_at < at => Err(Flaw::EarlyExpiry(show(&at))),
        Some(Some(at)) if at > next => Err(Flaw::ExpiryOrder),
        Some(Some(_)) => Ok(()),
    }
}

impl Books {
    /// Gives what the judge is to be asked about; `None` of an expiry, which nothing but time and the hold decides.
    pub(super) fn hold_request(
        &self,
        event: &Event,
        number: u32,
        fact: &HoldFact,
    ) -> Result<Option<HoldRequest>, Flaw> {
        Ok(Some(match fact {
            HoldFact::Placed { amount, placed: Placed::Until { .. } } => HoldRequest::Place(*amount),
            HoldFact::Placed { amount, placed: Placed::For(_) } => HoldRequest::PlaceForTransfer(*amount),
            HoldFact::Captured(Captured { hold, amount, partial, side, .. }) => {
                let asked = (*partial || side.is_some()).then_some(*amount);
                HoldRequest::Capture(self.hold_target(event, number, *hold), asked)
            }
            HoldFact::Released { hold, .. } | HoldFact::Prevented { hold } => {
                HoldRequest::Release(self.hold_target(event, number, *hold))
            }
            HoldFact::Expired { hold, .. } => {
                self.open_amount(number, *hold).ok_or(Flaw::HoldNotOpen)?;
                return Ok(None);
            }
        }))
    }

    fn open_amount(&self, number: u32, hold: Id) -> Option<i128> {
        self.accounts.get(number as usize)?.holds.as_ref()?.amount(hold)
    }

    /// Finds the hold that a request on this account names.
    pub(super) fn hold_target(&self, event: &Event, number: u32, hold: Id) -> HoldTarget {
        if let Some(amount) = self.open_amount(number, hold) {
            return HoldTarget::Open(amount);
        }
        match hold {
            Id::Client(id) => {
                // The event's own ID is in the list by now; before it, it was not.
                match self.ids.get(id, number).filter(|_| hold != event.id) {
                    Some(KnownId { role: Role::Hold(HoldRole::Expired), .. }) => HoldTarget::Expired,
                    Some(KnownId { role: Role::Hold(HoldRole::RuledOut), .. }) => HoldTarget::RuledOut,
                    Some(KnownId { role: Role::Hold(HoldRole::Open | HoldRole::Settled), .. }) => {
                        HoldTarget::Settled
                    }
                    Some(KnownId { role: Role::Moved(_) | Role::Other, .. }) => HoldTarget::Other,
                    None if self.prevented.contains_key(&(number, id)) => HoldTarget::RuledOut,
                    None => HoldTarget::Unseen,
                }
            }
            Id::Own(OwnId { of, .. }) => match self.transfers.get(of).map(|transfer| transfer.hold) {
                Some(HoldStep::Captured | HoldStep::Released) => HoldTarget::Settled,
                Some(HoldStep::RuledOut { .. } | HoldStep::Declined(Code::Prevented)) => HoldTarget::RuledOut,
                Some(HoldStep::Declined(_)) => HoldTarget::Other,
                Some(HoldStep::Unasked | HoldStep::Open) | None => HoldTarget::Unseen,
            },
            Id::Absent => HoldTarget::Unseen,
        }
    }

    /// Says whether this ID was ruled out on the account before it comes.
    pub(super) fn is_prevented(&self, id: Id, number: u32) -> bool {
        match id {
            Id::Client(id) => !self.prevented.is_empty() && self.prevented.contains_key(&(number, id)),
            Id::Own(OwnId { of, step: step @ (Step::Hold | Step::Credit), .. }) => {
                let by_step = self.transfers.get(of).is_some_and(|transfer| transfer.is_ruled_out(step));
                by_step || self.prevented.contains_key(&(number, of))
            }
            Id::Own(_) | Id::Absent => false,
        }
    }

    /// Says whether it is this prevention that rules out this ID on the account.
    pub(super) fn prevents(&self, by: Id, id: Id, number: u32) -> bool {
        let (named, ruled_out_by) = match id {
            Id::Client(id) => (id, None),
            Id::Own(OwnId { of, step, .. }) => {
                let by = if step == Step::Hold { Step::Release } else { Step::RuleOut };
                let is_out = self.transfers.get(of).is_some_and(|transfer| transfer.is_ruled_out(step));
                (of, is_out.then_some((of, by)))
            }
            Id::Absent => return false,
        };
        match by {
            Id::Client(by) => self.prevented.get(&(number, named)) == Some(&by),
            Id::Own(own) => ruled_out_by == Some((own.of, own.step)),
            Id::Absent => false,
        }
    }

    /// Checks that an event on a hold says what the rules say.
    pub(super) fn agree_hold(
        &self,
        body: &AccountBody,
        number: u32,
        fact: &HoldFact,
        judgement: Judgement,
    ) -> Result<(), Flaw> {
        let held = |hold: Id| self.open_amount(number, hold).unwrap_or_default();
        let amounts = |hold: Id, taken: i128| {
            let held = held(hold);
            let show = |units: i128| money::show(units, body.currency);
            let flaw = || Flaw::HoldAmount { says: show(taken), held: show(held) };
            if taken == held { Ok(()) } else { Err(flaw()) }
        };
        match (fact, judgement) {
            (HoldFact::Placed { .. }, Judgement::Accepted(_))
            | (HoldFact::Prevented { .. }, Judgement::Prevention) => Ok(()),
            (HoldFact::Captured(Captured { hold, amount, released, .. }), Judgement::Accepted(_)) => {
                amounts(*hold, amount.saturating_add(*released))
            }
            (
                HoldFact::Released { hold, amount } | HoldFact::Expired { hold, amount },
                Judgement::Accepted(_),
            ) => amounts(*hold, *amount),
            (_, judgement) => Err(Flaw::Outcome { says: body.fact.outcome(), ruled: judgement.to_string() }),
        }
    }

    /// Lets an event on a hold take effect. Gives what it moves of the account's money, and the account on the other side.
    pub(super) fn book_hold(
        &mut self,
        id: Id,
        fact: &HoldFact,
        number: u32,
    ) -> Result<Option<(i128, Span)>, Flaw> {
        let account = self.accounts.get_mut(number as usize).ok_or(Flaw::NotOpened)?;
        let holds = account.holds.get_or_insert_default();
        let settled = match fact {
            HoldFact::Placed { amount, placed } => {
                let until = match placed {
                    Placed::Until { at, .. } => Some(*at),
                    Placed::For(_) => None,
                };
                holds.place(id, *amount, until)?;
                None
            }
            HoldFact::Captured(Captured { hold, .. }) | HoldFact::Released { hold, .. } => {
                Some((*hold, HoldRole::Settled))
            }
            HoldFact::Expired { hold, .. } => Some((*hold, HoldRole::Expired)),
            HoldFact::Prevented { hold } => {
                if let (Id::Client(hold), Id::Client(by)) = (*hold, id) {
                    self.prevented.insert((number, hold), by);
                }
                None
            }
        };
        if let Some((hold, role)) = settled {
            holds.settle(hold)?;
            if let Id::Client(hold) = hold {
                self.ids.settle(hold, number, role);
            }
        }
        if holds.is_empty() {
            account.holds = None;
        }
        Ok(match fact {
            HoldFact::Captured(captured) => Some((captured.amount.saturating_neg(), captured.counter)),
            HoldFact::Placed { .. }
            | HoldFact::Released { .. }
            | HoldFact::Expired { .. }
            | HoldFact::Prevented { .. } => None,
        })
    }
}
