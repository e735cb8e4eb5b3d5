//! This decoder reads the events of transfers, in version 1. It is as strict as the one of accounts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, Step};
use crate::domain::metadata::Metadata;
use crate::domain::money::{Amount, Money, WrittenAmount};
use crate::domain::payee::Payee;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::domain::transfer::command::{
    EndCode, Reported, Stall, StallCode, TimeoutSeconds, TransferOperation, Unmoved,
};
use crate::domain::transfer::decline::TransferDecline;
use crate::domain::transfer::event::{Fact, Terms, TransferEvent};
use crate::domain::transfer::payout::{Label, LearntBy, Payout, Repeat, Sending, Settlement};
use crate::domain::transfer::stage::Stage;

use super::error::DecodeError;

/// `Data` has the fields of all types of a transfer's events.
#[derive(Deserialize, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Data<'a> {
    operation: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    amount: Option<&'a str>,
    currency: Option<&'a str>,
    timeout_seconds: Option<u64>,
    deadline_at: Option<&'a str>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    provider: Option<Cow<'a, str>>,
    repeat: Option<&'a str>,
    cancellable: bool,
    #[serde(borrow)]
    claim: Option<Cow<'a, str>>,
    outcome: Option<&'a str>,
    learnt_by: Option<&'a str>,
    #[serde(borrow)]
    reference: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    step: Option<&'a str>,
    metadata: BTreeMap<String, String>,
}

/// An `Answer` is the `answer` of a transfer's event.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer<'a> {
    state: &'a str,
}

/// Reads the body of a transfer's event of version 1, from its `data` and its `answer`.
pub(super) fn body(kind: &str, data: Data<'_>, answer: &Answer<'_>) -> Result<TransferEvent, DecodeError> {
    let state = Stage::parse(answer.state).ok_or(DecodeError::Field("answer"))?;
    let mut reader = Reader { data };
    let fact = reader.fact(kind)?;
    if reader.data == Data::default() { Ok(TransferEvent { fact, state }) } else { Err(DecodeError::Foreign) }
}

/// A `Reader` takes the parts out of `data`, each where its type needs it. What is left at the end belongs to no such
/// event.
struct Reader<'a> {
    data: Data<'a>,
}

impl Reader<'_> {
    fn fact(&mut self, kind: &str) -> Result<Fact, DecodeError> {
        Ok(match kind {
            "TransferRequested" => self.requested()?,
            "TransferCancelRequested" => Fact::CancelRequested(self.reason()?),
            "TransferTimedOut" => Fact::TimedOut,
            "PayoutSent" => Fact::PayoutSent(self.sending()?),
            "PayoutSettled" => Fact::PayoutSettled(self.settlement()?),
            "PayoutContradicted" => Fact::PayoutContradicted(self.settlement()?),
            "TransferStalled" => Fact::Stalled(self.stall()?),
            "TransferResumed" => Fact::Resumed(self.reason()?),
            "TransferAbandoned" => Fact::Abandoned(self.reason()?),
            "TransferCompleted" => {
                let currency = self.currency()?;
                Fact::Completed { amount: self.amount(currency)?, currency }
            }
            "TransferDeclined" => {
                Fact::Unmoved(Unmoved::Declined { step: self.step()?, code: self.end_code()? })
            }
            "TransferCompensated" => {
                Fact::Unmoved(Unmoved::Compensated { step: self.step()?, code: self.end_code()? })
            }
            "TransferCancelled" => Fact::Unmoved(Unmoved::Cancelled),
            "Declined" => self.declined()?,
            other => return Err(DecodeError::Type(other.to_owned())),
        })
    }

    fn requested(&mut self) -> Result<Fact, DecodeError> {
        let currency = self.currency()?;
        let from = self.data.from.take().and_then(AccountName::parse);
        let to = self.data.to.take().and_then(Payee::parse);
        let timeout_seconds = self.data.timeout_seconds.take().and_then(TimeoutSeconds::new);
        let deadline_at = self.data.deadline_at.take().and_then(Timestamp::read);
        let terms = Terms {
            from: from.ok_or(DecodeError::Field("from"))?,
            to: to.ok_or(DecodeError::Field("to"))?,
            amount: self.amount(currency)?,
            currency,
            timeout_seconds: timeout_seconds.ok_or(DecodeError::Field("timeout_seconds"))?,
            deadline_at: deadline_at.ok_or(DecodeError::Field("deadline_at"))?,
        };
        let metadata = Metadata::new(std::mem::take(&mut self.data.metadata));
        let metadata = metadata.map_err(|_| DecodeError::Field("metadata"))?;
        Ok(Fact::Requested { terms: Arc::new(terms), metadata })
    }

    fn sending(&mut self) -> Result<Sending, DecodeError> {
        Ok(Sending {
            provider: label(self.data.provider.take(), "provider")?.ok_or(DecodeError::Field("provider"))?,
            repeat: self.data.repeat.take().and_then(Repeat::parse).ok_or(DecodeError::Field("repeat"))?,
            cancellable: std::mem::take(&mut self.data.cancellable),
            claim: label(self.data.claim.take(), "claim")?.ok_or(DecodeError::Field("claim"))?,
        })
    }

    fn settlement(&mut self) -> Result<Settlement, DecodeError> {
        let learnt_by = self.data.learnt_by.take().and_then(LearntBy::parse);
        Ok(Settlement {
            outcome: self.outcome()?,
            learnt_by: learnt_by.ok_or(DecodeError::Field("learnt_by"))?,
            amount: self.written_amount()?,
            reference: label(self.data.reference.take(), "reference")?,
            code: label(self.data.code.take(), "code")?,
            reason: if self.data.reason.is_some() { Some(self.reason()?) } else { None },
        })
    }

    fn stall(&mut self) -> Result<Stall, DecodeError> {
        let code = self.data.code.take();
        Ok(Stall {
            step: self.step()?.ok_or(DecodeError::Field("step"))?,
            code: code.as_deref().and_then(StallCode::from_code).ok_or(DecodeError::Field("code"))?,
        })
    }

    fn declined(&mut self) -> Result<Fact, DecodeError> {
        let code = self.data.code.take();
        let decline = code.as_deref().and_then(TransferDecline::from_code);
        let operation = match self.data.operation.take().ok_or(DecodeError::Field("operation"))? {
            "cancel" => TransferOperation::Cancel(self.reason()?),
            "retry" => TransferOperation::Retry(self.reason()?),
            "abandon" => TransferOperation::Abandon(self.reason()?),
            "outcome" => TransferOperation::Outcome(Box::new(Reported {
                outcome: self.outcome()?,
                amount: self.written_amount()?,
                reference: label(self.data.reference.take(), "reference")?,
                reason: self.reason()?,
            })),
            _ => return Err(DecodeError::Field("operation")),
        };
        Ok(Fact::Declined { operation, decline: decline.ok_or(DecodeError::Field("code"))? })
    }

    fn outcome(&mut self) -> Result<Payout, DecodeError> {
        self.data.outcome.take().and_then(Payout::parse).ok_or(DecodeError::Field("outcome"))
    }

    fn reason(&mut self) -> Result<Reason, DecodeError> {
        self.data.reason.take().as_deref().and_then(Reason::parse).ok_or(DecodeError::Field("reason"))
    }

    fn step(&mut self) -> Result<Option<Step>, DecodeError> {
        let step = self.data.step.take();
        step.map(|step| Step::parse(step).ok_or(DecodeError::Field("step"))).transpose()
    }

    fn end_code(&mut self) -> Result<EndCode, DecodeError> {
        self.data.code.take().as_deref().and_then(EndCode::parse).ok_or(DecodeError::Field("code"))
    }

    fn currency(&mut self) -> Result<Currency, DecodeError> {
        self.data.currency.take().and_then(Currency::parse).ok_or(DecodeError::Field("currency"))
    }

    fn amount(&mut self, currency: Currency) -> Result<Amount, DecodeError> {
        let amount = self.data.amount.take().and_then(|text| Money::read(text, currency));
        amount.and_then(Amount::new).ok_or(DecodeError::Field("amount"))
    }

    /// Reads an amount whose currency stands in another event of the stream.
    fn written_amount(&mut self) -> Result<Option<WrittenAmount>, DecodeError> {
        let amount = self.data.amount.take();
        amount.map(|text| WrittenAmount::parse(text).map_err(|_| DecodeError::Field("amount"))).transpose()
    }
}

fn label(text: Option<Cow<'_, str>>, field: &'static str) -> Result<Option<Label>, DecodeError> {
    text.map(|text| Label::parse(&text).ok_or(DecodeError::Field(field))).transpose()
}
