//! A statement is an account's events with its balance after each, as JSON or CSV.

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::Response;
use serde::Serialize;

use crate::domain::kind::Kind;
use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::details::Problem;
use crate::http::reads::event_view::Booking;
use crate::http::reads::min_position::wait;
use crate::http::reply::{bytes_of, json};
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, CSV, JSON};
use crate::http::request::parameters::{AccountPath, MinPosition, PageQuery, StatementFilter};
use crate::http::request::path::Named;
use crate::http::request::query::Params;
use crate::ledger::{Statement, StatementQuery};

/// A page of an account's statement.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct StatementPage {
    /// The account.
    account: String,
    /// Its currency.
    currency: String,
    /// The balance before `from`, or zero.
    opening_balance: String,
    /// The balance before `to`, or now.
    closing_balance: String,
    /// Its events, in the order that was asked for.
    items: Vec<Booking>,
    /// What `cursor` takes to go on; null at the end.
    next: Option<String>,
}

const KNOWN: [&[&str]; 3] = [StatementFilter::NAMES, PageQuery::NAMES, MinPosition::NAMES];
/// The media type of a statement in CSV.
const CSV_SHOWN: &str = "text/csv; charset=utf-8; header=present";
/// The text for a kind that does not exist.
pub(crate) const NOT_A_KIND: &str = "must be opening, deposit, withdrawal, reversal, prevention, freeze, \
     unfreeze, close or overdraft_limit";

/// An account's statement.
#[utoipa::path(get, path = "/v1/accounts/{account}/entries", tag = "accounts", security(("key" = [])),
    params(AccountPath, StatementFilter, PageQuery,
        MinPosition),
    responses((status = 200, description = "A page of the statement. As CSV the next page is in `Link`.",
        content((StatementPage = "application/json"), (String = "text/csv"))), responses::ReadProblems))]
pub(crate) async fn statement(
    State(app): State<App>,
    _caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let name = named.guarded()?;
    let params = Params::read(request.uri().query(), &KNOWN)?;
    let cursors = List::new(&app, &format!("entries/{name}"), &params)?;
    let (from, to) = params.period()?;
    let newest = |text: &str| ["oldest", "newest"].iter().position(|order| *order == text).map(|at| at == 1);
    let query = StatementQuery {
        beyond: cursors.read(&params)?.and_then(|revision| revision.parse().ok()),
        newest_first: params.parsed("order", newest, "must be newest or oldest")?.unwrap_or(true),
        kind: params.parsed("kind", Kind::parse, NOT_A_KIND)?,
        from,
        to,
        limit: params.limit()?,
    };
    let form = negotiate::choose(request.headers(), &[JSON, CSV])?;
    wait(&app, &params).await?;
    let Some(found) = app.ledger().statement(&name, query).await? else {
        return Err(Problem::account_not_found());
    };
    let last = found.lines.last().filter(|_| found.more);
    let next = last.map(|last| cursors.cursor(&last.event.revision.to_string()));
    if form == CSV {
        let mut response = bytes_of(CSV_SHOWN, csv(&found, query.newest_first)?);
        response.headers_mut().extend(next.map(|next| (LINK, next_link(request.uri(), &next))));
        return Ok(response);
    }
    json(&StatementPage {
        account: name.to_string(),
        currency: found.currency.to_string(),
        opening_balance: found.opening_balance.to_string(),
        closing_balance: found.closing_balance.to_string(),
        items: found.lines.iter().map(Booking::from).collect(),
        next,
    })
}

fn next_link(uri: &axum::http::Uri, next: &str) -> HeaderValue {
    let others = uri.query().unwrap_or_default().split('&');
    let others = others.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query: Vec<&str> = others.collect();
    let joint = if query.is_empty() { "" } else { "&" };
    let text = format!("<{}?{}{joint}cursor={next}>; rel=\"next\"", uri.path(), query.join("&"));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

const COLUMNS: [&str; 15] = [
    "revision",
    "recorded_at",
    "effective_at",
    "transaction_id",
    "kind",
    "outcome",
    "code",
    "amount",
    "balance",
    "currency",
    "counter_account",
    "reverses",
    "reason",
    "metadata",
    "position",
];

/// The page as CSV (RFC 4180), between two rows that only say how the balance began and ended.
fn csv(page: &Statement, newest_first: bool) -> Result<Vec<u8>, Problem> {
    let failed = |error: csv::Error| Problem::internal("a statement could not be written", &error);
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    out.write_record(COLUMNS).map_err(failed)?;
    let currency = page.currency.to_string();
    let mut rows = vec![standing("opening_balance", page.opening_balance.to_string(), &currency)];
    let lines = page.lines.iter().map(|line| row(Booking::from(line)));
    rows.push(standing("closing_balance", page.closing_balance.to_string(), &currency));
    if newest_first {
        rows.reverse();
    }
    let mut rows = rows.into_iter();
    for row in rows.next().into_iter().chain(lines).chain(rows) {
        out.write_record(&row).map_err(failed)?;
    }
    out.into_inner().map_err(|error| Problem::internal("a statement could not be written", error.error()))
}

fn standing(kind: &str, balance: String, currency: &str) -> [String; 15] {
    let mut row = [const { String::new() }; 15];
    let [_, _, _, _, kind_cell, _, _, _, balance_cell, currency_cell, ..] = &mut row;
    kind.clone_into(kind_cell);
    *balance_cell = balance;
    currency.clone_into(currency_cell);
    row
}

fn row(line: Booking) -> [String; 15] {
    let metadata = if line.metadata.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&line.metadata).unwrap_or_default()
    };
    [
        line.revision.to_string(),
        line.recorded_at,
        line.effective_at,
        line.transaction_id,
        line.kind.to_owned(),
        line.outcome.to_owned(),
        line.code.unwrap_or_default().to_owned(),
        line.amount.unwrap_or_default(),
        line.balance,
        line.currency,
        harmless(line.counter_account.unwrap_or_default()),
        line.reverses.unwrap_or_default(),
        harmless(line.reason.unwrap_or_default()),
        harmless(metadata),
        line.position.to_string(),
    ]
}

/// Makes a text that no spreadsheet takes for a formula. Amounts need it not: they are the ledger's own numbers.
fn harmless(text: String) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{text}")
        }
        _ => text,
    }
}
