//! The headers of writes: the transaction ID, and where the request comes from.

use std::sync::Arc;

use axum::http::HeaderMap;

use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::metadata::Origin;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::wire::commands::Frame;
use crate::wire::text::NOT_AN_ID;

/// What the headers and the caller say of a request on this account.
///
/// # Errors
/// 400 for headers that are wrong.
pub(crate) fn frame(
    account: Option<AccountName>,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<Frame, Problem> {
    let origin = Origin {
        correlation: plain(headers, "correlation-id", "Correlation-Id")?,
        causation: plain(headers, "causation-id", "Causation-Id")?,
        actor: Arc::clone(&caller.actor),
    };
    Ok(Frame { account, transaction_id: transaction_id(headers)?, origin })
}

/// The ID in `Idempotency-Key`, bare or quoted.
fn transaction_id(headers: &HeaderMap) -> Result<Option<TransactionId>, Problem> {
    let mut found = None;
    for value in headers.get_all("idempotency-key") {
        let text = value.to_str().unwrap_or_default();
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let Some(id) = TransactionId::parse(bare) else {
            return Err(Problem::field("Idempotency-Key", NOT_AN_ID));
        };
        if found.is_some_and(|other| other != id) {
            return Err(Problem::id_conflicting());
        }
        found = Some(id);
    }
    Ok(found)
}

fn plain(headers: &HeaderMap, name: &str, shown: &'static str) -> Result<Option<Box<str>>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    if values.next().is_some() || !(1..=128).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_graphic)
    {
        return Err(Problem::field(shown, "must be one value of 1 to 128 visible ASCII characters"));
    }
    Ok(value.to_str().ok().map(Into::into))
}
