//! These functions make and read the value of the row that says how a destination stands.
//!
//! Its terms and its parked messages stand there as in an event, in hexadecimal digits, so that no part has a blank. A row of
//! ten thousand parked messages has about five megabytes; it is written only when the destination changed, and at most once
//! for each checkpoint.

use std::sync::Arc;

use crate::domain::delivery::event::{DeliveryEvent, PauseCode};
use crate::domain::delivery::progress::Progress;
use crate::domain::delivery::{Destination, Serving, Stage, Standing};
use crate::domain::transfer::payout::Label;
use crate::store::codec::{delivery_data, read_delivery_data};

/// This stands for what is not there.
const NONE: &str = "-";

/// Returns how a destination stands, as the parts of a row's value with a blank between them. None of them has a blank.
pub(super) fn value(destination: &Destination) -> String {
    let set = DeliveryEvent::Set { terms: Arc::clone(&destination.terms), from: None };
    let parked = Progress { parked: (*destination.parked).clone(), ..Progress::default() };
    let serving = destination.serving.as_ref();
    let holder = serving.and_then(|serving| serving.holder.as_ref());
    format!(
        "{} {} {} {} {} {} {} {} {} {} {} {} {} {}",
        stage(destination.stage),
        through(destination),
        maybe(serving.map(|serving| serving.term)),
        maybe(serving.map(|serving| hex::encode(serving.instance.as_str()))),
        held_by(holder, destination.granted.as_ref()),
        maybe(serving.map(|serving| serving.heard)),
        maybe(serving.map(|serving| standing(&serving.standing))),
        numbers(&destination.sets),
        numbers(&destination.claimed),
        destination.claimed_to,
        destination.delivered,
        as_data(&set),
        as_data(&DeliveryEvent::Progressed(Box::new(parked))),
        destination.revision,
    )
}

/// Reads a destination from the parts of its row's value.
pub(super) fn read<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<Destination> {
    let stage = read_stage(parts.next()?)?;
    let (through, skipped) = read_through(parts.next()?)?;
    let term: Option<u64> = read_maybe(parts.next()?, |text| text.parse().ok())?;
    let instance = read_maybe(parts.next()?, label)?;
    let (holder, granted) = read_held_by(parts.next()?)?;
    let heard: Option<u64> = read_maybe(parts.next()?, |text| text.parse().ok())?;
    let standing = read_maybe(parts.next()?, read_standing)?;
    let serving = match (term, instance, heard, standing) {
        (Some(term), Some(instance), Some(heard), Some(standing)) => {
            Some(Serving { instance, holder, term, heard, standing })
        }
        (None, None, None, None) => None,
        (..) => return None,
    };
    let (sets, claimed) = (read_numbers(parts.next()?)?, read_numbers(parts.next()?)?);
    let (claimed_to, delivered) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let DeliveryEvent::Set { terms, from: None } = of_data("DestinationSet", parts.next()?)? else {
        return None;
    };
    let DeliveryEvent::Progressed(progress) = of_data("DeliveryProgressed", parts.next()?)? else {
        return None;
    };
    Some(Destination {
        terms,
        sets: Arc::new(sets),
        stage,
        through,
        serving,
        granted,
        skipped: Arc::new(skipped),
        parked: Arc::new(progress.parked),
        claimed: Arc::new(claimed),
        claimed_to,
        delivered,
        revision: parts.next()?.parse().ok()?,
    })
}

/// Returns how far it has come, and behind that what it has passed over, each with this before it: `!`.
fn through(destination: &Destination) -> String {
    let mut part = maybe(destination.through);
    for (after, to) in destination.skipped.iter() {
        part.push_str(&format!("!{after}-{to}"));
    }
    part
}

/// What is after the first position of each and not after the second was passed over.
type Skipped = Vec<(u64, u64)>;

fn read_through(part: &str) -> Option<(Option<u64>, Skipped)> {
    let mut parts = part.split('!');
    let through = read_maybe(parts.next()?, |text| text.parse().ok())?;
    let range = |text: &str| {
        let (after, to) = text.split_once('-')?;
        Some((after.parse().ok()?, to.parse().ok()?))
    };
    Some((through, parts.map(range).collect::<Option<_>>()?))
}

/// Returns the folder of who serves it, and behind a `!` that in which it was resumed, where there is one.
fn held_by(holder: Option<&Label>, granted: Option<&Label>) -> String {
    let holder = maybe(holder.map(|holder| hex::encode(holder.as_str())));
    match granted {
        Some(granted) => format!("{holder}!{}", hex::encode(granted.as_str())),
        None => holder,
    }
}

fn read_held_by(part: &str) -> Option<(Option<Label>, Option<Label>)> {
    match part.split_once('!') {
        Some((holder, granted)) => Some((read_maybe(holder, label)?, Some(label(granted)?))),
        None => Some((read_maybe(part, label)?, None)),
    }
}

fn stage(stage: Stage) -> String {
    match stage {
        Stage::Open => "open".to_owned(),
        Stage::Paused(code) => format!("paused/{}", code.name()),
        Stage::Removed => "removed".to_owned(),
    }
}

fn read_stage(text: &str) -> Option<Stage> {
    match text {
        "open" => Some(Stage::Open),
        "removed" => Some(Stage::Removed),
        paused => PauseCode::parse(paused.strip_prefix("paused/")?).map(Stage::Paused),
    }
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Active => "active".to_owned(),
        Standing::Confirmed => "confirmed".to_owned(),
        Standing::Challenged { by } => format!("challenged/{}", hex::encode(by.as_str())),
        Standing::Released => "released".to_owned(),
        Standing::Renamed => "renamed".to_owned(),
    }
}

fn read_standing(text: &str) -> Option<Standing> {
    match text {
        "active" => Some(Standing::Active),
        "confirmed" => Some(Standing::Confirmed),
        "released" => Some(Standing::Released),
        "renamed" => Some(Standing::Renamed),
        challenged => label(challenged.strip_prefix("challenged/")?).map(|by| Standing::Challenged { by }),
    }
}

/// Returns the `data` of an event as one part.
fn as_data(event: &DeliveryEvent) -> String {
    let mut data = Vec::new();
    delivery_data(event, &mut data);
    hex::encode(data)
}

fn of_data(kind: &str, part: &str) -> Option<DeliveryEvent> {
    read_delivery_data(kind, &hex::decode(part).ok()?).ok()
}

/// Returns numbers as one part.
fn numbers(numbers: &[u64]) -> String {
    let texts: Vec<_> = numbers.iter().map(u64::to_string).collect();
    maybe((!texts.is_empty()).then(|| texts.join(",")))
}

fn read_numbers(part: &str) -> Option<Vec<u64>> {
    let read = |text: &str| text.split(',').map(|number| number.parse().ok()).collect();
    read_maybe(part, read).map(Option::unwrap_or_default)
}

fn label(part: &str) -> Option<Label> {
    Label::parse(std::str::from_utf8(&hex::decode(part).ok()?).ok()?)
}

fn maybe(part: Option<impl ToString>) -> String {
    part.map_or_else(|| NONE.to_owned(), |part| part.to_string())
}

/// Reads what may not be there; `None` where the text is wrong.
fn read_maybe<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text == NONE { Some(None) } else { parse(text).map(Some) }
}
