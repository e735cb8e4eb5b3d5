//! These handlers show transactions: what happened to an ID, and which transactions there are.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answers;
use crate::domain::account::event::AccountEvent;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::kind::Kind;
use crate::http::app::App;
use crate::http::openapi::examples::WITHDRAWAL;
use crate::http::openapi::{names, responses};
use crate::http::problem::details::Problem;
use crate::http::reads::event_view::Booking;
use crate::http::reads::min_position::wait;
use crate::http::reads::page::Page;
use crate::http::reads::statement::{NOT_A_KIND, NOT_AN_OWN_ACCOUNT};
use crate::http::reads::transfers::{StepView, shown_steps};
use crate::http::reply::json;
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, JSON};
use crate::http::request::parameters::{MinPosition, PageQuery, SearchFilter};
use crate::http::request::path::Named;
use crate::http::request::query::Params;
use crate::ledger::{Placed, SearchQuery, TransactionHistory};
use crate::wire::text::{NOT_A_NAME, NOT_AN_ID};

/// What happened to an ID.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum TransactionAnswer {
    /// It came.
    Seen(Box<Transaction>),
    /// It has not come, and a prevention has.
    RuledOut(RuledOut),
}

/// A transaction that came.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Transaction {
    /// The event that it was recorded with.
    #[serde(flatten)]
    booking: Booking,
    /// What its client was told.
    first_answer: FirstAnswer,
    /// The two sides of it, which sum to zero; none where no money moved.
    entries: Vec<Entry>,
    /// What took it back, in order: a page of it, of 100 where nothing else is asked for.
    reversals: Vec<Booking>,
    /// What `cursor` takes for the next page of `reversals`, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// What settled it, where it is a hold that is not open any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_by: Option<Booking>,
    /// What was booked on the accounts for it, where it is the request of a transfer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    steps: Vec<StepView>,
    /// The corrections that name it, in order; the first 100 where there are more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    corrections: Vec<Booking>,
    /// Where all of them are, when there are more than 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    all_corrections: Option<String>,
    /// The same ID on other accounts, recorded in a race between two instances. Each keeps its own first answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    elsewhere: Vec<Booking>,
    /// Who sent it: a key's id.
    actor: String,
    /// What business process it belongs to.
    correlation_id: String,
    /// What caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
}

/// A transaction that was ruled out before it came.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RuledOut {
    /// The ID.
    transaction_id: String,
    /// `ruled_out`
    #[schema(value_type = names::RuledOutOutcome)]
    outcome: &'static str,
    /// The prevention; one on each account where there are several.
    reversals: Vec<Booking>,
    /// What `cursor` takes for the next page of `reversals`, when there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An answer that was given.
#[derive(Serialize, utoipa::ToSchema)]
struct FirstAnswer {
    /// Its HTTP status.
    status: u16,
    /// Its body, byte for byte.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
}

/// One side of a movement.
#[derive(Serialize, utoipa::ToSchema)]
struct Entry {
    /// Whose.
    account: String,
    /// What it gained; negative where it lost.
    amount: String,
}

/// What happened to a transaction ID; a teller asks for its own. A 404 does not prove that it never will be booked;
/// only a prevention does.
#[utoipa::path(get, path = "/v1/transactions/{id}", operation_id = "get_transaction",
    tag = "transactions", security(("key" = [])),
    params(("id" = String, Path,
        description = "The transaction's ID: a client's UUID, or one of the service's own (`UUID:step:n`).",
        pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[a-z-]{3,13}:[1-9][0-9]{0,8})?$",
        example = json!(WITHDRAWAL)),
        PageQuery, MinPosition),
    responses((status = 200, body = TransactionAnswer, description = "What happened to it."),
        responses::ReadProblems))]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[PageQuery::NAMES, MinPosition::NAMES])?;
    let id = named.transaction()?;
    let cursors = List::new(&app, &format!("reversals/{id}"), &params)?;
    let after = cursors.read(&params)?.and_then(|position| position.parse().ok()).unwrap_or(0);
    let limit = params.limit()?;
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let Some(found) = app.ledger().transaction_page(id, after, limit).await? else {
        return Err(Problem::transaction_not_found());
    };
    caller.may_see(&found)?;
    let last = found.reversals.last().filter(|_| found.more_reversals);
    let next = last.map(|last| cursors.cursor(&last.position.to_string()));
    json(&match &found.first {
        Some(first) => {
            let mut shown = seen(first, &found)?;
            shown.next = next;
            if let Some(transfer) = first.event.stream.transfer().filter(|_| first.event.revision == 0) {
                let transfer = app.ledger().transfer(transfer).await?;
                shown.steps = transfer.map(|found| shown_steps(&found.steps)).unwrap_or_default();
            }
            TransactionAnswer::Seen(Box::new(shown))
        }
        None => TransactionAnswer::RuledOut(RuledOut {
            transaction_id: id.to_string(),
            outcome: "ruled_out",
            reversals: shown(&found.reversals),
            next,
        }),
    })
}

fn shown(events: &[Placed]) -> Vec<Booking> {
    events.iter().map(Booking::from).collect()
}

fn seen(first: &Placed, found: &TransactionHistory) -> Result<Transaction, Problem> {
    let event = &*first.event;
    let answer = answers::render(event);
    let unreadable =
        |error: &(dyn std::error::Error + 'static)| Problem::internal("an answer is no JSON", error);
    let body = String::from_utf8(answer.body).map_err(|error| unreadable(&error))?;
    let body = RawValue::from_string(body).map_err(|error| unreadable(&error))?;
    let correlation = event.origin.correlation.as_deref();
    Ok(Transaction {
        booking: Booking::from(first),
        first_answer: FirstAnswer { status: answer.status, body },
        entries: entries(event),
        reversals: shown(&found.reversals),
        next: None,
        corrections: shown(&found.corrections),
        all_corrections: found.more_corrections.then(|| format!("/v1/transactions?corrects={}", event.id)),
        steps: Vec::new(),
        settled_by: found.settled_by.as_ref().map(Booking::from),
        elsewhere: shown(&found.elsewhere),
        actor: event.origin.actor.to_string(),
        correlation_id: correlation.map_or_else(|| event.id.to_string(), str::to_owned),
        causation_id: event.origin.causation.as_deref().map(str::to_owned),
    })
}

fn entries(event: &Event) -> Vec<Entry> {
    let Some(entries) = event.account().and_then(AccountEvent::entries) else { return Vec::new() };
    let own = Entry {
        account: event.stream.account().map(ToString::to_string).unwrap_or_default(),
        amount: entries.guarded.to_string(),
    };
    let other = entries.guarded.negated().to_string();
    vec![own, Entry { account: entries.counter_account.to_string(), amount: other }]
}

const KNOWN: [&[&str]; 3] = [SearchFilter::NAMES, PageQuery::NAMES, MinPosition::NAMES];

/// Searches transactions, newest first.
#[utoipa::path(get, path = "/v1/transactions", operation_id = "search_transactions",
    tag = "transactions", security(("key" = [])),
    params(SearchFilter, PageQuery, MinPosition),
    responses((status = 200, body = Page<Booking>, description = "A page of transactions, newest first."),
        responses::ReadProblems))]
pub(crate) async fn search(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &KNOWN)?;
    let cursors = List::new(&app, "transactions", &params)?;
    let limit = params.limit()?;
    let (from, to) = params.period()?;
    let accepted = |text: &str| ["declined", "accepted"].iter().position(|it| *it == text).map(|at| at == 1);
    let query = SearchQuery {
        account: params.parsed("account", AccountName::parse, NOT_A_NAME)?,
        kind: params.parsed("kind", Kind::parse, NOT_A_KIND)?,
        counter_account: params.parsed("counter_account", CounterAccount::parse, NOT_AN_OWN_ACCOUNT)?,
        corrects: params.parsed("corrects", TransactionId::parse, NOT_AN_ID)?,
        accepted: params.parsed("outcome", accepted, "must be accepted or declined")?,
        from,
        to,
        before: cursors.read(&params)?.and_then(|position| position.parse().ok()),
        limit: limit + 1,
    };
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let found = app.ledger().search(query).await?;
    let more = found.len() > limit;
    let items: Vec<Booking> = found.iter().take(limit).map(Booking::from).collect();
    let next = items.last().filter(|_| more).map(|last| cursors.cursor(&last.position.to_string()));
    json(&Page { items, next })
}
