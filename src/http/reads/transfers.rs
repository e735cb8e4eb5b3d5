//! These handlers show transfers: how one stands, what was done for it, and which there are.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use crate::domain::event::Event;
use crate::domain::ids::{AccountName, Id, Step};
use crate::domain::transfer::Transfer;
use crate::domain::transfer::command::Unmoved;
use crate::domain::transfer::event::Fact;
use crate::domain::transfer::payout::Settlement;
use crate::domain::transfer::stage::Stage;
use crate::domain::transfer::steps::Steps;
use crate::domain::transfer::todo::{Todo, todo};
use crate::http::app::App;
use crate::http::openapi::{names, responses};
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::reads::event_view::Booking;
use crate::http::reads::min_position::wait;
use crate::http::reply::json;
use crate::http::request::caller::Caller;
use crate::http::request::cursor::List;
use crate::http::request::negotiate::{self, JSON};
use crate::http::request::parameters::{MinPosition, PageQuery, TransferFilter, TransferPath, TransferWait};
use crate::http::request::path::Named;
use crate::http::request::query::Params;
use crate::ledger::{Placed, Position, TransferQuery, TransferReading};
use crate::wire::text::NOT_A_NAME;

/// This is the longest time for which a read waits for the end.
const LONGEST_WAIT: u64 = 60;

/// How a transfer stands.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct TransferView {
    /// Its ID.
    #[schema(format = "uuid")]
    transfer: String,
    /// Its state.
    #[schema(value_type = names::TransferState)]
    state: &'static str,
    /// The account that the money comes from.
    from: String,
    /// The side to which it moves.
    to: String,
    /// Its currency.
    currency: String,
    /// What is to move.
    #[schema(example = "40.00")]
    amount: String,
    /// What has moved, once it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<String>,
    /// Why it did not move, or why it needs an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// When it was requested.
    #[schema(format = DateTime)]
    requested_at: String,
    /// When it is stopped, if it has not ended by then.
    #[schema(format = DateTime)]
    deadline_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// What was booked on the accounts.
    steps: Vec<StepView>,
    /// What clients and operators asked of it since.
    acts: Vec<Booking>,
    /// What it waits for; null where it waits for nothing that the service does.
    #[schema(required = true)]
    waits_for: Option<WaitsFor>,
    /// Whether the service drives no transfers at the moment.
    paused: bool,
    /// The business's own ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

/// A step of a transfer.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct StepView {
    /// `hold`, `credit`, `rule-out`, `payout`, `capture` or `release`.
    step: &'static str,
    /// The ID that it was booked with.
    transaction_id: String,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// `done`, `declined` or `ruled_out`.
    outcome: &'static str,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Its place in the journal.
    position: Position,
    /// When it was recorded.
    #[schema(format = DateTime)]
    recorded_at: String,
}

/// What a transfer waits for.
#[derive(Serialize, utoipa::ToSchema)]
struct WaitsFor {
    /// The step.
    step: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
}

/// A transfer in the list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct TransferItem {
    /// Its ID.
    #[schema(format = "uuid")]
    transfer: String,
    /// Its state.
    #[schema(value_type = names::TransferState)]
    state: &'static str,
    /// The account that the money comes from.
    from: String,
    /// The side to which it moves.
    to: String,
    /// Its currency.
    currency: String,
    /// What is to move.
    amount: String,
    /// When it was requested.
    #[schema(format = DateTime)]
    requested_at: String,
    /// When it is stopped, if it has not ended by then.
    #[schema(format = DateTime)]
    deadline_at: String,
    /// The position of its request.
    position: Position,
}

/// A page of the list of transfers.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct TransferPage {
    /// The transfers, the newest first.
    items: Vec<TransferItem>,
    /// What `cursor` takes to go on; null at the end.
    #[schema(required = true)]
    next: Option<String>,
    /// Whether the service drives no transfers at the moment.
    paused: bool,
}

/// How a transfer stands; with `wait`, at its end, when an operator is needed, or after so many seconds.
#[utoipa::path(get, path = "/v1/transfers/{transfer}", operation_id = "get_transfer",
    tag = "transfers", security(("key" = [])),
    params(TransferPath, TransferWait, MinPosition),
    responses((status = 200, body = TransferView, description = "How it stands."), responses::ReadProblems))]
pub(crate) async fn one(
    State(app): State<App>,
    _caller: Caller,
    named: Named,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &[TransferWait::NAMES, MinPosition::NAMES])?;
    let id = named.transfer()?;
    let seconds = |text: &str| text.parse().ok().filter(|seconds| *seconds <= LONGEST_WAIT);
    let within: Option<u64> = params.parsed("wait", seconds, "must be a whole number from 0 to 60")?;
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    if let Some(within) = within {
        app.sagas().wait_for_end(id, Duration::from_secs(within)).await?;
    }
    let not_found = || Problem::new(Code::TransferNotFound, "There is no transfer with this ID.");
    let found = app.ledger().transfer(id).await?.ok_or_else(not_found)?;
    json(&view(&found, &app))
}

const KNOWN: [&[&str]; 3] = [TransferFilter::NAMES, PageQuery::NAMES, MinPosition::NAMES];

/// Lists transfers, the newest first. A page may have fewer than `limit` and still a `next`.
#[utoipa::path(get, path = "/v1/transfers", operation_id = "list_transfers",
    tag = "transfers", security(("key" = [])),
    params(TransferFilter, PageQuery, MinPosition),
    responses((status = 200, body = TransferPage, description = "A page of transfers."),
        responses::ReadProblems))]
pub(crate) async fn list(
    State(app): State<App>,
    _caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let params = Params::read(request.uri().query(), &KNOWN)?;
    let cursors = List::new(&app, "transfers", &params)?;
    let (from, to) = params.period()?;
    let query = TransferQuery {
        state: params.parsed("state", Stage::parse, "is no state of a transfer")?,
        account: params.parsed("account", AccountName::parse, NOT_A_NAME)?,
        from,
        to,
        before: cursors.read(&params)?.and_then(|position| position.parse().ok()),
        limit: params.limit()?,
    };
    negotiate::choose(request.headers(), &[JSON])?;
    wait(&app, &params).await?;
    let found = app.ledger().transfers(query).await?;
    let items = found.transfers.iter().map(|(placed, transfer)| item(placed, transfer)).collect();
    let next = found.more_before.map(|position| cursors.cursor(&position.to_string()));
    json(&TransferPage { items, next, paused: app.ledger().is_paused() })
}

fn item(placed: &Placed, transfer: &Transfer) -> TransferItem {
    let terms = &transfer.terms;
    TransferItem {
        transfer: transfer.id.to_string(),
        state: transfer.stage.name(),
        from: terms.from.to_string(),
        to: terms.to.to_string(),
        currency: terms.currency.to_string(),
        amount: terms.amount.to_string(),
        requested_at: placed.event.recorded_at.to_string(),
        deadline_at: terms.deadline_at.to_string(),
        position: placed.position,
    }
}

fn view(found: &TransferReading, app: &App) -> TransferView {
    let TransferReading { transfer, events, steps } = found;
    let terms = &transfer.terms;
    let mut shown = TransferView {
        transfer: transfer.id.to_string(),
        state: transfer.stage.name(),
        from: terms.from.to_string(),
        to: terms.to.to_string(),
        currency: terms.currency.to_string(),
        amount: terms.amount.to_string(),
        moved: None,
        code: None,
        requested_at: String::new(),
        deadline_at: terms.deadline_at.to_string(),
        ended_at: None,
        steps: shown_steps(steps),
        acts: Vec::new(),
        waits_for: None,
        paused: app.ledger().is_paused(),
        metadata: BTreeMap::new(),
    };
    for placed in events {
        take_in(&mut shown, placed);
    }
    shown.waits_for = waits_for(found, app.sagas().steps(transfer));
    shown
}

fn take_in(shown: &mut TransferView, placed: &Placed) {
    let event = &*placed.event;
    let Some(body) = event.transfer() else { return };
    match &body.fact {
        Fact::Requested { metadata, .. } => {
            shown.requested_at = event.recorded_at.to_string();
            shown.metadata = metadata.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        }
        Fact::Completed { amount, .. } => shown.moved = Some(amount.to_string()),
        Fact::Unmoved(Unmoved::Declined { code, .. } | Unmoved::Compensated { code, .. }) => {
            shown.code = Some(code.as_str());
        }
        Fact::Stalled(stall) => shown.code = Some(stall.code.code()),
        Fact::Resumed(_) => {
            shown.code = None;
            shown.acts.push(Booking::from(placed));
        }
        Fact::CancelRequested(_) | Fact::Abandoned(_) | Fact::Declined { .. } => {
            shown.acts.push(Booking::from(placed));
        }
        Fact::PayoutSettled(said) => {
            // It stands behind the hold, which comes first of all steps.
            let place = usize::from(shown.steps.first().is_some_and(|first| first.step == Step::Hold.name()));
            shown.steps.insert(place, payout(placed, said, &shown.transfer));
            if event.id.client().is_some() {
                shown.acts.push(Booking::from(placed));
            }
        }
        Fact::TimedOut
        | Fact::PayoutSent(_)
        | Fact::PayoutContradicted(_)
        | Fact::Unmoved(Unmoved::Cancelled) => {}
    }
    if body.state.is_end() && !event.is_declined() {
        shown.ended_at = Some(event.recorded_at.to_string());
    }
}

/// Shows what was booked on the accounts for a transfer.
pub(crate) fn shown_steps(steps: &[Placed]) -> Vec<StepView> {
    steps.iter().filter_map(step).collect()
}

fn step(placed: &Placed) -> Option<StepView> {
    let event = &*placed.event;
    let Id::Step { step, .. } = event.id else { return None };
    let outcome = match event.decline_code() {
        Some("prevented") => "ruled_out",
        Some(_) => "declined",
        None => "done",
    };
    Some(StepView {
        step: step.name(),
        transaction_id: event.id.to_string(),
        account: event.stream.account().map(ToString::to_string),
        outcome,
        code: event.decline_code().map(str::to_owned),
        position: placed.position,
        recorded_at: event.recorded_at.to_string(),
    })
}

/// Returns the payout as a step, from the event that says what became of it. It is on no account of the ledger.
fn payout(placed: &Placed, said: &Settlement, transfer: &str) -> StepView {
    StepView {
        step: Step::Payout.name(),
        transaction_id: format!("{transfer}:{}:1", Step::Payout.name()),
        account: None,
        outcome: said.outcome.name(),
        code: said.code.as_ref().map(|code| code.as_str().to_owned()),
        position: placed.position,
        recorded_at: placed.event.recorded_at.to_string(),
    }
}

/// Returns what the service is to do next, as the journal shows it, and since when that is so.
fn waits_for(found: &TransferReading, mut learnt: Steps) -> Option<WaitsFor> {
    let TransferReading { transfer, events, steps } = found;
    for placed in steps {
        learnt.take_in(&placed.event);
    }
    let step = match todo(transfer, &learnt, transfer.terms.deadline_at.plus_seconds(-1)) {
        Todo::Ask(ask) => ask.step().0,
        Todo::Record(..) | Todo::LookAgain
            if transfer.payout.sent || transfer.terms.to.account().is_some() =>
        {
            Step::End
        }
        Todo::Call(_) | Todo::Rest(_) | Todo::Record(..) | Todo::LookAgain => Step::Payout,
        Todo::Nothing => return None,
    };
    let last = |placed: &[Placed]| placed.iter().map(|placed: &Placed| recorded(&placed.event)).max();
    let since = last(events).max(last(steps))?;
    Some(WaitsFor { step: step.name(), since: since.to_string() })
}

fn recorded(event: &Event) -> crate::domain::time::Timestamp {
    event.recorded_at
}
