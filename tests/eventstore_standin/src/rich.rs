//! These functions make the errors inside a batch session, where a status is a message: its code, its name, and a
//! detail that clients unpack.

use prost::Message;
use tonic::{Code, Status};

use super::proto::append::{
    AnyMessage, DeletedDetail, Expected, RichStatus, TooLargeDetail, WrongVersionDetail,
};
use super::proto::{Empty, StreamName};
use super::statuses::MOST_APPENDED;

fn rich(code: Code, name: &str, detail: &impl Message) -> RichStatus {
    RichStatus {
        code: code as i32,
        message: name.to_owned(),
        detail: Some(AnyMessage {
            type_url: format!("type.googleapis.com/event_store.client.{name}"),
            value: detail.encode_to_vec(),
        }),
    }
}

pub fn wrong_version(expected: Expected, current: Option<u64>) -> RichStatus {
    let empty = Some(Empty {});
    let mut detail = WrongVersionDetail { current, ..WrongVersionDetail::default() };
    if current.is_none() {
        detail.current_no_stream = empty;
    }
    match expected {
        Expected::Revision(revision) => detail.expected = Some(revision),
        Expected::NoStream(_) => detail.expected_no_stream = empty,
        Expected::Any(_) => detail.expected_any = empty,
        Expected::StreamExists(_) => detail.expected_exists = empty,
    }
    rich(Code::AlreadyExists, "WrongExpectedVersion", &detail)
}

pub fn stream_deleted(stream: &str) -> RichStatus {
    rich(Code::NotFound, "StreamDeleted", &DeletedDetail { stream: Some(StreamName::new(stream)) })
}

/// The same errors as a call has them.
pub fn from_status(status: &Status) -> RichStatus {
    match status.code() {
        Code::InvalidArgument if status.message().starts_with("Maximum Append Size") => rich(
            Code::InvalidArgument,
            "MaximumAppendSizeExceeded",
            &TooLargeDetail { most_bytes: u32::try_from(MOST_APPENDED).unwrap() },
        ),
        Code::Aborted => rich(Code::DeadlineExceeded, "Timeout", &Empty {}),
        // Its one field is the message.
        Code::InvalidArgument => rich(Code::InvalidArgument, "BadRequest", &status.message().to_owned()),
        _ => rich(Code::Unknown, "Unknown", &Empty {}),
    }
}
