//! A problem is an answer that is not a success, as RFC 9457 has it, with a stable `code`.
//!
//! What went wrong inside is logged once, where the problem is made, under an id that the client is told; its text
//! never leaves the service.

use std::borrow::Cow;
use std::error::Error;

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::Value;

use super::code::Code;
use crate::wire::fault::FieldError;
use crate::with_causes::with_causes;

/// This is the number of seconds after which to ask again, where that helps.
const RETRY_AFTER_SECONDS: u64 = 1;

/// This is the media type of problems.
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A `Problem` is an answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    extras: Vec<(&'static str, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Returns a problem of this code, with one sentence that helps.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let (errors, extras, headers) = (Vec::new(), Vec::new(), Vec::new());
        let problem = Self(Box::new(Inner { code, detail: detail.into(), errors, extras, headers }));
        if code.asks_to_retry() {
            problem.header(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))
        } else {
            problem
        }
    }

    /// Returns its status.
    #[must_use]
    pub(crate) fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    /// Adds a member.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.extras.push((name, value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Ends the connection after the answer.
    #[must_use]
    pub(crate) fn closing(self) -> Self {
        self.header(CONNECTION, HeaderValue::from_static("close"))
    }

    /// Makes a 400: these fields are wrong.
    #[must_use]
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = "The request is not valid; `errors` says where.";
        let mut problem = Self::new(Code::InvalidRequest, detail);
        problem.0.errors = errors;
        problem
    }

    /// Makes a 400: this field is wrong.
    pub(crate) fn field(field: impl Into<String>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::invalid(vec![FieldError::new(field, problem)])
    }

    /// Makes a 400: the body is not JSON.
    pub(crate) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::MalformedJson, detail)
    }

    /// Makes a 400: there is no transaction ID.
    #[must_use]
    pub(crate) fn id_missing() -> Self {
        let detail =
            "Every write needs a transaction ID: a UUID in `transaction_id` or in `Idempotency-Key`.";
        Self::new(Code::TransactionIdMissing, detail)
    }

    /// Makes a 400: there are two transaction IDs.
    #[must_use]
    pub(crate) fn id_conflicting() -> Self {
        let detail = "`transaction_id` and `Idempotency-Key` name different transactions.";
        Self::new(Code::TransactionIdConflicting, detail)
    }

    /// Makes a 401: there is no good key. It is the same answer whatever is wrong with the key.
    #[must_use]
    pub(crate) fn unauthenticated() -> Self {
        let detail = "A valid API key is needed, as `Authorization: Bearer …`.";
        Self::new(Code::Unauthenticated, detail)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bookonce\""))
    }

    /// Makes a 401 before the first key: the request may be somebody else's than this machine's own user's.
    #[must_use]
    pub(crate) fn not_local() -> Self {
        let detail = "No API key has been made: only this machine's own user is let in, by a loopback name and not \
            through a proxy. Make a key with `bookonce keys create --role operator`.";
        Self::new(Code::Unauthenticated, detail)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bookonce\""))
    }

    /// Makes a 403: the caller's role does not allow it.
    #[must_use]
    pub(crate) fn forbidden(detail: &'static str) -> Self {
        Self::new(Code::Forbidden, detail)
    }

    /// Makes a 404: there is no such account.
    #[must_use]
    pub(crate) fn account_not_found() -> Self {
        let detail = "There is no such account (at that time).";
        Self::new(Code::AccountNotFound, detail)
    }

    /// Makes a 404: there is no such transaction.
    #[must_use]
    pub(crate) fn transaction_not_found() -> Self {
        let detail =
            "The ledger has not seen such a transaction. It may still come: only a prevention rules it out.";
        Self::new(Code::TransactionNotFound, detail)
    }

    /// Makes a 404: there is no such hold.
    #[must_use]
    pub(crate) fn hold_not_found() -> Self {
        let detail =
            "The account has never seen a hold of this ID. It may still come: only a release rules it out.";
        Self::new(Code::HoldNotFound, detail)
    }

    /// Makes a 404: there is no such destination.
    #[must_use]
    pub(crate) fn destination_not_found() -> Self {
        Self::new(Code::DestinationNotFound, "There never was a destination of this name.")
    }

    /// Makes a 404: there is no such path.
    #[must_use]
    pub(crate) fn not_found() -> Self {
        let detail = "Nothing is here; see /openapi.json for what is.";
        Self::new(Code::NotFound, detail)
    }

    /// Makes a 413: the body is too large; the connection ends, because the rest of the body is not wanted.
    pub(crate) fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::BodyTooLarge, detail).closing()
    }

    /// Makes a 500: something is wrong inside. It is logged with its causes under the id that the client is told.
    #[must_use]
    pub(crate) fn internal(what: &str, cause: &(dyn Error + 'static)) -> Self {
        let id = incident();
        tracing::error!(incident = %id, causes = with_causes(cause), "{what}");
        Self::incident(id)
    }

    /// Makes a 500: something is wrong inside, which was logged already under this id.
    #[must_use]
    pub(crate) fn incident(id: String) -> Self {
        let detail = "Something is wrong inside the service; the incident's id finds it in the log.";
        Self::new(Code::Internal, detail).with("incident", id)
    }

    /// Returns the problem as a JSON object.
    #[must_use]
    pub(crate) fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Returns a new id for something to be found in the log.
#[must_use]
pub(crate) fn incident() -> String {
    let mut bytes = [0; 8];
    // Without random numbers all incidents would have one id, which is a nuisance and no danger.
    let _no_harm = getrandom::fill(&mut bytes);
    hex::encode(bytes)
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = &self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &inner.code.urn())?;
        map.serialize_entry("title", inner.code.title())?;
        map.serialize_entry("status", &inner.code.status().as_u16())?;
        map.serialize_entry("detail", &inner.detail)?;
        map.serialize_entry("code", inner.code.text())?;
        if !inner.errors.is_empty() {
            map.serialize_entry("errors", &inner.errors)?;
        }
        for (name, value) in &inner.extras {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.0.code.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        headers.extend(self.0.headers);
        response
    }
}
