//! The books are asked here what must become of a request, and an event is compared with that.

use crate::audit::rules::account_before::Judgement;
use crate::audit::rules::books::Books;
use crate::audit::rules::books_holds::in_time;
use crate::audit::rules::id_set::{KnownId, Role};
use crate::audit::rules::judge::{self, Target};
use crate::audit::rules::judge_holds::HoldRequest;
use crate::audit::values::code::Code;
use crate::audit::values::correction::Correction;
use crate::audit::values::event::{AccountBody, Event};
use crate::audit::values::fact::{Asked, Fact};
use crate::audit::values::finding::Flaw;
use crate::audit::values::hold::{AskedHold, CreditFact};
use crate::audit::values::id::Id;
use crate::audit::values::money;

impl Books {
    /// Says what must become of the request that the event tells of.
    pub(super) fn judge(
        &mut self,
        event: &Event,
        body: &AccountBody,
        number: u32,
        block: &[u8],
    ) -> Result<Judgement, Flaw> {
        let prevented = self.is_prevented(event.id, number);
        let account = self.accounts.get_mut(number as usize).ok_or(Flaw::NotOpened)?;
        let expected = account.revision.saturating_add(1);
        if event.revision != expected {
            return Err(Flaw::Revision { says: event.revision, expected });
        }
        if body.currency != account.currency {
            return Err(Flaw::OtherCurrency(account.currency.to_string()));
        }
        account.revision = event.revision;
        if let Some(holds) = &account.holds {
            in_time(holds, event, body)?;
        }
        let before = account.before(prevented);
        let request = match &body.fact {
            Fact::Opened { .. } => return Err(Flaw::OpenedTwice),
            Fact::Moved { direction, amount, .. } => judge::Request::Move(*direction, *amount),
            Fact::Reversed { reverses, amount, partial, force, .. } => {
                let asked = partial.then_some(*amount);
                judge::Request::Reverse {
                    target: self.target(event, number, *reverses),
                    amount: asked,
                    force: *force,
                }
            }
            Fact::Prevented { reverses } => judge::Request::Reverse {
                target: self.target(event, number, *reverses),
                amount: None,
                force: false,
            },
            Fact::Corrected { asked, .. } => self.correction(event, **asked, block),
            Fact::Hold(fact) => match self.hold_request(event, number, fact)? {
                Some(request) => judge::Request::Hold(request),
                None => return Ok(Judgement::Accepted(0)),
            },
            Fact::Credit(fact) => match **fact {
                CreditFact::Booked { amount, .. } => judge::Request::Hold(HoldRequest::Credit(amount)),
                // It passes everything: whether it may come is the transfer's matter.
                CreditFact::RuledOut { .. } => return Ok(Judgement::Accepted(0)),
            },
            Fact::Changed(change) => judge::Request::Change(*change),
            Fact::LimitChanged { .. } => judge::Request::Limit,
            Fact::Declined { asked, .. } => match asked {
                Asked::Move { direction, amount } => judge::Request::Move(*direction, *amount),
                Asked::Reversal { reverses, amount, force } => judge::Request::Reverse {
                    target: self.target(event, number, *reverses),
                    amount: *amount,
                    force: *force,
                },
                Asked::Correction(asked) => self.correction(event, **asked, block),
                Asked::Hold(asked) => judge::Request::Hold(match **asked {
                    AskedHold::Place { amount } => HoldRequest::Place(amount),
                    AskedHold::TransferHold { amount, .. } => HoldRequest::PlaceForTransfer(amount),
                    AskedHold::TransferCredit { amount, .. } => HoldRequest::Credit(amount),
                    AskedHold::Capture { hold, amount } => {
                        HoldRequest::Capture(self.hold_target(event, number, hold), amount)
                    }
                    AskedHold::Release { hold } => {
                        HoldRequest::Release(self.hold_target(event, number, hold))
                    }
                }),
                Asked::Change(change) => judge::Request::Change(*change),
                Asked::Limit => judge::Request::Limit,
            },
        };
        Ok(judge::judge(&before, request))
    }

    /// Finds what the judge must know of a correction.
    fn correction(&self, event: &Event, asked: Correction, block: &[u8]) -> judge::Request {
        // The event's own ID is in the list by now; before it, it was not.
        let mut corrects = asked.corrects(block);
        let was_booked = |id: u128| self.lacks_ids || self.ids.has(id);
        let follows = |expected: u64| expected.checked_add(1) == Some(event.revision);
        judge::Request::Correct {
            wanted: asked.wanted,
            is_as_expected: asked.expected_revision.is_none_or(follows),
            were_booked: corrects.all(|id| Id::Client(id) != event.id && was_booked(id)),
            force: asked.force,
        }
    }

    /// Finds what a reversal on this account that names this ID is to reverse.
    fn target(&self, event: &Event, account: u32, id: u128) -> Target {
        let ruled_out = self.prevented.contains_key(&(account, id));
        // The event's own ID is in the list by now; before it, it was not.
        let own = event.id == Id::Client(id);
        match self.ids.get(id, account).filter(|_| !own) {
            None if self.transfers.get(id).is_some_and(|transfer| transfer.was_seen_on(account)) => {
                Target::Other
            }
            None if ruled_out => Target::RuledOut,
            None => Target::Unseen,
            Some(KnownId { role: Role::Moved(moved), .. }) => Target::Moved {
                direction: moved.direction,
                amount: moved.amount.into(),
                reversed: self.reversed.get(&(account, id)).copied().unwrap_or_default(),
            },
            Some(KnownId { role: Role::Hold(_) | Role::Other, .. }) => Target::Other,
        }
    }

    /// Says whether a reversal is declined with the code that it had before, where the client had ruled out a transfer here
    /// and a step of that transfer had come. What was answered so stays right.
    fn was_once_ruled(&self, code: Code, asked: &Asked, account: u32) -> bool {
        match asked {
            Asked::Reversal { reverses, amount: None, .. } => {
                code == Code::ReversalExceedsOriginal
                    && self.prevented.contains_key(&(account, *reverses))
                    && self.ids.get(*reverses, account).is_none()
            }
            Asked::Reversal { amount: Some(_), .. }
            | Asked::Move { .. }
            | Asked::Correction(_)
            | Asked::Hold(_)
            | Asked::Change(_)
            | Asked::Limit => false,
        }
    }

    /// Checks that the event says what the rules say.
    pub(super) fn agree(
        &self,
        event: &Event,
        body: &AccountBody,
        block: &[u8],
        account: u32,
        judgement: Judgement,
    ) -> Result<(), Flaw> {
        match (&body.fact, judgement) {
            (_, Judgement::Unrecorded(why)) => Err(Flaw::Unrecorded(why)),
            (Fact::Declined { code, prevented_by, .. }, Judgement::Declined(ruled)) if *code == ruled => {
                match prevented_by {
                    Some(by) if !self.prevents(**by, event.id, account) => Err(Flaw::PreventedBy),
                    Some(_) | None => Ok(()),
                }
            }
            (Fact::Declined { code, asked, .. }, Judgement::Declined(ruled))
                if self.was_once_ruled(*code, asked, account) && ruled == Code::NotReversible =>
            {
                Ok(())
            }
            (Fact::Reversed { reverses, amount, signed, counter, .. }, Judgement::Accepted(ruled)) => {
                if *amount != ruled.abs() {
                    let show = |units: i128| money::show(units, body.currency);
                    return Err(Flaw::Left { says: show(*amount), left: show(ruled.abs()) });
                }
                let other = match self.ids.get(*reverses, account).map(|known| known.role) {
                    Some(Role::Moved(moved)) => Some(moved.counter),
                    Some(Role::Hold(_) | Role::Other) | None => None,
                };
                let same = other.is_some() && self.internal.known(counter.of(block)) == other;
                if *signed == ruled && same { Ok(()) } else { Err(Flaw::NotOffsetting) }
            }
            (Fact::Corrected { signed, .. }, Judgement::Accepted(ruled)) if *signed != ruled => {
                let show = |units: i128| money::show(units, body.currency);
                Err(Flaw::Corrected { says: show(*signed), needs: show(ruled) })
            }
            (Fact::Corrected { .. }, Judgement::Accepted(_)) => Ok(()),
            (Fact::Hold(fact), judgement) => self.agree_hold(body, account, fact, judgement),
            (Fact::Prevented { .. }, Judgement::Prevention)
            | (
                Fact::Moved { .. } | Fact::Credit(_) | Fact::Changed(_) | Fact::LimitChanged { .. },
                Judgement::Accepted(_),
            ) => Ok(()),
            (fact, judgement) => Err(Flaw::Outcome { says: fact.outcome(), ruled: judgement.to_string() }),
        }
    }
}
