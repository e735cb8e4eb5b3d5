//! This check refuses requests by what their head shows alone: it is too large, has no host, or the service is stopping.

use axum::http::header::HOST;
use axum::http::{Request, Version};

use super::peer::Stage;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;

/// This is the most bytes of a head: the names and values of all fields, without the request line.
const HEAD_BYTES: usize = 16 * 1024;
/// This is the most fields of a head.
const HEAD_FIELDS: usize = 64;
/// This is the most bytes of a request's target.
const TARGET_BYTES: usize = 8 * 1024;
/// Checks what a head shows by itself.
pub(crate) fn check<B>(request: &Request<B>, stage: Stage) -> Result<(), Problem> {
    let headers = request.headers();
    if stage != Stage::Serving {
        return Err(Problem::from(crate::ledger::Unavailable::Stopping).closing());
    }
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_BYTES {
        let detail = "The request's target has at most 8192 bytes.";
        return Err(Problem::new(Code::UriTooLong, detail).closing());
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers.len() > HEAD_FIELDS || bytes > HEAD_BYTES {
        let detail = "The request's head has at most 64 fields and 16384 bytes.";
        return Err(Problem::new(Code::HeadersTooLarge, detail).closing());
    }
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(Problem::field("Host", "must be there once").closing());
    }
    Ok(())
}
