//! These handlers show accounts: how they stand, now or at some other time.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use crate::domain::ids::{AccountName, CounterAccount};
use crate::http::app::App;
use crate::http::openapi::{names, responses};
use crate::http::problem::details::Problem;
use crate::http::reads::min_position::wait;
use crate::http::reads::page::Page;
use crate::http::reply::json;
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, JSON};
use crate::http::request::parameters::{AccountPath, AtQuery, MinPosition, PageQuery};
use crate::http::request::path::Named;
use crate::http::request::query::Params;
use crate::ledger::{AccountReading, At, OwnBalances, Position};

/// An account, as a read found it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(title = "Account")]
pub(crate) struct Account {
    /// The position that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_position: Option<Position>,
    /// Its name.
    #[schema(example = "alice")]
    account: String,
    /// Its currency, ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// What it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "60.00")]
    balance: Option<String>,
    /// What is set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.00")]
    held: Option<String>,
    /// What may go out: balance plus overdraft less holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "60.00")]
    available: Option<String>,
    /// How far below zero it may go.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.00")]
    overdraft_limit: Option<String>,
    /// `open`, `frozen`, `closed`; `unopened` at a position before its opening; `internal` for the ledger's own.
    #[schema(value_type = names::AccountStatus)]
    status: &'static str,
    /// The revision of the last event that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    /// In place of `balance` for the ledger's own accounts: by currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    balances: Option<BTreeMap<String, String>>,
}

impl Account {
    fn empty(name: String, at: At, status: &'static str) -> Self {
        Self {
            at_position: match at {
                At::Position(position) => Some(position),
                At::Now | At::Effective(_) | At::Known(_) | At::Both { .. } => None,
            },
            account: name,
            currency: None,
            balance: None,
            held: None,
            available: None,
            overdraft_limit: None,
            status,
            revision: None,
            balances: None,
        }
    }

    fn own(name: &CounterAccount, sums: &OwnBalances, at: At) -> Self {
        Self {
            balances: Some(sums.iter().map(|(code, sum)| (code.to_string(), sum.to_string())).collect()),
            ..Self::empty(name.to_string(), at, "internal")
        }
    }

    fn new(found: AccountReading, at: At) -> Self {
        Self {
            currency: Some(found.currency.to_string()),
            balance: Some(found.balance.to_string()),
            held: Some(found.held.to_string()),
            available: Some(found.available.to_string()),
            overdraft_limit: Some(found.overdraft_limit.to_string()),
            revision: Some(found.revision),
            ..Self::empty(found.name.to_string(), at, found.status.name())
        }
    }
}

/// An `AccountAnswer` is the answer about one account: one reading, or several.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum AccountAnswer {
    /// The account.
    One(Box<Account>),
    /// With several `at_position`: one reading for each, in order.
    Several(Page<Account>),
}

/// How one account stands, or stood.
#[utoipa::path(get, path = "/v1/accounts/{account}", operation_id = "get_account", tag = "accounts", security(("key" = [])),
    params(AccountPath, AtQuery, MinPosition),
    responses((status = 200, body = AccountAnswer,
        description = "The account; with several `at_position`, `items` with one reading for each."),
        responses::ReadProblems))]
pub(crate) async fn one(
    State(app): State<App>,
    _caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[AtQuery::NAMES, MinPosition::NAMES])?;
    let wanted = params.at()?;
    let own = named.internal()?;
    let guarded = if own.is_none() { Some(named.guarded()?) } else { None };
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let several = wanted.len() > 1;
    let wanted = if wanted.is_empty() { vec![At::Now] } else { wanted };
    let mut readings = Vec::new();
    if let Some(name) = &guarded {
        for at in &wanted {
            let reading = app.ledger().account(name, *at).await?;
            readings.push(reading.map(|reading| Account::new(reading, *at)));
        }
    }
    if let Some(name) = &own {
        let told = app.ledger().internal_account(name, &wanted).await?;
        let own = |(sums, at): (Option<OwnBalances>, &At)| sums.map(|sums| Account::own(name, &sums, *at));
        readings.extend(told.into_iter().zip(&wanted).map(own));
    }
    let any = readings.iter().any(Option::is_some);
    let unopened = |at: At| Account::empty(named.text().to_owned(), at, "unopened");
    let mut found: Vec<_> = readings
        .into_iter()
        .zip(&wanted)
        .map(|(reading, at)| reading.unwrap_or_else(|| unopened(*at)))
        .collect();
    match found.pop() {
        Some(last) if any && !several => json(&AccountAnswer::One(Box::new(last))),
        Some(last) if any => {
            found.push(last);
            json(&AccountAnswer::Several(Page { items: found, next: None }))
        }
        _ => Err(Problem::account_not_found()),
    }
}

/// All guarded accounts, by name.
#[utoipa::path(get, path = "/v1/accounts", operation_id = "list_accounts", tag = "accounts", security(("key" = [])),
    params(AtQuery, PageQuery, MinPosition),
    responses((status = 200, body = Page<Account>, description = "A page of accounts."),
        responses::ReadProblems))]
pub(crate) async fn list(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let known = [AtQuery::NAMES, PageQuery::NAMES, MinPosition::NAMES];
    let params = Params::read(request.uri().query(), &known)?;
    let limit = params.limit()?;
    let at = match params.at()?.as_slice() {
        [] => At::Now,
        [at] => *at,
        _ => return Err(Problem::field("at_position", "may be there once in a list")),
    };
    let cursors = List::new(&app, "accounts", &params)?;
    let after = cursors.read(&params)?.and_then(|name| AccountName::parse(&name));
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let found = app.ledger().accounts(after, limit, at).await?;
    let next = found.more_after.map(|last| cursors.cursor(last.as_str()));
    let items = found.accounts.into_iter().map(|reading| Account::new(reading, at)).collect();
    json(&Page { items, next })
}
