//! These handlers show the journal as it is: its head, and its lines, which go out as they are stored.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use crate::http::app::App;
use crate::http::openapi::{responses, schema};
use crate::http::problem::details::Problem;
use crate::http::reads::min_position::wait;
use crate::http::reply::{bytes_of, json};
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, JSON, NDJSON};
use crate::http::request::parameters::{JournalFilter, MinPosition, PageQuery};
use crate::http::request::query::Params;
use crate::ledger::Position;
use crate::store::{codec, lines_of};

/// Where the journal ends.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Head {
    /// Whose journal it is.
    #[schema(format = "uuid")]
    journal_id: String,
    /// The last event's position.
    position: Position,
    /// The last event's hash: keep it elsewhere, and `verify --expect POSITION:HASH` shows later whether anything
    /// before it was changed.
    hash: String,
}

/// Where the journal ends.
#[utoipa::path(get, path = "/v1/journal/head", operation_id = "get_journal_head", tag = "journal", security(("key" = [])),
    params(MinPosition),
    responses((status = 200, body = Head, description = "Its end."), responses::ReadProblems))]
pub(crate) async fn head(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[MinPosition::NAMES])?;
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let head = app.ledger().end().await?;
    json(&Head {
        journal_id: head.journal_id.to_string(),
        position: head.position,
        hash: head.hash.to_string(),
    })
}

/// Events in order.
#[utoipa::path(get, path = "/v1/journal", operation_id = "list_events", tag = "journal", security(("key" = [])),
    params(JournalFilter, PageQuery, MinPosition),
    responses((status = 200, description = "A page of events, each as it is stored; as lines, each is a `JournalEvent`.",
        content((schema::JournalPage = "application/json"),
            (String = "application/x-ndjson"))),
        responses::ReadProblems))]
pub(crate) async fn journal(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let known = [JournalFilter::NAMES, PageQuery::NAMES, MinPosition::NAMES];
    let params = Params::read(request.uri().query(), &known)?;
    let cursors = List::new(&app, "journal", &params)?;
    let cursor = cursors.read(&params)?.and_then(|position| position.parse::<Position>().ok());
    let named = params.position("after")?;
    let after = match (named, cursor) {
        (Some(_), Some(_)) => return Err(Problem::field("after", "goes without `cursor`")),
        (after, cursor) => after.or(cursor).unwrap_or_default(),
    };
    let limit = params.limit()?;
    let form = negotiate::choose(request.headers(), &[JSON, NDJSON])?;
    wait(&app, &params).await?;
    if let Some(named) = named {
        app.ledger().known_position(named).await?;
    }
    if form == NDJSON {
        return Ok(bytes_of(NDJSON, app.ledger().lines(after, limit).await?));
    }
    let found = app.ledger().lines(after, limit + 1).await?;
    let lines: Vec<&[u8]> = lines_of(&found).collect();
    let shown = lines.get(..limit).unwrap_or(&lines);
    let last = shown.last().and_then(|line| codec::position_of(line)).filter(|_| lines.len() > limit);
    let mut out = Vec::with_capacity(found.len() + 64);
    out.extend_from_slice(b"{\"items\":[");
    for (place, line) in shown.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"],\"next\":");
    match last {
        Some(last) => {
            out.extend_from_slice(format!("\"{}\"}}", cursors.cursor(&last.to_string())).as_bytes())
        }
        None => out.extend_from_slice(b"null}"),
    }
    Ok(bytes_of(JSON, out))
}
