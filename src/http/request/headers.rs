//! This file reads the headers of writes: the transaction ID, and where the request comes from.

use std::sync::Arc;

use axum::http::HeaderMap;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::metadata::Origin;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::wire::commands::Frame;
use crate::wire::text::NOT_AN_ID;

/// This is the regular expression that a UUID matches.
macro_rules! uuid {
    () => {
        "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
    };
}

/// This is the name of the header with the transaction ID.
pub(crate) const ID: &str = "Idempotency-Key";
/// This is the name of the header that says what business process a request belongs to.
const CORRELATION: &str = "Correlation-Id";
/// This is the name of the header that says what caused a request.
const CAUSATION: &str = "Causation-Id";
/// This is the most characters of a correlation or a causation.
const LONGEST: usize = 128;

/// This is the regular expression that a correlation or a causation matches.
const PLAIN: &str = "^[!-~]{1,128}$";
/// This is the regular expression that [`ID`] matches.
const BARE_OR_QUOTED: &str = concat!("^(\"", uuid!(), "\"|", uuid!(), ")$");

/// [`ID`], for the document.
pub(crate) struct IdHeader;

impl IntoParams for IdHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "The transaction ID, bare or quoted, where `transaction_id` is not in the body.";
        vec![described(ID, about, Some(BARE_OR_QUOTED))]
    }
}

/// [`CORRELATION`] and [`CAUSATION`], for the document.
pub(crate) struct OriginHeaders;

impl IntoParams for OriginHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let belongs = "What business process it belongs to; kept with the event, never compared.";
        let caused = "What caused it; kept with the event, never compared.";
        vec![described(CORRELATION, belongs, Some(PLAIN)), described(CAUSATION, caused, Some(PLAIN))]
    }
}

fn described(name: &str, about: &str, pattern: Option<&str>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(pattern)))
        .build()
}

/// Reads what is known of a request beside its body: from its path, its headers and its caller.
///
/// # Errors
/// Answers 400 for headers that are wrong.
pub(crate) fn frame(
    account: Option<AccountName>,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<Frame, Problem> {
    let origin = Origin {
        correlation: plain(headers, CORRELATION)?,
        causation: plain(headers, CAUSATION)?,
        actor: Arc::clone(&caller.actor),
    };
    let transaction_id = transaction_id(headers)?;
    Ok(Frame { account, hold: None, transfer: None, destination: None, transaction_id, origin })
}

/// Returns the ID in the header [`ID`], bare or quoted.
fn transaction_id(headers: &HeaderMap) -> Result<Option<TransactionId>, Problem> {
    let mut found = None;
    for value in headers.get_all(ID) {
        let text = value.to_str().unwrap_or_default();
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let Some(id) = TransactionId::parse(bare) else {
            return Err(Problem::field(ID, NOT_AN_ID));
        };
        if found.is_some_and(|other| other != id) {
            return Err(Problem::id_conflicting());
        }
        found = Some(id);
    }
    Ok(found)
}

fn plain(headers: &HeaderMap, name: &'static str) -> Result<Option<Box<str>>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    if values.next().is_some()
        || !(1..=LONGEST).contains(&bytes.len())
        || !bytes.iter().all(u8::is_ascii_graphic)
    {
        return Err(Problem::field(name, "must be one value of 1 to 128 visible ASCII characters"));
    }
    Ok(value.to_str().ok().map(Into::into))
}
