//! This file reads bodies, and bounds their type, their size and the time that they take to come.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;

use crate::http::byte_budget::{Budget, Held};
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;

/// This is how many bytes past the limit are read and thrown away, so that a client that writes before it reads gets
/// its 413.
const DISCARDED: usize = 1024 * 1024;

/// A `Wanted` says what a body has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// This is its media type.
    pub(crate) media_type: &'static str,
    /// This is the most bytes that it may have.
    pub(crate) limit: usize,
    /// This is the most time that it may take to come.
    pub(crate) within: Duration,
}

/// Reads a whole body.
///
/// # Errors
/// Answers 415 for another type or an encoding, 413 past the limit, 408 past the time, 400 when it breaks off.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    wanted: Wanted,
    budget: &Budget,
) -> Result<(Bytes, Held), Problem> {
    check_type(headers, wanted.media_type)?;
    let too_large = || Problem::too_large(format!("A body here has at most {} bytes.", wanted.limit));
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let expects = headers.contains_key(axum::http::header::EXPECT);
    if announced.is_some_and(|length| length > wanted.limit) && expects {
        // The client waits for a first answer before it sends the body: it gets this one, and nothing needs to be
        // discarded.
        return Err(too_large());
    }
    let mut held = Held::default();
    budget.hold(&mut held, announced.unwrap_or_default().min(wanted.limit))?;
    let collected = collect(body, wanted.limit, |length| budget.hold(&mut held, length));
    match tokio::time::timeout(wanted.within, collected).await {
        Ok(Ok(Some(bytes))) => Ok((bytes?, held)),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(_)) => {
            Err(Problem::malformed("The body broke off or was not framed as HTTP has it.").closing())
        }
        Err(_) => {
            let detail = "The body took too long to come.";
            Err(Problem::new(Code::RequestTimeout, detail).closing())
        }
    }
}

/// Returns the body's bytes; nothing when there are more than `limit`. `hold` is told how many have come.
async fn collect(
    mut body: Body,
    limit: usize,
    mut hold: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<Option<Result<Bytes, Problem>>, axum::Error> {
    let mut first = Bytes::new();
    let mut joined: Vec<u8> = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if let Err(overloaded) = hold(length.min(limit)) {
            return Ok(Some(Err(overloaded)));
        }
        if length > limit {
            joined = Vec::new();
            if length > limit + DISCARDED {
                return Ok(None);
            }
        } else if first.is_empty() {
            first = data;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&data);
        }
    }
    Ok((length <= limit).then(|| Ok(if joined.is_empty() { first } else { joined.into() })))
}

fn check_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), Problem> {
    let unsupported = |detail: String| Problem::new(Code::UnsupportedMediaType, detail).closing();
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if given != wanted && !is_type(given, wanted) {
        return Err(unsupported(format!("The body must be of Content-Type {wanted}.")));
    }
    let plain = |value: &axum::http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err(unsupported("The body must come without a Content-Encoding.".to_owned()));
    }
    Ok(())
}

/// These are the names of the one encoding of bodies, as its name is written, and as many write it.
const UTF_8: [&str; 2] = ["charset=utf-8", "charset=utf8"];

/// Says whether this is the wanted type, in any spelling, with no parameter but [`UTF_8`].
fn is_type(given: &str, wanted: &str) -> bool {
    let mut parts = given.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    named
        && parts.all(|parameter| {
            let plain = parameter.replace(['"', ' '], "");
            plain.is_empty() || UTF_8.iter().any(|name| plain.eq_ignore_ascii_case(name))
        })
}
