//! These handlers show holds: those of an account that are open, and what became of one.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use crate::domain::account::event::{AccountEvent, Fact, Terms};
use crate::domain::account::hold::open_holds::Hold;
use crate::domain::ids::Id;
use crate::http::app::App;
use crate::http::openapi::examples::HOLD;
use crate::http::openapi::{names, responses};
use crate::http::problem::details::Problem;
use crate::http::reads::event_view::Booking;
use crate::http::reads::min_position::wait;
use crate::http::reads::page::Page;
use crate::http::reply::json;
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, JSON};
use crate::http::request::parameters::{GuardedPath, MinPosition, PageQuery};
use crate::http::request::path::{Named, NamedHold};
use crate::http::request::query::Params;
use crate::ledger::HoldHistory;

/// A hold of an account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(title = "Hold")]
pub(crate) struct HoldView {
    /// The ID that it was placed with.
    hold: String,
    /// What became of it.
    #[schema(value_type = names::HoldState)]
    state: &'static str,
    /// What it set aside; not there for one that was ruled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "40.00")]
    amount: Option<String>,
    /// What was booked out of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    captured: Option<String>,
    /// When it expires, or would have; not there for that of a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The transfer whose hold it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    transfer: Option<String>,
    /// What settled it or ruled it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_by: Option<Booking>,
}

impl HoldView {
    fn open(hold: &Hold) -> Self {
        Self {
            hold: hold.id.to_string(),
            state: "open",
            amount: Some(hold.amount.to_string()),
            captured: None,
            expires_at: hold.expires_at.map(|at| at.to_string()),
            transfer: hold.id.transfer().map(|id| id.to_string()),
            settled_by: None,
        }
    }

    fn of(id: Id, found: &HoldHistory) -> Self {
        let body = |placed: &crate::ledger::Placed| placed.event.account().cloned();
        let placed = found.placed.as_ref().and_then(body);
        let settled_by = found.settled_by.as_ref().and_then(body);
        let (state, captured) = settled_by.as_ref().map_or(("open", None), became);
        let (amount, expires_at) = placed.as_ref().map_or((None, None), terms);
        Self {
            hold: id.to_string(),
            state,
            amount,
            captured,
            expires_at,
            transfer: id.transfer().map(|id| id.to_string()),
            settled_by: found.settled_by.as_ref().map(Booking::from),
        }
    }
}

/// Returns what a hold set aside, and when it expires.
fn terms(placed: &AccountEvent) -> (Option<String>, Option<String>) {
    let Fact::HoldPlaced { amount, terms } = &placed.fact else { return (None, None) };
    let expires_at = match terms {
        Terms::Client { expires_at, .. } => Some(expires_at.to_string()),
        Terms::Transfer { .. } => None,
    };
    (Some(amount.to_string()), expires_at)
}

/// Returns what became of a hold by this event, and what was booked out of it.
fn became(by: &AccountEvent) -> (&'static str, Option<String>) {
    match &by.fact {
        Fact::HoldCaptured { amount, .. } => ("captured", Some(amount.to_string())),
        Fact::HoldReleased { .. } => ("released", None),
        Fact::HoldExpired { .. } => ("expired", None),
        Fact::HoldPrevented { .. }
        | Fact::Prevented { .. }
        | Fact::AccountOpened { .. }
        | Fact::Deposited(_)
        | Fact::Withdrawn(_)
        | Fact::Reversed { .. }
        | Fact::Corrected(_)
        | Fact::Frozen(_)
        | Fact::Unfrozen(_)
        | Fact::Closed(_)
        | Fact::OverdraftLimitChanged { .. }
        | Fact::HoldPlaced { .. }
        | Fact::TransferCredited { .. }
        | Fact::CreditPrevented { .. }
        | Fact::Declined { .. } => ("prevented", None),
    }
}

/// The open holds of an account, in the order in which they expire; those of transfers, which never do, come last.
#[utoipa::path(get, path = "/v1/accounts/{account}/holds", operation_id = "list_holds", tag = "accounts",
    security(("key" = [])), params(GuardedPath, PageQuery, MinPosition),
    responses((status = 200, body = Page<HoldView>, description = "A page of open holds."),
        responses::ReadProblems))]
pub(crate) async fn list(
    State(app): State<App>,
    _caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[PageQuery::NAMES, MinPosition::NAMES])?;
    let limit = params.limit()?;
    let account = named.guarded()?;
    let cursors = List::new(&app, &format!("holds of {account}"), &params)?;
    let after = cursors.read(&params)?.and_then(|text| {
        let (micros, id) = text.split_once(' ')?;
        Some((micros.parse().ok()?, Id::parse(id)?))
    });
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let found = app.ledger().open_holds(&account, after, limit).await?;
    let found = found.ok_or_else(Problem::account_not_found)?;
    let next = found.holds.last().filter(|_| found.more).map(|last| {
        let (micros, id) = last.order();
        cursors.cursor(&format!("{micros} {id}"))
    });
    json(&Page { items: found.holds.iter().map(HoldView::open).collect(), next })
}

/// One hold of an account, and what became of it.
#[utoipa::path(get, path = "/v1/accounts/{account}/holds/{hold}", operation_id = "get_hold", tag = "accounts",
    security(("key" = [])),
    params(GuardedPath, ("hold" = String, Path, description = "The hold.", example = json!(HOLD)), MinPosition),
    responses((status = 200, body = HoldView, description = "The hold."), responses::ReadProblems))]
pub(crate) async fn one(
    State(app): State<App>,
    _caller: Caller,
    named: NamedHold,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[MinPosition::NAMES])?;
    let (account, id) = (named.account()?, named.any_hold()?);
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let found = app.ledger().hold(&account, id).await?;
    json(&HoldView::of(id, &found.ok_or_else(Problem::hold_not_found)?))
}
