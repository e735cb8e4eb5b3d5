//! The body of an account's event is read here, each part where its type needs it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::account::decline::Decline;
use crate::domain::account::event::{AccountEvent, Answer, Fact, Movement, Terms};
use crate::domain::command::{
    Capturing, Crediting, HoldSeconds, Holding, LimitChange, Move, Operation, Placing, Reason, Releasing,
    Reversal, Stopped,
};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, CounterAccount, Id, Step, TransactionId};
use crate::domain::metadata::Metadata;
use crate::domain::money::{Amount, Direction, Money};
use crate::domain::payee::Payee;
use crate::domain::time::Timestamp;

use super::error::DecodeError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAnswer<'a> {
    balance: &'a str,
    available: &'a str,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Data<'a> {
    operation: Option<&'a str>,
    code: Option<&'a str>,
    reverses: Option<&'a str>,
    amount: Option<&'a str>,
    overdraft_limit: Option<&'a str>,
    currency: &'a str,
    counter_account: Option<&'a str>,
    #[serde(borrow)]
    entries: Option<[RawEntry<'a>; 2]>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    partial: bool,
    force: bool,
    pub(super) effective_at_given: bool,
    metadata: BTreeMap<String, String>,
    prevented_by: Option<&'a str>,
    pub(super) direction: Option<&'a str>,
    pub(super) balance: Option<&'a str>,
    pub(super) expected_revision: Option<u64>,
    #[serde(borrow)]
    pub(super) corrects: Option<Vec<&'a str>>,
    hold: Option<&'a str>,
    expires_in_seconds: Option<u64>,
    expires_at: Option<&'a str>,
    released: Option<&'a str>,
    transfer: Option<&'a str>,
    to: Option<&'a str>,
    from: Option<&'a str>,
}

#[derive(Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct RawEntry<'a> {
    account: &'a str,
    amount: &'a str,
}

/// Reads the body of an account's event of version 1.
pub(super) fn account(
    name: &AccountName,
    (kind, id): (&str, Id),
    effective_at: &str,
    data: Data<'_>,
    answer: &RawAnswer<'_>,
) -> Result<AccountEvent, DecodeError> {
    let currency = Currency::parse(data.currency).ok_or(DecodeError::Field("currency"))?;
    let mut reader = Reader { data, currency };
    reader.data.currency = "";
    let effective_at = Timestamp::read(effective_at).ok_or(DecodeError::Field("effective_at"))?;
    let fact = reader.fact(kind, name, effective_at)?;
    if !is_booked_with(id, &fact) {
        return Err(DecodeError::Field("transaction_id"));
    }
    if reader.data != Data::default() {
        return Err(DecodeError::Foreign);
    }
    let answer = Answer {
        balance: reader.money(Some(answer.balance), "answer")?,
        available: reader.money(Some(answer.available), "answer")?,
    };
    Ok(AccountEvent { effective_at, currency, fact, answer })
}

/// Says whether an event with this fact can be booked with this ID: a client's, or a step's of the transfer or the hold that
/// it is about.
fn is_booked_with(id: Id, fact: &Fact) -> bool {
    let is_step = |of: TransactionId, step: Step| match id {
        Id::Step { of: found, step: taken, .. } => (found, taken) == (of, step),
        Id::Client(_) | Id::Absent => false,
    };
    let settles = |hold: Id, step: Step| match hold.transfer() {
        Some(of) => is_step(of, step),
        None => id.client().is_some(),
    };
    match fact {
        Fact::HoldPlaced { terms: Terms::Transfer { transfer, .. }, .. } => is_step(*transfer, Step::Hold),
        Fact::HoldCaptured { hold, .. } => settles(*hold, Step::Capture),
        Fact::HoldReleased { hold, .. } | Fact::HoldPrevented { hold, .. } => settles(*hold, Step::Release),
        Fact::HoldExpired { hold, .. } => is_step(*hold, Step::Expiry),
        Fact::TransferCredited { transfer, .. } => is_step(*transfer, Step::Credit),
        Fact::CreditPrevented { transfer, .. } => is_step(*transfer, Step::RuleOut),
        Fact::Declined { operation, .. } => match operation {
            Operation::Capture(asked) => settles(asked.hold, Step::Capture),
            Operation::Release(asked) => settles(asked.hold, Step::Release),
            Operation::TransferHold(asked) => is_step(asked.transfer, Step::Hold),
            Operation::TransferCredit(asked) => is_step(asked.transfer, Step::Credit),
            Operation::Open(_)
            | Operation::Deposit(_)
            | Operation::Withdraw(_)
            | Operation::Reverse(_)
            | Operation::Freeze(_)
            | Operation::Unfreeze(_)
            | Operation::Close(_)
            | Operation::SetOverdraftLimit(_)
            | Operation::Correct(_)
            | Operation::Hold(_)
            | Operation::Expire(_)
            | Operation::RuleOut(_)
            | Operation::Transfer(_)
            | Operation::Delivery(_)
            | Operation::Letter(_) => id.client().is_some(),
        },
        Fact::AccountOpened { .. }
        | Fact::Deposited(_)
        | Fact::Withdrawn(_)
        | Fact::Reversed { .. }
        | Fact::Prevented { .. }
        | Fact::Corrected(_)
        | Fact::Frozen(_)
        | Fact::Unfrozen(_)
        | Fact::Closed(_)
        | Fact::OverdraftLimitChanged { .. }
        | Fact::HoldPlaced { terms: Terms::Client { .. }, .. } => id.client().is_some(),
    }
}

/// A `Reader` takes the parts out of `data`, each where its type needs it. What is left at the end belongs to no such
/// event.
pub(super) struct Reader<'a> {
    pub(super) data: Data<'a>,
    currency: Currency,
}

impl Reader<'_> {
    fn fact(&mut self, kind: &str, account: &AccountName, at: Timestamp) -> Result<Fact, DecodeError> {
        Ok(match kind {
            "AccountOpened" => {
                Fact::AccountOpened { overdraft_limit: self.limit()?, metadata: self.metadata()? }
            }
            "Deposited" => Fact::Deposited(self.movement(account, Direction::Credit)?),
            "Withdrawn" => Fact::Withdrawn(self.movement(account, Direction::Debit)?),
            "Reversed" => self.reversed(account)?,
            "Prevented" => {
                Fact::Prevented { reverses: self.reverses()?, reason: self.reason()?, force: self.force() }
            }
            "Corrected" => self.corrected(account)?,
            "Frozen" => Fact::Frozen(self.reason()?),
            "Unfrozen" => Fact::Unfrozen(self.reason()?),
            "Closed" => Fact::Closed(self.reason()?),
            "OverdraftLimitChanged" => {
                Fact::OverdraftLimitChanged { overdraft_limit: self.limit()?, reason: self.reason()? }
            }
            "HoldPlaced" => Fact::HoldPlaced { amount: self.amount()?, terms: self.terms()? },
            "HoldCaptured" => self.captured(account)?,
            "HoldReleased" => {
                let hold = self.hold()?;
                Fact::HoldReleased { hold, amount: self.amount()?, reason: self.given_reason()? }
            }
            "HoldExpired" => {
                let hold = self.hold()?.client().ok_or(DecodeError::Field("hold"))?;
                Fact::HoldExpired { hold, amount: self.amount()? }
            }
            "HoldPrevented" => Fact::HoldPrevented { hold: self.hold()?, reason: self.given_reason()? },
            "TransferCredited" => self.credited(account)?,
            "CreditPrevented" => Fact::CreditPrevented { transfer: self.transfer()?, code: self.stopped()? },
            "Declined" => Fact::Declined { operation: self.operation(at)?, decline: self.decline()? },
            other => return Err(DecodeError::Type(other.to_owned())),
        })
    }

    fn movement(&mut self, account: &AccountName, direction: Direction) -> Result<Movement, DecodeError> {
        let amount = self.amount()?;
        let (guarded, counter_account) = self.entries(account)?;
        if guarded != amount.toward(direction) {
            return Err(DecodeError::Field("entries"));
        }
        let effective_at_given = std::mem::take(&mut self.data.effective_at_given);
        Ok(Movement { amount, counter_account, effective_at_given, metadata: self.metadata()? })
    }

    fn reversed(&mut self, account: &AccountName) -> Result<Fact, DecodeError> {
        let amount = self.amount()?;
        let (guarded, counter_account) = self.entries(account)?;
        let direction = [Direction::Credit, Direction::Debit]
            .into_iter()
            .find(|direction| guarded == amount.toward(*direction))
            .ok_or(DecodeError::Field("entries"))?;
        Ok(Fact::Reversed {
            reverses: self.reverses()?,
            amount,
            direction,
            counter_account,
            reason: self.reason()?,
            partial: std::mem::take(&mut self.data.partial),
            force: self.force(),
        })
    }

    fn terms(&mut self) -> Result<Terms, DecodeError> {
        if self.data.transfer.is_some() {
            return Ok(Terms::Transfer { transfer: self.transfer()?, to: self.to()? });
        }
        let expires_at = self.data.expires_at.take().and_then(Timestamp::read);
        Ok(Terms::Client {
            expires_in_seconds: self.expires_in_seconds()?,
            expires_at: expires_at.ok_or(DecodeError::Field("expires_at"))?,
            metadata: self.metadata()?,
        })
    }

    fn captured(&mut self, account: &AccountName) -> Result<Fact, DecodeError> {
        let amount = self.amount()?;
        let (guarded, counter_account) = self.entries(account)?;
        if guarded != amount.toward(Direction::Debit) {
            return Err(DecodeError::Field("entries"));
        }
        let hold = self.hold()?;
        let to = if hold.client().is_some() { None } else { Some(self.to()?) };
        if to.as_ref().is_some_and(|to| *to.counter_account() != counter_account) {
            return Err(DecodeError::Field("entries"));
        }
        let released = match self.data.released.take() {
            Some(text) => {
                let released = Amount::new(self.money(Some(text), "released")?);
                Some(released.ok_or(DecodeError::Field("released"))?)
            }
            None => None,
        };
        let partial = std::mem::take(&mut self.data.partial);
        let metadata = self.metadata()?;
        Ok(Fact::HoldCaptured { hold, amount, released, counter_account, partial, metadata, to })
    }

    fn credited(&mut self, account: &AccountName) -> Result<Fact, DecodeError> {
        let amount = self.amount()?;
        let (guarded, counter_account) = self.entries(account)?;
        if guarded != amount.toward(Direction::Credit) || counter_account != *CounterAccount::transit() {
            return Err(DecodeError::Field("entries"));
        }
        Ok(Fact::TransferCredited { transfer: self.transfer()?, amount, from: self.from()? })
    }

    /// Reads the two entries, which must balance, and returns the guarded account's sum and the account on the other
    /// side.
    pub(super) fn entries(&mut self, account: &AccountName) -> Result<(Money, CounterAccount), DecodeError> {
        let wrong = DecodeError::Field("entries");
        let Some([guarded, counter]) = self.data.entries.take() else { return Err(wrong) };
        let sum = self.money(Some(guarded.amount), "entries")?;
        let opposite = self.money(Some(counter.amount), "entries")?;
        if guarded.account != account.as_str() || opposite != sum.negated() {
            return Err(wrong);
        }
        Ok((sum, CounterAccount::parse(counter.account).ok_or(wrong)?))
    }

    fn operation(&mut self, at: Timestamp) -> Result<Operation, DecodeError> {
        Ok(match self.data.operation.take().ok_or(DecodeError::Field("operation"))? {
            "deposit" => Operation::Deposit(self.asked(at)?),
            "withdrawal" => Operation::Withdraw(self.asked(at)?),
            "reversal" => Operation::Reverse(Reversal {
                reverses: self.reverses()?,
                amount: if self.data.amount.is_some() { Some(self.amount()?.into()) } else { None },
                reason: self.reason()?,
                force: self.force(),
            }),
            "correction" => Operation::Correct(Box::new(self.correction(at)?)),
            "freeze" => Operation::Freeze(self.reason()?),
            "unfreeze" => Operation::Unfreeze(self.reason()?),
            "close" => Operation::Close(self.reason()?),
            "overdraft_limit" => Operation::SetOverdraftLimit(LimitChange {
                overdraft_limit: self.limit()?.into(),
                reason: self.reason()?,
            }),
            "hold" => Operation::Hold(Placing {
                amount: self.amount()?.into(),
                expires_in_seconds: self.expires_in_seconds()?,
                metadata: self.metadata()?,
            }),
            "capture" => Operation::Capture(self.asked_capture()?),
            "release" => {
                Operation::Release(Releasing { hold: self.declined_hold()?, reason: self.given_reason()? })
            }
            "transfer_hold" => Operation::TransferHold(Holding {
                transfer: self.transfer()?,
                amount: self.amount()?.into(),
                to: self.to()?,
            }),
            "transfer_credit" => Operation::TransferCredit(Crediting {
                transfer: self.transfer()?,
                amount: self.amount()?.into(),
                from: self.from()?,
            }),
            _ => return Err(DecodeError::Field("operation")),
        })
    }

    fn asked(&mut self, at: Timestamp) -> Result<Move, DecodeError> {
        let counter_account = self.data.counter_account.take().and_then(CounterAccount::parse);
        Ok(Move {
            amount: self.amount()?.into(),
            counter_account: counter_account.ok_or(DecodeError::Field("counter_account"))?,
            effective_at: std::mem::take(&mut self.data.effective_at_given).then_some(at),
            metadata: self.metadata()?,
        })
    }

    fn asked_capture(&mut self) -> Result<Capturing, DecodeError> {
        let counter_account = self.data.counter_account.take().and_then(CounterAccount::parse);
        Ok(Capturing {
            hold: self.declined_hold()?,
            amount: if self.data.amount.is_some() { Some(self.amount()?.into()) } else { None },
            counter_account: counter_account.ok_or(DecodeError::Field("counter_account"))?,
            metadata: self.metadata()?,
            to: None,
        })
    }

    fn decline(&mut self) -> Result<Decline, DecodeError> {
        let code = self.data.code.take().ok_or(DecodeError::Field("code"))?;
        let by = self.data.prevented_by.take().and_then(Id::parse);
        Decline::from_code(code, by).ok_or(DecodeError::Field("code"))
    }

    fn reverses(&mut self) -> Result<TransactionId, DecodeError> {
        self.data.reverses.take().and_then(TransactionId::parse).ok_or(DecodeError::Field("reverses"))
    }

    pub(super) fn reason(&mut self) -> Result<Reason, DecodeError> {
        self.data.reason.take().as_deref().and_then(Reason::parse).ok_or(DecodeError::Field("reason"))
    }

    fn given_reason(&mut self) -> Result<Option<Reason>, DecodeError> {
        if self.data.reason.is_some() { self.reason().map(Some) } else { Ok(None) }
    }

    /// Reads the hold that an event is about, and the transfer whose hold it is, if it is one's.
    fn hold(&mut self) -> Result<Id, DecodeError> {
        let hold = self.declined_hold()?;
        match hold.transfer() {
            Some(of) if self.transfer()? != of => Err(DecodeError::Field("transfer")),
            Some(_) | None => Ok(hold),
        }
    }

    /// Reads the hold that a declined request named.
    fn declined_hold(&mut self) -> Result<Id, DecodeError> {
        let hold = self.data.hold.take().and_then(Id::parse);
        let is_hold = |id: &Id| matches!(id, Id::Client(_) | Id::Step { step: Step::Hold, .. });
        hold.filter(is_hold).ok_or(DecodeError::Field("hold"))
    }

    fn transfer(&mut self) -> Result<TransactionId, DecodeError> {
        self.data.transfer.take().and_then(TransactionId::parse).ok_or(DecodeError::Field("transfer"))
    }

    fn to(&mut self) -> Result<Payee, DecodeError> {
        self.data.to.take().and_then(Payee::parse).ok_or(DecodeError::Field("to"))
    }

    fn from(&mut self) -> Result<AccountName, DecodeError> {
        self.data.from.take().and_then(AccountName::parse).ok_or(DecodeError::Field("from"))
    }

    fn stopped(&mut self) -> Result<Stopped, DecodeError> {
        self.data.code.take().and_then(Stopped::from_code).ok_or(DecodeError::Field("code"))
    }

    fn expires_in_seconds(&mut self) -> Result<HoldSeconds, DecodeError> {
        let seconds = self.data.expires_in_seconds.take().and_then(HoldSeconds::new);
        seconds.ok_or(DecodeError::Field("expires_in_seconds"))
    }

    pub(super) fn force(&mut self) -> bool {
        std::mem::take(&mut self.data.force)
    }

    fn metadata(&mut self) -> Result<Metadata, DecodeError> {
        Metadata::new(std::mem::take(&mut self.data.metadata)).map_err(|_| DecodeError::Field("metadata"))
    }

    /// Reads an amount, which must be greater than zero.
    pub(super) fn amount(&mut self) -> Result<Amount, DecodeError> {
        let amount = self.data.amount.take();
        Amount::new(self.money(amount, "amount")?).ok_or(DecodeError::Field("amount"))
    }

    fn limit(&mut self) -> Result<Money, DecodeError> {
        let limit = self.data.overdraft_limit.take();
        self.money(limit, "overdraft_limit")
    }

    pub(super) fn money(&self, text: Option<&str>, field: &'static str) -> Result<Money, DecodeError> {
        text.and_then(|text| Money::read(text, self.currency)).ok_or(DecodeError::Field(field))
    }
}
