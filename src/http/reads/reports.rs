//! Reports are sums over the whole ledger: the trial balance and the state digest.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Serialize;

use crate::http::app::App;
use crate::http::openapi::responses;
use crate::http::problem::details::Problem;
use crate::http::reads::min_position::wait;
use crate::http::reply::json;
use crate::http::request::caller::Caller;
use crate::http::request::negotiate::{self, JSON};
use crate::http::request::parameters::{AtPosition, MinPosition};
use crate::http::request::query::Params;
use crate::ledger::{At, Position};

const KNOWN: [&[&str]; 2] = [AtPosition::NAMES, MinPosition::NAMES];

/// Totals that sum to zero.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct TrialBalance {
    /// After which event.
    position: Position,
    /// Do the totals sum to zero in every currency?
    balanced: bool,
    /// The totals.
    totals: Vec<Total>,
}

/// What the accounts of a kind have together in a currency.
#[derive(Serialize, utoipa::ToSchema)]
struct Total {
    /// `guarded` for all accounts of customers, else the name of the ledger's own account.
    #[schema(example = "@cash")]
    kind: String,
    /// The currency.
    currency: String,
    /// The total.
    #[schema(example = "-60.00")]
    total: String,
}

/// The trial balance.
#[utoipa::path(get, path = "/v1/trial-balance", operation_id = "get_trial_balance", tag = "audit", security(("key" = [])),
    params(AtPosition, MinPosition),
    responses((status = 200, body = TrialBalance, description = "Totals by kind of account and currency."),
        responses::ReadProblems))]
pub(crate) async fn trial_balance(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let at = prepared(&app, request.uri(), request.headers()).await?;
    let found = app.ledger().trial_balance(at).await?;
    let guarded = found.guarded.iter().map(|(currency, sum)| ("guarded".to_owned(), currency, sum));
    let internal = found.internal.iter().map(|((name, currency), sum)| (name.clone(), currency, sum));
    let total = |(kind, currency, sum): (String, &crate::domain::currency::Currency, _)| {
        let sum: &crate::domain::money::Money = sum;
        Total { kind, currency: currency.to_string(), total: sum.to_string() }
    };
    let totals = guarded.chain(internal).map(total).collect();
    json(&TrialBalance { position: found.position, balanced: found.balanced(), totals })
}

/// A hash of everything that decisions depend on: equal on any two ledgers with the same history.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Digest {
    /// After which event.
    position: Position,
    /// SHA-256, in hexadecimal.
    digest: String,
}

/// The state digest.
#[utoipa::path(get, path = "/v1/digest", operation_id = "get_digest", tag = "audit", security(("key" = [])),
    params(AtPosition, MinPosition),
    responses((status = 200, body = Digest, description = "The digest."), responses::ReadProblems))]
pub(crate) async fn digest(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let at = prepared(&app, request.uri(), request.headers()).await?;
    let (position, digest) = app.ledger().digest(at).await?;
    json(&Digest { position, digest })
}

/// Checks the request, waits for `min_position`, and returns the position that is asked about.
async fn prepared(app: &App, uri: &Uri, headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let params = Params::read(uri.query(), &KNOWN)?;
    let at = match params.at()?.as_slice() {
        [] => None,
        [At::Position(position)] => Some(*position),
        _ => return Err(Problem::field("at_position", "may be there once")),
    };
    negotiate::choose(headers, &[JSON])?;
    wait(app, &params).await?;
    Ok(at)
}
