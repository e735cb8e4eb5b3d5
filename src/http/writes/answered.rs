//! This file makes the answer of a write from the ledger's verdict on its command.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::answers::{self, Answer};
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::same::Difference;
use crate::http::app::App;
use crate::http::problem::code::Code;
use crate::http::problem::details::{PROBLEM_JSON, Problem};
use crate::ledger::{Position, Verdict};
use crate::sagas::Admitted;

/// This is the header with a position at or before which the journal is sure to hold the event.
pub(crate) const POSITION: HeaderName = HeaderName::from_static("bookonce-position");
/// This is the header that says that this answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Asks the ledger for its verdicts on these commands, one each, in order. What they begin of transfers is driven, each in one
/// of these places.
///
/// # Errors
/// Answers 503 when it can't say, 409 when it takes too long; the commands stay in flight then.
pub(crate) async fn execute(
    app: &App,
    commands: Vec<Command>,
    places: Vec<Admitted>,
) -> Result<Vec<Verdict>, Problem> {
    match tokio::time::timeout(app.config().write_wait, app.ledger().execute(commands)).await {
        Ok(verdicts) => {
            let verdicts = verdicts?;
            app.sagas().goes_on(&verdicts, places);
            Ok(verdicts)
        }
        Err(_) => {
            let detail = "The transaction is still being booked: ask again with the same ID.";
            Err(Problem::new(Code::InProgress, detail))
        }
    }
}

/// An `Answered` is an answer that is given now, for the first time or again.
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    pub(crate) replayed: bool,
    pub(crate) position: Position,
}

/// Renders a verdict as an answer or a problem.
pub(crate) fn answered(app: &App, verdict: Verdict) -> Result<Answered, Problem> {
    let rendered = |event: &Event, replayed, position| {
        app.figures().ruled(replayed, event.decline_code());
        Ok(Answered { answer: answers::render(event), replayed, position })
    };
    match verdict {
        Verdict::Booked(event, position) => rendered(&event, false, position),
        Verdict::Replayed(first, position) => rendered(&first, true, position),
        Verdict::Reused { differences, first } => Err(reused(&first, &differences)),
        Verdict::Refused(refusal) => Err(refusal.into()),
        Verdict::Unavailable(why) => Err(why.into()),
    }
}

pub(crate) fn response(answered: Answered) -> Response {
    let Answered { answer, replayed, position } = answered;
    let mut response = Response::new(Body::from(answer.body));
    let accepted = answer.status < 400;
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, if accepted { JSON } else { PROBLEM_JSON });
    headers.insert(POSITION, HeaderValue::from(position));
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Makes a 422: the ID was used for something else.
fn reused(first: &Event, differences: &[Difference]) -> Problem {
    let differences: Vec<_> = differences
        .iter()
        .map(|found| json!({"field": found.field, "first": found.first, "now": found.now}))
        .collect();
    let id = first.id.to_string();
    let original = format!("/v1/transactions/{id}");
    let link = HeaderValue::try_from(format!("<{original}>; rel=\"original\""));
    let problem = Problem::new(
        Code::TransactionIdReused,
        "This ID was used before for another request; nothing was recorded. See `differences`.",
    )
    .with("transaction_id", id)
    .with("differences", differences)
    .with("first_recorded_at", first.recorded_at.to_string())
    .with("original", original);
    match link {
        Ok(link) => problem.header(LINK, link),
        Err(_) => problem,
    }
}
