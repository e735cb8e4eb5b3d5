//! A statement is an account's events with its balance after each, as JSON or CSV.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use crate::domain::ids::CounterAccount;
use crate::domain::kind::Kind;
use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::details::Problem;
use crate::http::reads::event_view::Booking;
use crate::http::reads::min_position::wait;
use crate::http::reads::own_statement::{self, OwnStatementPage};
use crate::http::reads::{own_statement_csv, statement_csv};
use crate::http::reply::{bytes_of, json};
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, CSV, JSON};
use crate::http::request::parameters::{AccountPath, MinPosition, PageQuery, StatementFilter};
use crate::http::request::path::Named;
use crate::http::request::query::Params;
use crate::ledger::StatementQuery;

/// A page of a statement: of a guarded account, or of one of the ledger's own.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum StatementAnswer {
    /// Of a guarded account.
    Guarded(StatementPage),
    /// Of one of the ledger's own.
    Own(OwnStatementPage),
}

/// A page of an account's statement.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct StatementPage {
    /// The account.
    account: String,
    /// Its currency.
    currency: String,
    /// The balance before the earliest line that this page goes over.
    opening_balance: String,
    /// The balance after the latest line that this page goes over: the opening balance of the page that follows in time.
    closing_balance: String,
    /// Its events, in the order that was asked for.
    items: Vec<Booking>,
    /// What `cursor` takes to go on; null at the end.
    #[schema(required = true)]
    next: Option<String>,
}

const KNOWN: [&[&str]; 3] = [StatementFilter::NAMES, PageQuery::NAMES, MinPosition::NAMES];
/// This is the media type of a statement in CSV.
const CSV_SHOWN: &str = "text/csv; charset=utf-8; header=present";
/// This is how many lines of a statement in CSV are read at once.
const CSV_PAGE: usize = 1_000;
/// This is the text for what is no name of an own account.
pub(crate) const NOT_AN_OWN_ACCOUNT: &str =
    "must be the name of an account of the ledger's own, such as @cash";
/// This is the text for a kind that does not exist.
pub(crate) const NOT_A_KIND: &str = "must be opening, deposit, withdrawal, reversal, prevention, freeze, \
     unfreeze, close, overdraft_limit, correction, hold, capture, release, expiry, transfer_out or transfer_in";

/// An account's statement. Its pages, and its form as CSV, show the account as it was when the first page was asked for.
#[utoipa::path(get, path = "/v1/accounts/{account}/entries", operation_id = "get_statement",
    tag = "accounts", security(("key" = [])),
    params(AccountPath, StatementFilter, PageQuery,
        MinPosition),
    responses((status = 200, description = "A page of the statement, or as CSV all of it, without `cursor` and `limit`.",
        content((StatementAnswer = "application/json"), (String = "text/csv"))), responses::ReadProblems))]
pub(crate) async fn statement(
    State(app): State<App>,
    _caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let own = named.internal()?;
    let params = Params::read(request.uri().query(), &KNOWN)?;
    let cursors = List::new(&app, &format!("entries/{}", named.text()), &params)?;
    let (from, to) = params.period()?;
    let newest = |text: &str| ["oldest", "newest"].iter().position(|order| *order == text).map(|at| at == 1);
    let cursor = cursors.read(&params)?;
    let (beyond, end) = cursor.as_deref().map_or((None, None), place);
    let query = StatementQuery {
        beyond,
        end,
        newest_first: params.parsed("order", newest, "must be newest or oldest")?.unwrap_or(true),
        kind: params.parsed("kind", Kind::parse, NOT_A_KIND)?,
        counter_account: params.parsed("counter_account", CounterAccount::parse, NOT_AN_OWN_ACCOUNT)?,
        from,
        to,
        limit: params.limit()?,
    };
    if own.is_some() && query.counter_account.is_some() {
        return Err(Problem::field("counter_account", "goes with the statement of a guarded account"));
    }
    let form = negotiate::choose(request.headers(), &[JSON, CSV])?;
    if let (CSV, Some(name)) = (form, PageQuery::NAMES.iter().find(|name| params.get(name).is_some())) {
        return Err(Problem::field(*name, "goes with JSON only: as CSV the statement comes whole"));
    }
    wait(&app, &params).await?;
    let query = StatementQuery { limit: if form == CSV { CSV_PAGE } else { query.limit }, ..query };
    if let Some(own) = own {
        let had = cursor.as_deref().and_then(own_statement::carried);
        let found = app.ledger().own_statement(&own, query.clone(), had).await?;
        let found = found.ok_or_else(Problem::account_not_found)?;
        if form == CSV {
            let whole = own_statement_csv::whole(app.ledger().clone(), own, query, found);
            return Ok(bytes_of(CSV_SHOWN, whole));
        }
        return json(&StatementAnswer::Own(own_statement::page(&own, &cursors, &found)));
    }
    let name = named.guarded()?;
    let Some(found) = app.ledger().statement(&name, query.clone()).await? else {
        return Err(Problem::account_not_found());
    };
    if form == CSV {
        return Ok(bytes_of(CSV_SHOWN, statement_csv::whole(app.ledger().clone(), name, query, found)));
    }
    let last = found.lines.last().filter(|_| found.more);
    let next = last.map(|last| cursors.cursor(&format!("{}:{}", last.event.revision, found.end)));
    json(&StatementAnswer::Guarded(StatementPage {
        account: name.to_string(),
        currency: found.currency.to_string(),
        opening_balance: found.opening_balance.to_string(),
        closing_balance: found.closing_balance.to_string(),
        items: found.lines.iter().map(Booking::from).collect(),
        next,
    }))
}

/// Returns the place that a cursor names: the last revision (of an own account, the last position) that was shown, and the one
/// before which the first page ended. A cursor of an earlier version of this program has the first alone.
fn place(cursor: &str) -> (Option<u64>, Option<u64>) {
    let mut parts = cursor.split(':').map(|part| part.parse().ok());
    (parts.next().flatten(), parts.next().flatten())
}
