//! These functions write and read the `data` of a letter's first event, in version 1. What would not have been written, byte
//! for byte, is refused: it is written again and compared.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::delivery::name::DestinationName;
use crate::domain::ids::AccountName;
use crate::domain::letter::DeadLettered;
use crate::domain::time::Timestamp;
use crate::domain::transfer::payout::Label;

use super::error::DecodeError;
use super::failure_data::{RawFailure, failure};
use super::json::{number, put, text};

/// This is the content type of a message to a destination.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// Writes the `data` of a letter's first event, with its braces.
pub fn letter_data(event: &DeadLettered, out: &mut Vec<u8>) {
    put(
        out,
        &[
            "{\"direction\":\"out\",\"source\":\"",
            event.source.as_str(),
            "\",\"kind\":\"delivery\",\"topic\":",
        ],
    );
    text(&event.topic, out);
    for name in ["message_id", "effect_id"] {
        put(out, &[",\"", name, "\":"]);
        text(event.message_id.as_str(), out);
    }
    if let Some(account) = &event.account {
        put(out, &[",\"account\":\"", account.as_str(), "\""]);
    }
    put(out, &[",\"position\":"]);
    number(event.position, out);
    put(out, &[",\"error\":"]);
    failure(&event.error, out);
    put(out, &[",\"attempts\":[{\"at\":\""]);
    event.failed_at.write(out);
    put(out, &["\",\"error\":"]);
    failure(&event.error, out);
    put(out, &["}],\"attempt_count\":"]);
    number(event.attempts.into(), out);
    put(out, &[",\"content_type\":\"", CONTENT_TYPE, "\",\"payload_bytes\":"]);
    number(event.payload_bytes, out);
    put(out, &[",\"payload_sha256\":\"", &hex::encode(event.payload_sha256), "\"}"]);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    direction: &'a str,
    source: &'a str,
    kind: &'a str,
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    #[serde(borrow)]
    effect_id: Cow<'a, str>,
    account: Option<&'a str>,
    position: u64,
    #[serde(borrow)]
    error: RawFailure<'a>,
    #[serde(borrow)]
    attempts: [RawAttempt<'a>; 1],
    attempt_count: u32,
    content_type: &'a str,
    payload_bytes: u64,
    payload_sha256: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAttempt<'a> {
    at: &'a str,
    #[serde(borrow)]
    error: RawFailure<'a>,
}

/// Reads the `data` of a letter's first event.
///
/// # Errors
/// Fails when it is not what [`letter_data`] writes.
pub fn read_letter_data(data: &[u8]) -> Result<DeadLettered, DecodeError> {
    let raw: Raw<'_> = serde_json::from_slice(data)?;
    let is_ours = (raw.direction, raw.kind, raw.content_type) == ("out", "delivery", CONTENT_TYPE);
    let [attempt] = &raw.attempts;
    let mut payload_sha256 = [0; 32];
    let has_digest = hex::decode_to_slice(raw.payload_sha256, &mut payload_sha256).is_ok();
    let account = raw.account.map(|name| AccountName::parse(name).ok_or(DecodeError::Field("account")));
    let event = DeadLettered {
        source: DestinationName::parse(raw.source).ok_or(DecodeError::Field("source"))?,
        topic: raw.topic.into(),
        message_id: Label::parse(&raw.message_id).ok_or(DecodeError::Field("message_id"))?,
        account: account.transpose()?,
        position: raw.position,
        error: raw.error.read().ok_or(DecodeError::Field("error"))?,
        failed_at: Timestamp::read(attempt.at).ok_or(DecodeError::Field("attempts"))?,
        attempts: raw.attempt_count,
        payload_bytes: raw.payload_bytes,
        payload_sha256,
    };
    let is_same = raw.effect_id == raw.message_id && attempt.error.read().as_ref() == Some(&event.error);
    let mut written = Vec::with_capacity(data.len());
    letter_data(&event, &mut written);
    if is_ours && has_digest && is_same && written == data { Ok(event) } else { Err(DecodeError::Foreign) }
}
