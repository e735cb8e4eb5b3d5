//! This file has the responses that many operations share in the OpenAPI document.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, Type};

use crate::http::problem::code::Code;
use crate::wire::op::any_of;

/// `WriteAnswers` are the answers of a write of one command.
pub(crate) struct WriteAnswers;

impl IntoResponses for WriteAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        write_answers(
            "Accepted",
            "201",
            "Booked: now, or (with `Idempotent-Replayed`) before; the same bytes each time.",
        )
    }
}

/// `TransferAnswers` are the answers to what is asked of a transfer.
pub(crate) struct TransferAnswers;

impl IntoResponses for TransferAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        write_answers(
            "TransferAccepted",
            "202",
            "Recorded: now, or (with `Idempotent-Replayed`) before; the same bytes each time, however far it got.",
        )
    }
}

/// `DestinationAnswers` are the answers to what is asked of a destination. None of them is a recorded decline.
pub(crate) struct DestinationAnswers;

impl IntoResponses for DestinationAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = write_answers(
            "DestinationActed",
            "201",
            "Recorded: now, or (with `Idempotent-Replayed`) before; the same bytes each time.",
        );
        all.remove(StatusCode::PAYMENT_REQUIRED.as_str());
        all.extend(problems([
            about(Code::DestinationNotFound, |code| format!("`{code}`. Not recorded.")),
            about(Code::DestinationState, |code| {
                let busy = Code::InProgress;
                format!("`{code}`: see `state`; not recorded. Or `{busy}`: ask again with the same ID.")
            }),
        ]));
        all
    }
}

fn write_answers(schema: &str, status: &str, description: &str) -> BTreeMap<String, RefOr<Response>> {
    let mut all = WriteProblems::responses();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    let header = |of: Type, description: &str| {
        let schema = ObjectBuilder::new().schema_type(of).build();
        HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
    };
    let booked = ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .header(
            "Bookonce-Position",
            header(Type::Integer, "The journal is sure to hold the event at or before it."),
        )
        .header("Idempotent-Replayed", header(Type::String, "`true` where this answer was given before."))
        .build();
    all.insert(status.to_owned(), booked.into());
    all.extend(problems([
        (StatusCode::PAYMENT_REQUIRED, "A recorded decline, this ID's answer for ever: see `code`.".into()),
        about(Code::AccountNotFound, |code| {
            format!(
                "`{code}`, `{}` for a partial reversal, or `{}`. Not recorded.",
                Code::TransactionNotFound,
                Code::HoldNotFound
            )
        }),
        about(Code::TransactionIdReused, |code| {
            format!("`{code}`: the ID was used for another request; see `differences`.")
        }),
    ]));
    all
}

/// `WriteProblems` are the problems that every write may be answered with.
pub(crate) struct WriteProblems;

impl IntoResponses for WriteProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([
            about(Code::MalformedJson, |code| {
                let others =
                    [Code::InvalidRequest, Code::TransactionIdMissing, Code::TransactionIdConflicting];
                format!("{}.", any(&[&[code], &others[..]].concat()))
            }),
            explained(Code::Unauthenticated),
            explained(Code::Forbidden),
            explained(Code::UriTooLong),
            explained(Code::HeadersTooLarge),
            explained(Code::RequestTimeout),
            about(Code::InProgress, |code| {
                format!("`{code}`: ask again with the same ID; or `{}`.", Code::AccountExists)
            }),
            about(Code::BodyTooLarge, |code| format!("`{code}`.")),
            about(Code::UnsupportedMediaType, |code| format!("`{code}`.")),
            internal(),
            about(Code::Overloaded, |code| {
                let codes = any(&[
                    code,
                    Code::Stopping,
                    Code::StoreUnavailable,
                    Code::OutcomeUnknown,
                    Code::StorageFull,
                    Code::StoreDamaged,
                ]);
                let paused = Code::TransfersPaused;
                format!(
                    "{codes}, or `{paused}` for a transfer: send it again with the same ID after `Retry-After`."
                )
            }),
        ])
    }
}

/// `ReadProblems` are the problems that every read may be answered with.
pub(crate) struct ReadProblems;

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([
            about(Code::InvalidRequest, |code| {
                format!("`{code}`: `errors` says which parameter; or `{}`.", Code::UnknownPosition)
            }),
            explained(Code::Unauthenticated),
            explained(Code::Forbidden),
            explained(Code::UriTooLong),
            explained(Code::HeadersTooLarge),
            about(Code::AccountNotFound, |code| {
                format!(
                    "{}, where one is named.",
                    any(&[code, Code::TransactionNotFound, Code::DestinationNotFound])
                )
            }),
            explained(Code::NotAcceptable),
            internal(),
            about(Code::Overloaded, |code| {
                format!(
                    "{}; see `Retry-After`.",
                    any(&[
                        code,
                        Code::Stopping,
                        Code::PositionNotReached,
                        Code::OutcomeUnknown,
                        Code::StoreDamaged
                    ])
                )
            }),
        ])
    }
}

/// A `NotAcceptable` is the problem of a page that is asked for in another form.
pub(crate) struct NotAcceptable;

impl IntoResponses for NotAcceptable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([explained(Code::NotAcceptable)])
    }
}

/// A `NotReady` is the problem of `/readyz`.
pub(crate) struct NotReady;

impl IntoResponses for NotReady {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([about(Code::NotReady, |code| format!("`{code}`: it does not, and why."))])
    }
}

/// An `About` is a status with what is said of its problems.
type About = (StatusCode, String);

/// Returns what is said of the problems with this code's status.
fn about(code: Code, say: impl FnOnce(Code) -> String) -> About {
    (code.status(), say(code))
}

/// Returns a code with what it means.
fn explained(code: Code) -> About {
    about(code, |code| format!("`{code}`: {}.", code.meaning()))
}

fn internal() -> About {
    about(Code::Internal, |code| format!("`{code}`: `incident` finds it in the log."))
}

/// Returns these codes in a sentence: `a`, `b` or `c`.
fn any(codes: &[Code]) -> String {
    any_of(&codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>())
}

fn problems(all: impl IntoIterator<Item = About>) -> BTreeMap<String, RefOr<Response>> {
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = |text: String| {
        ResponseBuilder::new().description(text).content("application/problem+json", content()).build()
    };
    all.into_iter().map(|(status, text)| (status.as_str().to_owned(), response(text).into())).collect()
}
