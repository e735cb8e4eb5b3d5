//! An event that was found right takes effect on the books here.

use crate::audit::rules::account_before::Status;
use crate::audit::rules::books::Books;
use crate::audit::rules::id_set::{HoldRole, Movement, Role};
use crate::audit::values::code::Code;
use crate::audit::values::correction::CORRECTIONS;
use crate::audit::values::fact::{Asked, Change, Direction, Fact};
use crate::audit::values::finding::Flaw;
use crate::audit::values::hold::{AskedHold, CreditFact, HoldFact};
use crate::audit::values::id::Id;
use crate::audit::values::money;

/// This is the ledger's own account for what transfers have credited and not yet captured.
const TRANSIT: &[u8] = b"@transit";

impl Books {
    /// Gives what a later event that names this one's ID must know.
    pub(super) fn role(&mut self, fact: &Fact, block: &[u8]) -> Result<Role, Flaw> {
        let fit = |amount: i128| u64::try_from(amount).map_err(|_| Flaw::NoSum("the amount"));
        let (direction, amount, counter) = match fact {
            Fact::Moved { direction, amount, counter } => (*direction, *amount, *counter),
            Fact::Hold(fact) => match &**fact {
                HoldFact::Captured(captured) => (Direction::Debit, captured.amount, captured.counter),
                HoldFact::Placed { .. } => return Ok(Role::Hold(HoldRole::Open)),
                HoldFact::Released { .. } | HoldFact::Expired { .. } | HoldFact::Prevented { .. } => {
                    return Ok(Role::Other);
                }
            },
            Fact::Declined { code: Code::Prevented, asked: Asked::Hold(asked), .. }
                if matches!(**asked, AskedHold::Place { .. }) =>
            {
                return Ok(Role::Hold(HoldRole::RuledOut));
            }
            Fact::Opened { .. }
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected { .. }
            | Fact::Credit(_)
            | Fact::Changed(_)
            | Fact::LimitChanged { .. }
            | Fact::Declined { .. } => return Ok(Role::Other),
        };
        let counter = self.internal.number(counter.of(block));
        Ok(Role::Moved(Movement { direction, amount: fit(amount)?, counter }))
    }

    /// Lets an event that is right take effect.
    pub(super) fn book(&mut self, id: Id, fact: &Fact, number: u32, block: &[u8]) -> Result<(), Flaw> {
        let account = self.accounts.get_mut(number as usize).ok_or(Flaw::NotOpened)?;
        let (signed, counter) = match fact {
            Fact::Opened { .. } | Fact::Declined { .. } => return Ok(()),
            Fact::Prevented { reverses } => {
                if let Id::Client(by) = id {
                    self.prevented.insert((number, *reverses), by);
                }
                return Ok(());
            }
            Fact::Changed(change) => {
                account.status = match change {
                    Change::Freeze => Status::Frozen,
                    Change::Unfreeze => Status::Open,
                    Change::Close => Status::Closed,
                };
                return Ok(());
            }
            Fact::LimitChanged { limit } => {
                account.limit = *limit;
                return Ok(());
            }
            Fact::Moved { direction, amount, counter } => (direction.signed(*amount), counter.of(block)),
            Fact::Reversed { reverses, amount, signed, counter, .. } => {
                let reversed = self.reversed.entry((number, *reverses)).or_default();
                *reversed = reversed.checked_add(*amount).ok_or(Flaw::NoSum("the sum reversed"))?;
                (*signed, counter.of(block))
            }
            Fact::Corrected { signed, .. } => (*signed, CORRECTIONS),
            Fact::Hold(fact) => match self.book_hold(id, fact, number)? {
                Some((signed, counter)) => (signed, counter.of(block)),
                None => return Ok(()),
            },
            Fact::Credit(fact) => match **fact {
                CreditFact::Booked { amount, .. } => (amount, TRANSIT),
                CreditFact::RuledOut { .. } => return Ok(()),
            },
        };
        self.move_money(number, signed, counter)
    }

    /// Books money on the account, and the other side on one of the ledger's own.
    fn move_money(&mut self, number: u32, signed: i128, counter: &[u8]) -> Result<(), Flaw> {
        let account = self.accounts.get_mut(number as usize).ok_or(Flaw::NotOpened)?;
        account.balance = account.balance.checked_add(signed).ok_or(Flaw::NoSum("the balance"))?;
        let currency = account.currency;
        self.internal.give(counter, currency, signed)?;
        if counter != TRANSIT {
            return Ok(());
        }
        let is = self.internal.balance(counter, currency);
        match self.transfers.transit(currency) {
            Some(credited) if credited.checked_add(is) != Some(0) => {
                let show = |units| money::show(units, currency);
                Err(Flaw::Transit {
                    currency: currency.to_string(),
                    is: show(is),
                    expected: show(credited.saturating_neg()),
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}
