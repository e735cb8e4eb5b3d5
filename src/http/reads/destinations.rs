//! These handlers show destinations: how each stands, how far it has come, and which messages are parked.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::details::Problem;
use crate::http::reads::destination_view::{DestinationView, ParkedView};
use crate::http::reads::min_position::wait;
use crate::http::reads::page::Page;
use crate::http::reply::json;
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, JSON};
use crate::http::request::parameters::{DestinationPath, MinPosition, PageQuery};
use crate::http::request::path::Named;
use crate::http::request::query::Params;

/// All destinations that were ever set up, by their names; those that were removed are among them.
#[utoipa::path(get, path = "/v1/destinations", operation_id = "list_destinations",
    tag = "destinations", security(("key" = [])),
    params(PageQuery, MinPosition),
    responses((status = 200, body = Page<DestinationView>, description = "A page of destinations."),
        responses::ReadProblems))]
pub(crate) async fn list(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[PageQuery::NAMES, MinPosition::NAMES])?;
    let cursors = List::new(&app, "destinations", &params)?;
    let (after, limit) = (cursors.read(&params)?, params.limit()?);
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let all = app.deliveries().list().await?.into_iter();
    let mut rest =
        all.filter(|shown| after.as_deref().is_none_or(|after| shown.name.as_str() > after)).peekable();
    let mut items = Vec::new();
    for shown in rest.by_ref().take(limit) {
        items.push(DestinationView::of(&app, shown).await?);
    }
    let last = items.last().filter(|_| rest.peek().is_some());
    let next = last.map(|last: &DestinationView| cursors.cursor(last.name()));
    json(&Page { items, next })
}

/// How a destination stands.
#[utoipa::path(get, path = "/v1/destinations/{name}", operation_id = "get_destination",
    tag = "destinations", security(("key" = [])),
    params(DestinationPath, MinPosition),
    responses((status = 200, body = DestinationView, description = "How it stands."), responses::ReadProblems))]
pub(crate) async fn one(
    State(app): State<App>,
    _caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[MinPosition::NAMES])?;
    let name = named.destination()?;
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let shown = app.deliveries().show(&name).await?;
    let shown = shown.ok_or_else(Problem::destination_not_found)?;
    json(&DestinationView::of(&app, shown).await?)
}

/// The messages of a destination that wait for their next attempt, in the order of the journal.
#[utoipa::path(get, path = "/v1/destinations/{name}/parked", operation_id = "list_parked_messages",
    tag = "destinations", security(("key" = [])),
    params(DestinationPath, PageQuery, MinPosition),
    responses((status = 200, body = Page<ParkedView>, description = "A page of parked messages."),
        responses::ReadProblems))]
pub(crate) async fn parked(
    State(app): State<App>,
    _caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[PageQuery::NAMES, MinPosition::NAMES])?;
    let name = named.destination()?;
    let cursors = List::new(&app, &format!("parked of {name}"), &params)?;
    let after = cursors.read(&params)?.and_then(|position| position.parse().ok()).unwrap_or(0);
    let limit = params.limit()?;
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let shown = app.deliveries().show(&name).await?.ok_or_else(Problem::destination_not_found)?;
    let found = app.deliveries().parked(&name, &shown.state, (after, limit)).await?;
    let last = found.last().map(|last| last.position);
    let more = last.filter(|last| shown.state.parked.range(last.saturating_add(1)..).next().is_some());
    let next = more.map(|last| cursors.cursor(&last.to_string()));
    json(&Page { items: found.into_iter().map(ParkedView::from).collect(), next })
}
