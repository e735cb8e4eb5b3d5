//! The decoder reads a line, in any version that was ever written. It is strict: what the encoder would not have
//! written is refused.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::account::decline::Decline;
use crate::domain::account::event::{AccountEvent, Answer, Fact, Movement, VERSION};
use crate::domain::command::{LimitChange, Move, Operation, Reason, Reversal};
use crate::domain::currency::Currency;
use crate::domain::event::{Body, Event};
use crate::domain::ids::{AccountName, CounterAccount, Id, TransactionId};
use crate::domain::metadata::{Metadata, Origin};
use crate::domain::money::{Amount, Direction, Money};
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::store::chain::{self, Hash};

use super::canonical::{cut, event_id_of};

/// A `Line` is a line of the journal after it was read.
#[derive(Clone, Debug)]
pub struct Line {
    /// This is its place in the journal.
    pub position: u64,
    /// This is the event that it holds.
    pub event: Event,
    /// This is its hash, as it is written there. It is not checked.
    pub hash: Hash,
}

/// A `DecodeError` says why a line is no event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The line is not JSON of an event's shape.
    #[error("not an event")]
    Shape(#[from] serde_json::Error),
    /// The event has a version that this program does not know.
    #[error("an event of version {0}, which this version of bookonce does not know")]
    Version(u32),
    /// The event has a type that this program does not know.
    #[error("an event of type {0:?}, which this version of bookonce does not know")]
    Type(String),
    /// The line has a field that events of this type do not have.
    #[error("an event with a field of another type of event")]
    Foreign,
    /// A field is missing or has a value that no event has.
    #[error("an event with a wrong {0}")]
    Field(&'static str),
    /// The line's id is not that of its bytes: they were changed.
    #[error("an event whose id is not that of its bytes")]
    Id,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine<'a> {
    position: Option<u64>,
    #[serde(borrow)]
    stream: &'a str,
    revision: u64,
    event_id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    recorded_at: &'a str,
    effective_at: &'a str,
    version: u32,
    transaction_id: &'a str,
    data: Data<'a>,
    answer: RawAnswer<'a>,
    metadata: RawOrigin<'a>,
    hash: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer<'a> {
    balance: &'a str,
    available: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrigin<'a> {
    #[serde(rename = "$correlationId", borrow)]
    correlation: Cow<'a, str>,
    #[serde(rename = "$causationId", borrow, default)]
    causation: Option<Cow<'a, str>>,
    #[serde(borrow)]
    actor: Cow<'a, str>,
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
}

#[derive(Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct RawEntry<'a> {
    account: &'a str,
    amount: &'a str,
}

/// Returns the version of a line that has fields which version 1 does not know, when it is a newer one.
fn newer(line: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let versioned: Versioned = serde_json::from_slice(line).ok()?;
    (versioned.version > VERSION).then_some(versioned.version)
}

/// Reads one line.
///
/// # Errors
/// Fails when it is not an event that this program could have written.
pub fn decode(line: &[u8]) -> Result<Line, DecodeError> {
    let raw = raw(line)?;
    let position = raw.position.ok_or(DecodeError::Field("position"))?;
    raw.event_id.ok_or(DecodeError::Field("event_id"))?;
    let hash = raw.hash.and_then(Hash::parse).ok_or(DecodeError::Field("hash"))?;
    Ok(Line { position, hash, event: event(raw)? })
}

/// Reads the canonical bytes of an event, which have neither its position nor its id nor its hash.
///
/// # Errors
/// Fails as [`decode`] does.
pub fn decode_canonical(canonical: &[u8]) -> Result<Event, DecodeError> {
    let raw = raw(canonical)?;
    if raw.position.is_some() || raw.event_id.is_some() || raw.hash.is_some() {
        return Err(DecodeError::Foreign);
    }
    event(raw)
}

fn raw(line: &[u8]) -> Result<RawLine<'_>, DecodeError> {
    serde_json::from_slice(line)
        .map_err(|error| newer(line).map_or_else(|| error.into(), DecodeError::Version))
}

fn event(raw: RawLine<'_>) -> Result<Event, DecodeError> {
    let stream = StreamName::parse(raw.stream).ok_or(DecodeError::Field("stream"))?;
    let body = match &stream {
        StreamName::Account(name) if raw.version == VERSION => {
            Body::Account(account(name, raw.kind, raw.effective_at, raw.data, &raw.answer)?)
        }
        StreamName::Account(_) => return Err(DecodeError::Version(raw.version)),
    };
    let id = TransactionId::parse(raw.transaction_id).ok_or(DecodeError::Field("transaction_id"))?;
    let correlation =
        (raw.metadata.correlation != raw.transaction_id).then(|| raw.metadata.correlation.into());
    Ok(Event {
        stream,
        revision: raw.revision,
        id: Id::Client(id),
        recorded_at: Timestamp::read(raw.recorded_at).ok_or(DecodeError::Field("recorded_at"))?,
        body,
        origin: Origin {
            correlation,
            causation: raw.metadata.causation.map(Into::into),
            actor: raw.metadata.actor.into(),
        },
    })
}

/// Reads one line, and proves that its bytes are those that its id was made of. It is for a line whose hash is not
/// compared with the chain. The proof costs a microsecond.
///
/// # Errors
/// Fails as [`decode`] does, and with [`DecodeError::Id`].
pub fn decode_proven(line: &[u8]) -> Result<Line, DecodeError> {
    let decoded = decode(line)?;
    let (canonical, _) = cut(line).ok_or(DecodeError::Field("layout"))?;
    let written = event_id_of(line).ok_or(DecodeError::Field("event_id"))?;
    if chain::event_id(&canonical) == written { Ok(decoded) } else { Err(DecodeError::Id) }
}

/// Reads the body of an account's event of version 1.
fn account(
    name: &AccountName,
    kind: &str,
    effective_at: &str,
    data: Data<'_>,
    answer: &RawAnswer<'_>,
) -> Result<AccountEvent, DecodeError> {
    let currency = Currency::parse(data.currency).ok_or(DecodeError::Field("currency"))?;
    let mut reader = Reader { data, currency };
    reader.data.currency = "";
    let effective_at = Timestamp::read(effective_at).ok_or(DecodeError::Field("effective_at"))?;
    let fact = reader.fact(kind, name, effective_at)?;
    if reader.data != Data::default() {
        return Err(DecodeError::Foreign);
    }
    let answer = Answer {
        balance: reader.money(Some(answer.balance), "answer")?,
        available: reader.money(Some(answer.available), "answer")?,
    };
    Ok(AccountEvent { effective_at, currency, fact, answer })
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

    fn decline(&mut self) -> Result<Decline, DecodeError> {
        let code = self.data.code.take().ok_or(DecodeError::Field("code"))?;
        let by = self.data.prevented_by.take().and_then(TransactionId::parse).map(Id::Client);
        Decline::from_code(code, by).ok_or(DecodeError::Field("code"))
    }

    fn reverses(&mut self) -> Result<TransactionId, DecodeError> {
        self.data.reverses.take().and_then(TransactionId::parse).ok_or(DecodeError::Field("reverses"))
    }

    pub(super) fn reason(&mut self) -> Result<Reason, DecodeError> {
        self.data.reason.take().as_deref().and_then(Reason::parse).ok_or(DecodeError::Field("reason"))
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
