//! The `data` of the events of destinations and letters is read here, in its one layout.

use crate::audit::parse::cursor::{Cursor, unescaped};
use crate::audit::parse::words::{is_name, is_provider, lossy};
use crate::audit::values::currency::Currency;
use crate::audit::values::delivery::{
    DeliveryFact, Filter, LetterBody, ParkedRow, Progressed, Setting, TakenWhy,
};
use crate::audit::values::finding::Flaw;
use crate::audit::values::moment::micros;
use crate::audit::values::span::Span;

/// These are the types of events that a destination's stream and a letter's can have.
const TYPES: [&[u8]; 12] = [
    b"DeliveryProgressed",
    b"DeliveryClaimed",
    b"DestinationSet",
    b"DestinationPaused",
    b"DestinationResumed",
    b"DestinationRemoved",
    b"ServingTaken",
    b"ServingChallenged",
    b"ServingConfirmed",
    b"ServingReleased",
    b"DestinationTested",
    b"DeadLettered",
];
/// These are the classes of what can go wrong with a message.
const CLASSES: [&[u8]; 6] =
    [b"http_status", b"no_answer", b"blocked_address", b"unconfirmed", b"destination_removed", b"waiting"];
/// A claim has at most this many messages.
const MOST_CLAIMED: usize = 1_000;

/// Says whether this is the name of such a type.
///
/// # Errors
/// Fails when it is not.
pub(super) fn is_known(kind: &[u8]) -> Result<(), Flaw> {
    if TYPES.contains(&kind) { Ok(()) } else { Err(Flaw::UnknownType(lossy(kind))) }
}

/// Reads the `data` of a destination's event up to, not including, its closing brace.
///
/// # Errors
/// Fails when the type is none of a destination's, or its layout is another.
pub(super) fn read(kind: &[u8], block: &[u8], cursor: &mut Cursor<'_>) -> Result<DeliveryFact, Flaw> {
    Ok(match kind {
        b"DestinationSet" => DeliveryFact::Set(Box::new(set(block, cursor)?)),
        b"DestinationPaused" => {
            cursor.literal("\"code\":\"")?;
            let code =
                one_of(block, cursor, &[b"operator", b"gone", b"mark_lost", b"store_went_back", b"missing"])?;
            maybe_text(cursor, ",\"reason\":\"")?;
            DeliveryFact::Paused { missing: code == b"missing" }
        }
        b"DestinationResumed" => {
            let after = maybe_number(cursor, "\"after\":", ",")?;
            if after.is_some() {
                cursor.maybe("\"head\":true,");
            }
            let passed_over = maybe_number(cursor, "\"passed_over\":", ",")?;
            if cursor.maybe("\"holder\":\"") {
                cursor.text()?;
                cursor.literal(",")?;
            }
            cursor.literal("\"reason\":\"")?;
            cursor.text()?;
            DeliveryFact::Resumed { after, passed_over }
        }
        b"DestinationRemoved" => {
            let through = number(cursor, "\"through\":")?;
            DeliveryFact::Removed { through, parked: number(cursor, ",\"parked\":")? }
        }
        b"ServingTaken" => {
            cursor.literal("\"instance\":\"")?;
            let instance = cursor.text()?;
            maybe_text(cursor, ",\"holder\":\"")?;
            cursor.literal(",\"why\":\"")?;
            let why = match one_of(block, cursor, &[b"first", b"released", b"no_answer", b"resumed"])? {
                b"first" => TakenWhy::First,
                b"released" => TakenWhy::Released,
                b"no_answer" => TakenWhy::NoAnswer,
                _ => TakenWhy::Resumed,
            };
            DeliveryFact::Taken { instance, why }
        }
        b"ServingChallenged" => {
            cursor.literal("\"instance\":\"")?;
            DeliveryFact::Challenged { instance: cursor.text()? }
        }
        b"ServingConfirmed" => DeliveryFact::Confirmed { term: number(cursor, "\"term\":")? },
        b"ServingReleased" => DeliveryFact::Released { term: number(cursor, "\"term\":")? },
        b"DestinationTested" => {
            cursor.literal("\"outcome\":\"")?;
            one_of(block, cursor, &[b"delivered", b"failed"])?;
            maybe_text(cursor, ",\"detail\":\"")?;
            DeliveryFact::Tested
        }
        b"DeliveryClaimed" => {
            let term = number(cursor, "\"term\":")?;
            cursor.literal(",\"positions\":[")?;
            let positions = numbers(cursor)?;
            if positions.len() > MOST_CLAIMED {
                return Err(cursor.wrong("at most 1,000 positions"));
            }
            DeliveryFact::Claimed { term, positions }
        }
        b"DeliveryProgressed" => DeliveryFact::Progressed(Box::new(progressed(block, cursor)?)),
        other => return Err(Flaw::UnknownType(lossy(other))),
    })
}

/// Reads the `data` of a letter's event up to, not including, its closing brace.
///
/// # Errors
/// Fails when the type is none of a letter's, or its layout is another.
pub(super) fn read_letter(
    kind: &[u8],
    letter: u128,
    block: &[u8],
    cursor: &mut Cursor<'_>,
) -> Result<LetterBody, Flaw> {
    if kind != b"DeadLettered" {
        return Err(Flaw::UnknownType(lossy(kind)));
    }
    cursor.literal("\"direction\":\"out\",\"source\":\"")?;
    let source = cursor.word()?;
    if !is_provider(source.of(block)) {
        return Err(Flaw::NoName("the source"));
    }
    cursor.literal(",\"kind\":\"delivery\",\"topic\":\"")?;
    cursor.text()?;
    cursor.literal(",\"message_id\":\"")?;
    let message_id = cursor.word()?;
    cursor.literal(",\"effect_id\":\"")?;
    if cursor.word()?.of(block) != message_id.of(block) {
        return Err(Flaw::Letter("its effect's id is not the message's"));
    }
    let account = match cursor.maybe(",\"account\":\"") {
        true => Some(cursor.word()?),
        false => None,
    };
    if account.is_some_and(|account| !is_name(account.of(block))) {
        return Err(Flaw::NoName("the account"));
    }
    let position = number(cursor, ",\"position\":")?;
    cursor.literal(",\"error\":")?;
    let error = failure(block, cursor)?;
    cursor.literal(",\"attempts\":[{\"at\":\"")?;
    moment(cursor, "at")?;
    cursor.literal("\",\"error\":")?;
    if failure(block, cursor)?.of(block) != error.of(block) {
        return Err(Flaw::Letter("its error is not that of its last attempt"));
    }
    number(cursor, "}],\"attempt_count\":")?;
    cursor.literal(",\"content_type\":\"application/cloudevents+json; charset=utf-8\"")?;
    number(cursor, ",\"payload_bytes\":")?;
    cursor.literal(",\"payload_sha256\":\"")?;
    cursor.bytes::<64>("a digest")?;
    cursor.literal("\"")?;
    Ok(LetterBody { letter, source, message_id, account, position })
}

fn set(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Setting, Flaw> {
    number(cursor, "\"generation\":")?;
    cursor.literal(",\"kind\":\"webhook\",\"target\":\"")?;
    cursor.text()?;
    cursor.literal(",\"guarantee\":\"")?;
    let guarantee = one_of(block, cursor, &[b"at_most_once", b"at_least_once", b"exactly_once_effect"])?;
    cursor.literal(",\"order\":\"")?;
    let order = one_of(block, cursor, &[b"account", b"journal", b"none"])?;
    cursor.literal(",\"on_dead\":\"go_on\",\"select\":{")?;
    let filter = filter(block, cursor)?;
    cursor.literal(",\"retry\":[")?;
    texts(block, cursor)?;
    number(cursor, ",\"options\":{\"in_flight\":")?;
    number(cursor, ",\"claim\":")?;
    cursor.literal("}")?;
    let from = maybe_number(cursor, ",\"from\":", "")?;
    Ok(Setting { at_most_once: guarantee == b"at_most_once", in_order: order == b"journal", filter, from })
}

/// Reads a filter and its closing brace: each of its parts that says something, in order.
fn filter(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Filter, Flaw> {
    let mut filter = Filter::default();
    let start = cursor.at();
    let part = |cursor: &mut Cursor<'_>, key: &'static str, first: &'static str| {
        if cursor.at() == start { cursor.maybe(first) } else { cursor.maybe(key) }
    };
    if part(cursor, ",\"types\":[", "\"types\":[") {
        filter.types = texts(block, cursor)?;
    }
    if part(cursor, ",\"accounts\":[", "\"accounts\":[") {
        filter.accounts = texts(block, cursor)?;
    }
    if part(cursor, ",\"currencies\":[", "\"currencies\":[") {
        let unknown = |code: &Vec<u8>| Flaw::UnknownCurrency(lossy(code));
        let read = |code: Vec<u8>| Currency::read(&code).ok_or_else(|| unknown(&code));
        filter.currencies = texts(block, cursor)?.into_iter().map(read).collect::<Result<_, _>>()?;
    }
    if part(cursor, ",\"amount_min\":\"", "\"amount_min\":\"") {
        filter.amount_min = Some(cursor.word()?.of(block).to_vec());
    }
    if part(cursor, ",\"metadata\":{\"", "\"metadata\":{\"") {
        loop {
            let key = unescaped(cursor.text()?.of(block));
            if filter.metadata.last().is_some_and(|(last, _)| *last >= key) {
                return Err(Flaw::MetadataOrder);
            }
            cursor.literal(":\"")?;
            filter.metadata.push((key, unescaped(cursor.text()?.of(block))));
            if cursor.maybe("}") {
                break;
            }
            cursor.literal(",\"")?;
        }
    }
    filter.none = part(cursor, ",\"none\":true", "\"none\":true");
    cursor.literal("}")?;
    Ok(filter)
}

fn progressed(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Progressed, Flaw> {
    let mut progressed = Progressed {
        term: number(cursor, "\"term\":")?,
        through: number(cursor, ",\"through\":")?,
        delivered: number(cursor, ",\"delivered\":")?,
        ..Progressed::default()
    };
    if cursor.maybe(",\"unconfirmed\":[") {
        progressed.unconfirmed = numbers(cursor)?;
    }
    if cursor.maybe(",\"parked\":[") {
        progressed.parked = rows(block, cursor)?;
    }
    if cursor.maybe(",\"attempted\":[") {
        progressed.attempted = rows(block, cursor)?;
    }
    if cursor.maybe(",\"settled\":[") {
        loop {
            let position = number(cursor, "{\"position\":")?;
            in_turn(progressed.settled.last().map(|(last, _)| *last), position, cursor)?;
            cursor.literal(",\"outcome\":\"")?;
            progressed.settled.push((position, one_of(block, cursor, &[b"delivered", b"dead"])? == b"dead"));
            cursor.literal("}")?;
            if !more(cursor)? {
                break;
            }
        }
    }
    Ok(progressed)
}

/// Reads the rows of parked messages and their closing bracket.
fn rows(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Vec<ParkedRow>, Flaw> {
    let mut rows: Vec<ParkedRow> = Vec::new();
    loop {
        let position = number(cursor, "{\"position\":")?;
        in_turn(rows.last().map(|row| row.position), position, cursor)?;
        cursor.literal(",\"stream\":\"")?;
        let stream = cursor.word()?;
        let revision = number(cursor, ",\"revision\":")?;
        let attempts = number(cursor, ",\"attempts\":")?;
        cursor.literal(",\"next_at\":\"")?;
        moment(cursor, "next_at")?;
        cursor.literal("\",\"error\":")?;
        failure(block, cursor)?;
        cursor.literal("}")?;
        rows.push(ParkedRow { position, stream, revision, attempts });
        if !more(cursor)? {
            return Ok(rows);
        }
    }
}

/// Reads what went wrong with a message. Gives all of it.
fn failure(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Span, Flaw> {
    let start = cursor.at();
    cursor.literal("{\"class\":\"")?;
    one_of(block, cursor, &CLASSES)?;
    maybe_text(cursor, ",\"code\":\"")?;
    cursor.literal(",\"message\":\"")?;
    cursor.text()?;
    cursor.literal("}")?;
    Ok(cursor.span(start, cursor.at()))
}

/// Reads a word that is one of these, and its closing quote.
fn one_of<'a>(block: &'a [u8], cursor: &mut Cursor<'_>, words: &[&[u8]]) -> Result<&'a [u8], Flaw> {
    let word = cursor.word()?.of(block);
    if words.contains(&word) { Ok(word) } else { Err(Flaw::UnknownWord(lossy(word))) }
}

fn moment(cursor: &mut Cursor<'_>, what: &'static str) -> Result<(), Flaw> {
    micros(cursor.bytes::<27>("a moment")?).map(|_| ()).ok_or(Flaw::NoMoment(what))
}

fn number(cursor: &mut Cursor<'_>, key: &'static str) -> Result<u64, Flaw> {
    cursor.literal(key)?;
    cursor.number()
}

fn maybe_number(
    cursor: &mut Cursor<'_>,
    key: &'static str,
    behind: &'static str,
) -> Result<Option<u64>, Flaw> {
    if !cursor.maybe(key) {
        return Ok(None);
    }
    let number = cursor.number()?;
    cursor.literal(behind)?;
    Ok(Some(number))
}

fn maybe_text(cursor: &mut Cursor<'_>, key: &'static str) -> Result<(), Flaw> {
    if cursor.maybe(key) { cursor.text().map(|_| ()) } else { Ok(()) }
}

/// Reads numbers in their order, each once, and the closing bracket.
fn numbers(cursor: &mut Cursor<'_>) -> Result<Vec<u64>, Flaw> {
    let mut numbers = Vec::new();
    loop {
        numbers.push(cursor.number()?);
        if !more(cursor)? {
            return Ok(numbers);
        }
    }
}

/// Reads texts and the closing bracket.
fn texts(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Vec<Vec<u8>>, Flaw> {
    let mut texts = Vec::new();
    loop {
        cursor.literal("\"")?;
        texts.push(unescaped(cursor.text()?.of(block)));
        if !more(cursor)? {
            return Ok(texts);
        }
    }
}

/// Says whether another item follows, or reads the closing bracket.
fn more(cursor: &mut Cursor<'_>) -> Result<bool, Flaw> {
    if cursor.maybe("]") {
        return Ok(false);
    }
    cursor.literal(",").map(|()| true)
}

/// Checks that rows are in the order of their positions, each once.
fn in_turn(last: Option<u64>, position: u64, cursor: &Cursor<'_>) -> Result<(), Flaw> {
    if last.is_some_and(|last| last >= position) { Err(cursor.wrong("a later position")) } else { Ok(()) }
}
