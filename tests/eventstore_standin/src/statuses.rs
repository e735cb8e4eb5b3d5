//! These functions make the statuses with which a real node ends a call: the codes, the texts, and the headers by which
//! clients tell them apart.

use std::net::SocketAddr;

use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use super::proto::append::Expected;

/// Bytes that one append may hold: of data, metadata and type names.
pub const MOST_APPENDED: usize = 1_048_576;

fn with(code: Code, message: String, exception: &'static str, headers: &[(&'static str, &str)]) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("exception", MetadataValue::from_static(exception));
    for (name, value) in headers {
        if let Ok(value) = MetadataValue::try_from(*value) {
            metadata.insert(*name, value);
        }
    }
    Status::with_metadata(code, message, metadata)
}

pub fn not_leader(leader: SocketAddr) -> Status {
    let (host, port) = (leader.ip().to_string(), leader.port().to_string());
    with(
        Code::NotFound,
        "Leader info available".to_owned(),
        "not-leader",
        &[("leader-endpoint-host", &host), ("leader-endpoint-port", &port)],
    )
}

pub fn too_large() -> Status {
    with(
        Code::InvalidArgument,
        format!("Maximum Append Size of {MOST_APPENDED} Exceeded."),
        "maximum-append-size-exceeded",
        &[("maximum-append-size", &MOST_APPENDED.to_string())],
    )
}

pub fn missing_metadata(name: &str) -> Status {
    with(
        Code::InvalidArgument,
        format!("Required Metadata Property '{name}' is missing"),
        "missing-required-metadata-property",
        &[("required-metadata-properties", "type,content-type")],
    )
}

pub fn stream_deleted(stream: &str) -> Status {
    with(
        Code::FailedPrecondition,
        format!("Event stream '{stream}' is deleted."),
        "stream-deleted",
        &[("stream-name", stream)],
    )
}

/// Of a delete; an append says it in a message.
pub fn wrong_version(operation: &str, stream: &str, expected: Expected, current: Option<u64>) -> Status {
    let expected = match expected {
        Expected::Revision(revision) => revision.cast_signed(),
        Expected::NoStream(_) => -1,
        Expected::Any(_) => -2,
        Expected::StreamExists(_) => -4,
    }
    .to_string();
    let current = current.map_or_else(|| "-1".to_owned(), |current| current.to_string());
    with(
        Code::FailedPrecondition,
        format!(
            "{operation} failed due to WrongExpectedVersion. Stream: {stream}, \
             Expected version: {expected}, Actual version: {current}"
        ),
        "wrong-expected-version",
        &[("stream-name", stream), ("expected-version", &expected), ("actual-version", &current)],
    )
}

pub fn consumer_too_slow() -> Status {
    Status::new(
        Code::Aborted,
        "Operation timed out: Consumer too slow to handle event while live. Client resubscription required.",
    )
}

/// Of a read of `$all` from a number that is no record's place.
pub fn no_record_there() -> Status {
    Status::new(Code::Unknown, "Unexpected ReadAllResult: Error")
}
