//! [`Transfers`] are all transfers of a journal, found by their IDs.
//!
//! Each event of a transfer's own stream is taken here, and checked against the events before it in the journal, whichever
//! stream these are in.

use std::collections::BTreeMap;

use crate::audit::rules::id_history;
use crate::audit::rules::id_slots::IdSlots;
use crate::audit::rules::transfer::{CreditStep, HoldStep, PayoutStep, Stop, To, Transfer};
use crate::audit::rules::transfer_acts::{self, amount_paid};
use crate::audit::rules::transfer_table;
use crate::audit::values::currency::Currency;
use crate::audit::values::event::{Event, TransferBody};
use crate::audit::values::finding::Flaw;
use crate::audit::values::moment::micros;
use crate::audit::values::transfer::{Paid, State, TransferFact};

/// The numbers of transfers' streams have this bit, so that they are none of an account.
pub(crate) const STREAM: u32 = 1 << 31;

/// Transfers stand in a list in the order of their requests.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    ids: Vec<u128>,
    slots: IdSlots,
    list: Vec<Transfer>,
    /// This is what was credited and not yet captured.
    in_transit: BTreeMap<Currency, i128>,
    /// This says that events may be missing or could not be read, so that those of transfers can't be held against each other.
    in_doubt: bool,
    /// This says that at least one transfer is in doubt.
    has_doubtful: bool,
}

/// A request names two sides; each is there where it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sides {
    /// This is the account that the money goes out of, with its currency.
    pub(crate) from: Option<(u32, Currency)>,
    /// This is where it goes, with the currency where it is an account.
    pub(crate) to: Option<(To, Option<Currency>)>,
}

impl Transfers {
    /// Lists the transfers with their IDs, in the order of their requests.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u128, &Transfer)> {
        self.ids.iter().copied().zip(&self.list)
    }

    /// Says whether there are none.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Finds the place of a transfer in the list.
    pub(super) fn place(&self, id: u128) -> Option<usize> {
        if self.ids.is_empty() {
            return None;
        }
        self.slots.find(&self.ids, id).err()
    }

    /// Finds a transfer.
    #[must_use]
    pub(super) fn get(&self, id: u128) -> Option<&Transfer> {
        self.list.get(self.place(id)?)
    }

    /// Finds a transfer, to note what became of a step. The second part says whether the step can be held against it.
    ///
    /// # Errors
    /// Fails when no such transfer was requested. Where that can't be told there is none.
    pub(super) fn of_step(&mut self, id: u128) -> Result<Option<(&mut Transfer, bool)>, Flaw> {
        let in_doubt = self.in_doubt;
        match self.place(id).and_then(|place| self.list.get_mut(place)) {
            Some(transfer) => {
                let is_sure = !in_doubt && !transfer.in_doubt;
                Ok(Some((transfer, is_sure)))
            }
            None if in_doubt => Ok(None),
            None => Err(Flaw::NoTransfer(uuid::Uuid::from_u128(id))),
        }
    }

    /// Gives the number of a transfer's stream. Before its request it is the number that it will get.
    #[must_use]
    pub(super) fn stream_number(&self, id: u128) -> u32 {
        let place = self.place(id).unwrap_or(self.ids.len());
        STREAM | u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Names the streams, with their numbers.
    pub(super) fn stream_names(&self) -> impl Iterator<Item = (u32, String)> {
        let number = |place: usize| STREAM | u32::try_from(place).unwrap_or(u32::MAX);
        let name = |id: &u128| format!("transfer-{}", uuid::Uuid::from_u128(*id).hyphenated());
        self.ids.iter().enumerate().map(move |(place, id)| (number(place), name(id)))
    }

    /// Notes that events may be missing: from here on those of transfers are not held against each other.
    pub(super) fn doubt_all(&mut self) {
        self.in_doubt = true;
    }

    /// Notes that an event of this transfer was found wrong or not looked at.
    pub(super) fn doubt(&mut self, id: u128) {
        match self.place(id).and_then(|place| self.list.get_mut(place)) {
            Some(transfer) => (transfer.in_doubt, self.has_doubtful) = (true, true),
            None => self.in_doubt = true,
        }
    }

    /// Adds to what was credited and not yet captured.
    pub(super) fn move_transit(&mut self, currency: Currency, signed: i128) {
        let sum = self.in_transit.entry(currency).or_default();
        *sum = sum.saturating_add(signed);
    }

    /// Gives what was credited and not yet captured; `None` where that can't be told.
    #[must_use]
    pub(super) fn transit(&self, currency: Currency) -> Option<i128> {
        let is_sure = !self.in_doubt && !self.has_doubtful;
        is_sure.then(|| self.in_transit.get(&currency).copied().unwrap_or_default())
    }

    /// Takes the next event of a transfer's own stream.
    ///
    /// # Errors
    /// Fails with what is wrong with it, after the events before.
    pub(super) fn take(
        &mut self,
        event: &Event,
        body: &TransferBody,
        sides: Sides,
        block: &[u8],
    ) -> Result<(), Flaw> {
        match body.fact {
            TransferFact::Requested { amount, currency, deadline, .. } => {
                let deadline = micros(&deadline).ok_or(Flaw::NoMoment("deadline_at"))?;
                self.request(event, body.transfer, sides, (amount, currency, deadline))?;
            }
            TransferFact::CancelRequested
            | TransferFact::TimedOut
            | TransferFact::PayoutSent { .. }
            | TransferFact::PayoutSettled(_)
            | TransferFact::PayoutContradicted(_)
            | TransferFact::Stalled { .. }
            | TransferFact::Resumed
            | TransferFact::Abandoned
            | TransferFact::Completed { .. }
            | TransferFact::NotHeld(_)
            | TransferFact::Compensated(_)
            | TransferFact::Cancelled
            | TransferFact::Refused { .. } => self.go_on(event, body, sides, block)?,
        }
        let Some(transfer) = self.place(body.transfer).and_then(|place| self.list.get_mut(place)) else {
            return Ok(());
        };
        transfer.id_history = id_history::after_transfers(&transfer.id_history, event.id, &body.fact);
        if body.state != transfer.state && !transfer.in_doubt && !self.in_doubt {
            return Err(Flaw::AnswerState { says: body.state.text(), is: transfer.state.text() });
        }
        Ok(())
    }

    fn request(
        &mut self,
        event: &Event,
        id: u128,
        sides: Sides,
        (amount, currency, deadline): (i128, Currency, i64),
    ) -> Result<(), Flaw> {
        if self.place(id).is_some() {
            return Err(Flaw::RequestedTwice);
        }
        if event.revision != 0 {
            return Err(Flaw::Revision { says: event.revision, expected: 0 });
        }
        let (Some((from, of_from)), Some((to, of_to))) = (sides.from, sides.to) else {
            return Err(Flaw::NotOpened);
        };
        if let Some(other) = [Some(of_from), of_to].into_iter().flatten().find(|other| *other != currency) {
            return Err(Flaw::OtherCurrency(other.to_string()));
        }
        self.slots.keep_room(&self.ids);
        let free = self.slots.find(&self.ids, id).map_err(|_| Flaw::RequestedTwice)?;
        self.slots.fill(free, self.ids.len());
        self.ids.push(id);
        self.list.push(Transfer {
            from,
            to,
            amount: u64::try_from(amount).map_err(|_| Flaw::NoSum("the amount"))?,
            currency,
            deadline,
            revision: 0,
            state: State::UnderWay,
            before: State::UnderWay,
            hold: HoldStep::Unasked,
            credit: CreditStep::Unasked,
            payout: PayoutStep::None,
            stop: None,
            captures_declined: 0,
            releases_declined: 0,
            stalls: 0,
            contradictions: 0,
            restored: false,
            ended: false,
            in_doubt: false,
            id_history: [0; 32],
        });
        Ok(())
    }

    /// Takes an event behind the request.
    fn go_on(&mut self, event: &Event, body: &TransferBody, sides: Sides, block: &[u8]) -> Result<(), Flaw> {
        let Some((transfer, is_sure)) = self.of_step(body.transfer)? else { return Ok(()) };
        let expected = transfer.revision.saturating_add(1);
        if event.revision != expected {
            return Err(Flaw::Revision { says: event.revision, expected });
        }
        transfer.revision = expected;
        if is_sure {
            let after = transfer_table::after(transfer.state, transfer.before, &body.fact);
            let no_such = || Flaw::NoSuchEvent { state: transfer.state.text(), event: body.fact.type_name() };
            let may_come = after.is_some() && (!transfer.ended || may_follow_the_end(&body.fact));
            if !may_come {
                return Err(no_such());
            }
            transfer_acts::check(transfer, &body.fact, (event, sides.to.map(|(to, _)| to)), block)?;
        }
        follow(transfer, &body.fact, body.state, block);
        Ok(())
    }
}

/// Says whether such an event may come behind the end of a transfer: what became of a payout may be told otherwise, and an
/// operator may leave that as it is.
fn may_follow_the_end(fact: &TransferFact) -> bool {
    match fact {
        TransferFact::Refused { .. } | TransferFact::PayoutContradicted(_) | TransferFact::Abandoned => true,
        TransferFact::Requested { .. }
        | TransferFact::CancelRequested
        | TransferFact::TimedOut
        | TransferFact::PayoutSent { .. }
        | TransferFact::PayoutSettled(_)
        | TransferFact::Stalled { .. }
        | TransferFact::Resumed
        | TransferFact::Completed { .. }
        | TransferFact::NotHeld(_)
        | TransferFact::Compensated(_)
        | TransferFact::Cancelled => false,
    }
}

/// Lets an event take effect. Where nothing is sure, the state is what the event says.
fn follow(transfer: &mut Transfer, fact: &TransferFact, says: State, block: &[u8]) {
    let before = transfer.state;
    transfer.state = transfer_table::after(before, transfer.before, fact).unwrap_or(says);
    match fact {
        TransferFact::CancelRequested => transfer.stop = Some(Stop::Cancelled),
        TransferFact::TimedOut => transfer.stop = Some(Stop::TimedOut),
        TransferFact::PayoutSent { cancellable, .. } => {
            transfer.payout = PayoutStep::Sent { cancellable: *cancellable };
        }
        TransferFact::PayoutSettled(paid) => transfer.payout = settled(transfer, paid, block),
        TransferFact::PayoutContradicted(_) => {
            transfer.contradictions = transfer.contradictions.saturating_add(1);
            goes_back_to(transfer, before);
        }
        TransferFact::Stalled { restored } => {
            transfer.stalls = transfer.stalls.saturating_add(1);
            transfer.restored |= restored;
            goes_back_to(transfer, before);
        }
        TransferFact::Completed { .. }
        | TransferFact::NotHeld(_)
        | TransferFact::Compensated(_)
        | TransferFact::Cancelled => transfer.ended = true,
        TransferFact::Requested { .. }
        | TransferFact::Resumed
        | TransferFact::Abandoned
        | TransferFact::Refused { .. } => {}
    }
}

/// Notes the state that a transfer goes back to when an operator lets it go on.
fn goes_back_to(transfer: &mut Transfer, before: State) {
    if transfer_table::is_driven(before) {
        transfer.before = before;
    }
}

fn settled(transfer: &Transfer, paid: &Paid, block: &[u8]) -> PayoutStep {
    match (paid.done, amount_paid(transfer, paid, block)) {
        (true, Ok(amount)) => PayoutStep::Paid(amount),
        (true, Err(_)) => PayoutStep::Paid(transfer.amount),
        (false, _) => PayoutStep::Declined,
    }
}
