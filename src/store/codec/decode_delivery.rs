//! This decoder reads the `data` of a destination's events, in version 1. What the encoder would not have written, byte for
//! byte, is refused: it is written again and compared.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::domain::currency::Currency;
use crate::domain::delivery::event::{DeliveryEvent, PauseCode, Resumption, TakenWhy};
use crate::domain::delivery::failure::ErrorText;
use crate::domain::delivery::progress::{End, Parked, Progress};
use crate::domain::delivery::retry::Retry;
use crate::domain::delivery::select::{Pattern, Select};
use crate::domain::delivery::terms::{Channel, Guarantee, Order, Terms};
use crate::domain::money::WrittenAmount;
use crate::domain::reason::Reason;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::domain::transfer::payout::Label;

use super::encode_delivery::delivery_data;
use super::error::DecodeError;
use super::failure_data::RawFailure;

/// Reads the `data` of an event of a destination, by the name of its type.
///
/// # Errors
/// Fails when it is not what [`delivery_data`] writes for an event of this type.
pub fn read_delivery_data(kind: &str, data: &[u8]) -> Result<DeliveryEvent, DecodeError> {
    let event = read(kind, data)?;
    let mut written = Vec::with_capacity(data.len());
    delivery_data(&event, &mut written);
    if written == data { Ok(event) } else { Err(DecodeError::Foreign) }
}

fn read(kind: &str, data: &[u8]) -> Result<DeliveryEvent, DecodeError> {
    Ok(match kind {
        "DestinationSet" => set(parse(data)?)?,
        "DestinationPaused" => {
            let Paused { code, reason } = parse(data)?;
            let reason = reason.map(|text| self::reason(&text)).transpose()?;
            DeliveryEvent::Paused { code: known(PauseCode::parse(code), "code")?, reason }
        }
        "DestinationResumed" => {
            let Resumed { after, head, passed_over, holder, reason } = parse(data)?;
            let holder = holder.map(|holder| known(Label::parse(&holder), "holder")).transpose()?;
            let reason = self::reason(&reason)?;
            DeliveryEvent::Resumed(Box::new(Resumption { after, is_head: head, passed_over, holder, reason }))
        }
        "DestinationRemoved" => {
            let Removed { through, parked } = parse(data)?;
            DeliveryEvent::Removed { through, parked }
        }
        "ServingTaken" => {
            let Taken { instance, holder, why } = parse(data)?;
            DeliveryEvent::Taken {
                instance: known(Label::parse(&instance), "instance")?,
                holder: holder.map(|holder| known(Label::parse(&holder), "holder")).transpose()?,
                why: known(TakenWhy::parse(why), "why")?,
            }
        }
        "ServingChallenged" => {
            let Challenged { instance } = parse(data)?;
            DeliveryEvent::Challenged { instance: known(Label::parse(&instance), "instance")? }
        }
        "ServingConfirmed" => DeliveryEvent::Confirmed { term: parse::<InTerm>(data)?.term },
        "ServingReleased" => DeliveryEvent::Released { term: parse::<InTerm>(data)?.term },
        "DestinationTested" => {
            let Tested { outcome, detail } = parse(data)?;
            let is_delivered =
                known(["failed", "delivered"].iter().position(|it| *it == outcome), "outcome")? == 1;
            let detail = detail.map(|text| known(ErrorText::parse(&text), "detail")).transpose()?;
            DeliveryEvent::Tested { is_delivered, detail }
        }
        "DeliveryClaimed" => {
            let Claimed { term, positions } = parse(data)?;
            DeliveryEvent::Claimed { term, positions }
        }
        "DeliveryProgressed" => DeliveryEvent::Progressed(Box::new(progressed(parse(data)?)?)),
        other => return Err(DecodeError::Type(other.to_owned())),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set<'a> {
    generation: u64,
    kind: &'a str,
    #[serde(borrow)]
    target: Cow<'a, str>,
    guarantee: &'a str,
    order: &'a str,
    on_dead: &'a str,
    #[serde(borrow)]
    select: RawSelect<'a>,
    #[serde(borrow)]
    retry: Vec<&'a str>,
    options: Options,
    from: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct RawSelect<'a> {
    types: Vec<String>,
    accounts: Vec<String>,
    #[serde(borrow)]
    currencies: Vec<&'a str>,
    amount_min: Option<&'a str>,
    metadata: BTreeMap<String, String>,
    none: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    in_flight: u16,
    claim: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paused<'a> {
    code: &'a str,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resumed<'a> {
    after: Option<u64>,
    #[serde(default)]
    head: bool,
    passed_over: Option<u64>,
    #[serde(borrow)]
    holder: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    through: u64,
    parked: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Taken<'a> {
    #[serde(borrow)]
    instance: Cow<'a, str>,
    #[serde(borrow)]
    holder: Option<Cow<'a, str>>,
    why: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenged<'a> {
    #[serde(borrow)]
    instance: Cow<'a, str>,
}

/// `InTerm` is the data of an event that says a term and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InTerm {
    term: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tested<'a> {
    outcome: &'a str,
    #[serde(borrow)]
    detail: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claimed {
    term: u64,
    positions: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Progressed<'a> {
    term: u64,
    through: u64,
    delivered: u64,
    #[serde(default)]
    unconfirmed: Vec<u64>,
    #[serde(borrow, default)]
    parked: Vec<Row<'a>>,
    #[serde(borrow, default)]
    attempted: Vec<Row<'a>>,
    #[serde(borrow, default)]
    settled: Vec<Settled<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    position: u64,
    stream: &'a str,
    revision: u64,
    attempts: u32,
    next_at: &'a str,
    #[serde(borrow)]
    error: RawFailure<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settled<'a> {
    position: u64,
    outcome: &'a str,
}

fn parse<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Result<T, DecodeError> {
    Ok(serde_json::from_slice(data)?)
}

fn known<T>(value: Option<T>, field: &'static str) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Field(field))
}

fn reason(text: &str) -> Result<Reason, DecodeError> {
    known(Reason::parse(text), "reason")
}

fn set(raw: Set<'_>) -> Result<DeliveryEvent, DecodeError> {
    let channel = match raw.kind {
        "webhook" => Channel::Webhook { url: raw.target.into() },
        _ => return Err(DecodeError::Field("kind")),
    };
    if raw.on_dead != "go_on" {
        return Err(DecodeError::Field("on_dead"));
    }
    let waits: Option<Vec<u32>> = raw.retry.iter().map(|wait| Retry::parse_wait(wait)).collect();
    let Options { in_flight, claim } = raw.options;
    if !(1..=Terms::MOST_IN_FLIGHT).contains(&in_flight) || !(1..=Terms::MOST_CLAIMED).contains(&claim) {
        return Err(DecodeError::Field("options"));
    }
    let terms = Terms {
        generation: raw.generation,
        channel,
        guarantee: known(Guarantee::parse(raw.guarantee), "guarantee")?,
        order: known(Order::parse(raw.order), "order")?,
        select: select(raw.select)?,
        retry: known(waits.and_then(|waits| Retry::new(&waits)), "retry")?,
        in_flight,
        claim,
    };
    Ok(DeliveryEvent::Set { terms: Arc::new(terms), from: raw.from })
}

fn select(raw: RawSelect<'_>) -> Result<Select, DecodeError> {
    let pattern = |text: &str| known(Pattern::parse(text), "select");
    let currency = |code: &&str| known(Currency::parse(code), "select");
    let metadata = raw.metadata.into_iter().map(|(key, text)| Ok((key, pattern(&text)?)));
    Ok(Select {
        types: raw.types,
        accounts: raw.accounts.iter().map(|text| pattern(text)).collect::<Result<_, _>>()?,
        currencies: raw.currencies.iter().map(currency).collect::<Result<_, _>>()?,
        amount_min: raw
            .amount_min
            .map(|text| known(WrittenAmount::parse(text).ok(), "select"))
            .transpose()?,
        metadata: metadata.collect::<Result<_, DecodeError>>()?,
        none: raw.none,
    })
}

fn progressed(raw: Progressed<'_>) -> Result<Progress, DecodeError> {
    let end = |row: Settled<'_>| Ok((row.position, known(End::parse(row.outcome), "settled")?));
    Ok(Progress {
        term: raw.term,
        through: raw.through,
        delivered: raw.delivered,
        unconfirmed: raw.unconfirmed,
        parked: raw.parked.into_iter().map(row).collect::<Result<_, _>>()?,
        attempted: raw.attempted.into_iter().map(row).collect::<Result<_, _>>()?,
        settled: raw.settled.into_iter().map(end).collect::<Result<_, DecodeError>>()?,
    })
}

fn row(raw: Row<'_>) -> Result<(u64, Parked), DecodeError> {
    let parked = Parked {
        stream: known(StreamName::parse(raw.stream), "stream")?,
        revision: raw.revision,
        attempts: raw.attempts,
        next_at: known(Timestamp::read(raw.next_at), "next_at")?,
        error: known(raw.error.read(), "error")?,
    };
    Ok((raw.position, parked))
}
