//! A reply is an answer that is a success: 200 with JSON, or with bytes of another form.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;

use super::problem::details::Problem;
use super::request::negotiate::JSON;

/// Answers 200 with this value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Problem::internal("an answer could not be written", &error))?;
    Ok(bytes_of(JSON, bytes))
}

/// Answers 200 with these bytes.
pub(crate) fn bytes_of(media_type: &'static str, bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
