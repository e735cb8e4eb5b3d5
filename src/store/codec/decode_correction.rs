//! The parts of a correction are read here: of one that was booked, and of one that was declined.

use crate::domain::account::corrected::{AskedChange, Corrected};
use crate::domain::account::event::Fact;
use crate::domain::command::{BalanceChange, Correction};
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::money::{Direction, Money};
use crate::domain::time::Timestamp;

use super::decode_data::Reader;
use super::error::DecodeError;

impl Reader<'_> {
    pub(super) fn corrected(&mut self, account: &AccountName) -> Result<Fact, DecodeError> {
        let amount = self.amount()?;
        let (guarded, counter_account) = self.entries(account)?;
        let direction = [Direction::Credit, Direction::Debit]
            .into_iter()
            .find(|direction| guarded == amount.toward(*direction))
            .filter(|_| counter_account == *CounterAccount::corrections())
            .ok_or(DecodeError::Field("entries"))?;
        Ok(Fact::Corrected(Box::new(Corrected {
            amount,
            direction,
            asked: match self.balance()? {
                Some(balance) => AskedChange::To { balance, expected_revision: self.revision()? },
                None => AskedChange::By {
                    expected_revision: self.data.expected_revision.take(),
                    effective_at_given: std::mem::take(&mut self.data.effective_at_given),
                },
            },
            reason: self.reason()?,
            corrects: self.corrects()?,
            force: self.force(),
        })))
    }

    /// Reads the request of a correction that was declined.
    pub(super) fn correction(&mut self, at: Timestamp) -> Result<Correction, DecodeError> {
        let change = match self.balance()? {
            Some(balance) => {
                BalanceChange::To { balance: balance.into(), expected_revision: self.revision()? }
            }
            None => BalanceChange::By {
                amount: self.amount()?.into(),
                direction: self
                    .data
                    .direction
                    .take()
                    .and_then(Direction::parse)
                    .ok_or(DecodeError::Field("direction"))?,
                expected_revision: self.data.expected_revision.take(),
                effective_at: std::mem::take(&mut self.data.effective_at_given).then_some(at),
            },
        };
        Ok(Correction { change, reason: self.reason()?, corrects: self.corrects()?, force: self.force() })
    }

    fn balance(&mut self) -> Result<Option<Money>, DecodeError> {
        let balance = self.data.balance.take();
        balance.map(|text| self.money(Some(text), "balance")).transpose()
    }

    /// Reads the revision that a request with a balance must name.
    fn revision(&mut self) -> Result<u64, DecodeError> {
        self.data.expected_revision.take().ok_or(DecodeError::Field("expected_revision"))
    }

    fn corrects(&mut self) -> Result<Vec<TransactionId>, DecodeError> {
        let wrong = DecodeError::Field("corrects");
        let Some(texts) = self.data.corrects.take() else { return Ok(Vec::new()) };
        let ids: Option<Vec<_>> = texts.into_iter().map(TransactionId::parse).collect();
        ids.filter(|ids| TransactionId::may_be_corrected(ids)).ok_or(wrong)
    }
}
