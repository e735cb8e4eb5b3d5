//! A batch is many commands in one request: a command a line, an answer a line, in the same order.
//!
//! Each line stands for itself: one that is wrong gets its own 400, and the others are booked. All that are right go to the
//! ledger in one call, so that they share its commits. It is bounded by 8 MiB and 10,000 lines.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::response::Response;

use crate::domain::command::Command;
use crate::http::app::App;
use crate::http::byte_budget::{Held, counted};
use crate::http::openapi::responses;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::reply::bytes_of;
use crate::http::request::body::{self, Wanted};
use crate::http::request::caller::Caller;
use crate::http::request::headers::{self, OriginHeaders};
use crate::http::request::negotiate::NDJSON;
use crate::http::request::query::Params;
use crate::http::writes::admitted::{admitted, well_named};
use crate::http::writes::answered::{Answered, POSITION, answered, execute};
use crate::http::writes::under_way::{is_request, place_for};
use crate::sagas::Admitted;
use crate::wire::batch_line;
use crate::wire::commands::Frame;

const LARGEST: usize = 8 * 1024 * 1024;
const MOST_LINES: usize = 10_000;
/// This is how many bytes the answer to a line is taken for.
const ANSWER: usize = 512;
/// This is the most bytes of a batch that is worked on at once. A longer one is worked on by patient threads: it waits, so that
/// no single command does.
const SHORT: usize = 16 * 1024;
/// This is how many lines are worked on before other tasks get their turn.
const AT_ONCE: usize = 128;

/// Books many commands.
#[utoipa::path(post, path = "/v1/batch", operation_id = "book_batch", tag = "writes", security(("key" = [])),
    params(OriginHeaders),
    request_body(content = String, content_type = "application/x-ndjson",
        description = "A command a line, each a `BatchLine`; at most 10,000 lines and 8 MiB."),
    responses((status = 200, body = String, content_type = "application/x-ndjson",
        description = "A line for each line, in order, each a `BatchAnswer`.",
        headers(("Bookonce-Position" = u64, description = "The journal is sure to hold all events at or before it."))),
        responses::WriteProblems))]
pub(crate) async fn batch(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    Params::none(parts.uri.query())?;
    if parts.headers.contains_key(headers::ID) {
        return Err(Problem::field(headers::ID, "has no meaning here: each line has its own ID"));
    }
    let frame = headers::frame(None, &parts.headers, &caller)?;
    let wanted = Wanted { media_type: NDJSON, limit: LARGEST, within: app.config().body_within };
    let (bytes, held) = body::read(&parts.headers, body, wanted, app.budget()).await?;
    let is_short = bytes.len() <= SHORT;
    let work = booked(app.clone(), caller, frame, bytes, held);
    if is_short {
        return work.await;
    }
    let lost = "The work on the batch broke down: send it again with the same IDs.";
    app.patient().run(work).await.unwrap_or_else(|| Err(Problem::new(Code::OutcomeUnknown, lost)))
}

/// Reads the lines, books them, and writes the answers.
async fn booked(
    app: App,
    caller: Caller,
    frame: Frame,
    bytes: Bytes,
    mut held: Held,
) -> Result<Response, Problem> {
    let length = bytes.len();
    let (commands, lines, places) = read(bytes, &frame, &caller, &app).await?;
    app.budget().hold(&mut held, length + lines.len() * ANSWER)?;
    let verdicts = if commands.is_empty() { Vec::new() } else { execute(&app, commands, places).await? };
    let mut verdicts = verdicts.into_iter();
    // A refusal rests only on what is durable by now.
    let head = app.ledger().answered();
    let mut out = Vec::with_capacity(lines.len() * ANSWER);
    let mut position = 0;
    for (place, line) in lines.into_iter().enumerate() {
        if place % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        let outcome = line.and_then(|()| match verdicts.next() {
            Some(verdict) => {
                let outcome = answered(&app, verdict);
                position = position.max(outcome.as_ref().map_or(head, |answered| answered.position));
                outcome
            }
            None => Err(crate::ledger::Unavailable::OutcomeUnknown.into()),
        });
        write(outcome, &mut out);
    }
    let mut response = bytes_of(NDJSON, out);
    response.headers_mut().insert(POSITION, HeaderValue::from(position));
    Ok(counted(response, held))
}

/// `Lines` are the commands of a batch, for each line whether it is the next of them or what is wrong with it, and the places
/// of the transfers that it asks for.
type Lines = (Vec<Command>, Vec<Result<(), Problem>>, Vec<Admitted>);

async fn read(bytes: Bytes, frame: &Frame, caller: &Caller, app: &App) -> Result<Lines, Problem> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    if body.is_empty() {
        return Err(Problem::malformed("The body is empty."));
    }
    let count = memchr::memchr_iter(b'\n', body).count() + 1;
    if count > MOST_LINES {
        return Err(Problem::too_large(format!("A batch has at most {MOST_LINES} lines.")));
    }
    let (mut commands, mut lines) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut places = Vec::new();
    for line in body.split(|byte| *byte == b'\n') {
        let command = batch_line::command(line, frame).map_err(Problem::from);
        let command = match command.and_then(|command| admitted(command, caller)) {
            Ok(command) => well_named(command, app).await,
            Err(problem) => Err(problem),
        };
        let command = match command {
            Ok(command) => {
                let place = place_for(is_request(&command), &command, app).await;
                place.map(|place| places.extend(place)).map(|()| command)
            }
            Err(problem) => Err(problem),
        };
        lines.push(command.map(|command| commands.push(command)));
        if lines.len() % AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok((commands, lines, places))
}

fn write(outcome: Result<Answered, Problem>, out: &mut Vec<u8>) {
    let (status, replayed, body) = match outcome {
        Ok(Answered { answer, replayed, .. }) => (answer.status, replayed, answer.body),
        Err(problem) => (problem.status().as_u16(), false, problem.body()),
    };
    out.extend_from_slice(b"{\"status\":");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.extend_from_slice(if replayed {
        b",\"replayed\":true,\"body\":"
    } else {
        b",\"replayed\":false,\"body\":"
    });
    out.extend_from_slice(&body);
    out.extend_from_slice(b"}\n");
}
