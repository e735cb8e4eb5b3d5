//! What an event on an account says of a transfer is handed over to the transfer here.

use crate::audit::rules::books::Books;
use crate::audit::rules::transfer::To;
use crate::audit::rules::transfer_steps::{On, StepTaken, Told};
use crate::audit::values::event::{AccountBody, Event};
use crate::audit::values::fact::{Asked, Fact};
use crate::audit::values::finding::Flaw;
use crate::audit::values::hold::{AskedHold, CreditFact, HoldFact, Placed, Side};
use crate::audit::values::id::{Id, OwnId, Step};

impl Books {
    /// Takes the part of a transfer in an event on this account, where it has one. Says whether the event can be judged: not
    /// where its transfer's request could not be read.
    ///
    /// # Errors
    /// Fails when the step is none that its transfer may have now, or there is no such transfer.
    #[inline]
    pub(super) fn step(
        &mut self,
        event: &Event,
        body: &AccountBody,
        account: u32,
        block: &[u8],
    ) -> Result<bool, Flaw> {
        match event.id {
            Id::Own(own) if own.step != Step::Expiry => self.own_step(own, body, account, block),
            Id::Own(_) | Id::Client(_) | Id::Absent => Ok(true),
        }
    }

    fn own_step(&mut self, own: OwnId, body: &AccountBody, account: u32, block: &[u8]) -> Result<bool, Flaw> {
        let told = |amount: i128, side: &Side| Told { amount, other: self.side(side, block) };
        let taken = match &body.fact {
            Fact::Hold(fact) => match &**fact {
                HoldFact::Placed { amount, placed: Placed::For(side) } => {
                    StepTaken::Held(told(*amount, side))
                }
                HoldFact::Captured(captured) => match &captured.side {
                    Some(side) => StepTaken::Captured(told(captured.amount, side)),
                    None => return Err(Flaw::OtherId),
                },
                HoldFact::Released { .. } => StepTaken::Released,
                HoldFact::Prevented { .. } => StepTaken::HoldRuledOut,
                HoldFact::Placed { .. } | HoldFact::Expired { .. } => return Err(Flaw::OtherId),
            },
            Fact::Credit(fact) => match &**fact {
                CreditFact::Booked { amount, side } => StepTaken::Credited(told(*amount, side)),
                CreditFact::RuledOut { timed_out, .. } => StepTaken::CreditRuledOut { timed_out: *timed_out },
            },
            Fact::Declined { code, asked: Asked::Hold(asked), .. } => match &**asked {
                AskedHold::TransferHold { amount, side } => {
                    StepTaken::HoldDeclined(told(*amount, side), *code)
                }
                AskedHold::TransferCredit { amount, side } => {
                    StepTaken::CreditDeclined(told(*amount, side), *code)
                }
                AskedHold::Capture { .. } => StepTaken::CaptureDeclined,
                AskedHold::Release { .. } => StepTaken::ReleaseDeclined,
                AskedHold::Place { .. } => return Err(Flaw::OtherId),
            },
            Fact::Opened { .. }
            | Fact::Moved { .. }
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected { .. }
            | Fact::Changed(_)
            | Fact::LimitChanged { .. }
            | Fact::Declined { .. } => return Err(Flaw::OtherId),
        };
        let on = On { account, currency: body.currency, attempt: own.attempt };
        self.transfers.step(own.of, on, taken)
    }

    /// Finds the other side that a step names.
    fn side(&self, side: &Side, block: &[u8]) -> Option<To> {
        match side.other.of(block) {
            outside if outside.starts_with(b"@") => self.internal.known(outside).map(To::Outside),
            name => self.names.get(name).copied().map(To::Account),
        }
    }
}
