//! The lines of what the service records of its own deliveries are read here, behind their event's id.
//!
//! They have no `effective_at` and no answer, since no client asks for them, and a transaction's ID only where an operator did.

use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::delivery_data;
use crate::audit::parse::head::{Content, VERSION};
use crate::audit::parse::words::{id, is_provider};
use crate::audit::values::delivery::DeliveryBody;
use crate::audit::values::event::Body;
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::Id;
use crate::audit::values::moment::{Moment, micros};
use crate::audit::values::span::Span;

/// Reads the content of an event in the stream of a destination.
pub(super) fn of_destination(block: &[u8], name: Span, cursor: &mut Cursor<'_>) -> Result<Content, Flaw> {
    if !is_provider(name.of(block)) {
        return Err(Flaw::NoName("the stream"));
    }
    let (kind, recorded_at, id) = head(block, cursor)?;
    let fact = delivery_data::read(kind, block, cursor)?;
    metadata(block, id, cursor)?;
    Ok(Content { recorded_at, id, body: Body::Delivery(Box::new(DeliveryBody { name, fact })) })
}

/// Reads the content of an event in the stream of a letter.
pub(super) fn of_letter(block: &[u8], letter: u128, cursor: &mut Cursor<'_>) -> Result<Content, Flaw> {
    let (kind, recorded_at, id) = head(block, cursor)?;
    let body = delivery_data::read_letter(kind, letter, block, cursor)?;
    if id != Id::Absent {
        return Err(Flaw::OtherId);
    }
    metadata(block, id, cursor)?;
    Ok(Content { recorded_at, id, body: Body::Letter(Box::new(body)) })
}

/// Reads up to the brace that opens `data`: the type, the time and the ID.
fn head<'a>(block: &'a [u8], cursor: &mut Cursor<'_>) -> Result<(&'a [u8], Moment, Id), Flaw> {
    cursor.literal("\"type\":\"")?;
    let kind = cursor.word()?.of(block);
    delivery_data::is_known(kind)?;
    cursor.literal(",\"recorded_at\":\"")?;
    let recorded_at = *cursor.bytes::<27>("a moment")?;
    micros(&recorded_at).ok_or(Flaw::NoMoment("recorded_at"))?;
    cursor.literal("\",\"version\":")?;
    let version = cursor.number()?;
    if version != VERSION {
        return Err(Flaw::UnknownVersion(version));
    }
    let id = match cursor.maybe(",\"transaction_id\":\"") {
        true => id(block, cursor, "the event's own")?,
        false => Id::Absent,
    };
    cursor.literal(",\"data\":{")?;
    Ok((kind, recorded_at, id))
}

/// Reads the metadata, up to its closing brace. What has no ID was done by the service of its own accord.
fn metadata(block: &[u8], id: Id, cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    cursor.literal("},\"metadata\":{")?;
    let is_correlated = cursor.maybe("\"$correlationId\":\"");
    if is_correlated {
        cursor.text()?;
        cursor.literal(",")?;
    }
    if cursor.maybe("\"$causationId\":\"") {
        cursor.text()?;
        cursor.literal(",")?;
    }
    cursor.literal("\"actor\":\"")?;
    let actor = cursor.text()?.of(block);
    cursor.literal("}")?;
    let is_right = match id {
        Id::Absent => actor == b"service",
        Id::Client(_) => is_correlated,
        Id::Own(_) => false,
    };
    if is_right { Ok(()) } else { Err(Flaw::OwnMetadata) }
}
