//! These handlers take a write of one command from its request to its answer.
//!
//! The order is: who calls, the path, the headers, the body, and only then the ledger. What comes back is the event, new
//! or first seen long ago; both are rendered by the same code, so that a retry gets the same bytes.

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::Response;

use crate::domain::command::Command;
use crate::domain::delivery::name::DestinationName;
use crate::domain::ids::{AccountName, TransactionId};
use crate::http::app::App;
use crate::http::byte_budget::{Held, counted};
use crate::http::openapi::examples::{HOLD, OVERTAKEN};
use crate::http::openapi::responses::WriteAnswers;
use crate::http::problem::details::Problem;
use crate::http::request::body::{self, Wanted};
use crate::http::request::caller::Caller;
use crate::http::request::headers::{self, IdHeader, OriginHeaders};
use crate::http::request::parameters::GuardedPath;
use crate::http::request::path::{Named, NamedHold};
use crate::http::request::query::Params;
use crate::http::writes::admitted::{admitted, well_named};
use crate::http::writes::answered::{POSITION, answered, execute, response};
use crate::http::writes::under_way::{is_request, locate, place_for};
use crate::ledger::{Unavailable, Verdict};
use crate::wire::commands::{Frame, command};
use crate::wire::op::Op;
use crate::wire::schema;

/// This is the most bytes of a body with one command.
const LARGEST: usize = 64 * 1024;
/// This is how many bytes the answer to a command is taken for, besides those of the command, which it may repeat.
const ANSWER: usize = 2 * 1024;

/// A `Write` is a write on the account that its path names. It is extracted only after its caller was checked.
pub(crate) struct Write {
    app: App,
    caller: Caller,
    account: Named,
    request: Request,
}

impl FromRequest<App> for Write {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let account = Named::from_request_parts(&mut parts, app).await?;
        Ok(Self { app: app.clone(), caller, account, request: Request::from_parts(parts, body) })
    }
}

impl Write {
    async fn book(self, op: Op) -> Result<Response, Problem> {
        book(&self.app, &self.caller, op, Some(self.account.guarded()?), self.request).await
    }
}

/// A `Settlement` is a write on the hold that its path names. It is extracted only after its caller was checked.
pub(crate) struct Settlement {
    app: App,
    caller: Caller,
    named: NamedHold,
    request: Request,
}

impl FromRequest<App> for Settlement {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let named = NamedHold::from_request_parts(&mut parts, app).await?;
        Ok(Self { app: app.clone(), caller, named, request: Request::from_parts(parts, body) })
    }
}

impl Settlement {
    async fn book(self, op: Op) -> Result<Response, Problem> {
        let (account, hold) = (Some(self.named.account()?), Some(self.named.hold()?));
        let on = On { account, hold, ..On::default() };
        book_on(&self.app, &self.caller, op, on, self.request).await
    }
}

/// Opens an account.
#[utoipa::path(post, path = "/v1/accounts", operation_id = "open_account", tag = "writes", security(("key" = [])),
    params(IdHeader, OriginHeaders),
    request_body = schema::OpenAccount, responses(WriteAnswers))]
pub(crate) async fn open(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    book(&app, &caller, Op::OpenAccount, None, request).await
}

/// Puts money into an account.
#[utoipa::path(post, path = "/v1/accounts/{account}/deposits", operation_id = "deposit", tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Move, responses(WriteAnswers))]
pub(crate) async fn deposit(write: Write) -> Result<Response, Problem> {
    write.book(Op::Deposit).await
}

/// Takes money out of an account.
#[utoipa::path(post, path = "/v1/accounts/{account}/withdrawals", operation_id = "withdraw",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Move, responses(WriteAnswers))]
pub(crate) async fn withdraw(write: Write) -> Result<Response, Problem> {
    write.book(Op::Withdraw).await
}

/// Takes a movement back, or, where it was never seen on this account, rules it out.
#[utoipa::path(post, path = "/v1/accounts/{account}/reversals", operation_id = "reverse",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Reverse, responses(WriteAnswers))]
pub(crate) async fn reverse(write: Write) -> Result<Response, Problem> {
    write.book(Op::Reverse).await
}

/// Sets money aside on an account.
#[utoipa::path(post, path = "/v1/accounts/{account}/holds", operation_id = "place_hold",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Hold, responses(WriteAnswers))]
pub(crate) async fn hold(write: Write) -> Result<Response, Problem> {
    write.book(Op::Hold).await
}

/// Books out what a hold sets aside, whole or in part.
#[utoipa::path(post, path = "/v1/accounts/{account}/holds/{hold}/capture", operation_id = "capture_hold",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders,
        ("hold" = String, Path, description = "The hold.", format = "uuid", example = json!(HOLD))),
    request_body = schema::Capture, responses(WriteAnswers))]
pub(crate) async fn capture(settlement: Settlement) -> Result<Response, Problem> {
    settlement.book(Op::Capture).await
}

/// Frees what a hold sets aside, or, where the hold was never seen on this account, rules it out.
#[utoipa::path(post, path = "/v1/accounts/{account}/holds/{hold}/release", operation_id = "release_hold",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders,
        ("hold" = String, Path, description = "The hold.", format = "uuid", example = json!(OVERTAKEN))),
    request_body = schema::Release, responses(WriteAnswers))]
pub(crate) async fn release(settlement: Settlement) -> Result<Response, Problem> {
    settlement.book(Op::Release).await
}

/// Puts an account right, against `@corrections`: to a balance, if nothing was booked since, or by an amount.
#[utoipa::path(post, path = "/v1/accounts/{account}/corrections", operation_id = "correct",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Correct, responses(WriteAnswers))]
pub(crate) async fn correct(write: Write) -> Result<Response, Problem> {
    write.book(Op::Correct).await
}

/// Lets nothing out of an account any more.
#[utoipa::path(post, path = "/v1/accounts/{account}/freeze", operation_id = "freeze_account",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Because, responses(WriteAnswers))]
pub(crate) async fn freeze(write: Write) -> Result<Response, Problem> {
    write.book(Op::Freeze).await
}

/// Lets money out of an account again.
#[utoipa::path(post, path = "/v1/accounts/{account}/unfreeze", operation_id = "unfreeze_account",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Because, responses(WriteAnswers))]
pub(crate) async fn unfreeze(write: Write) -> Result<Response, Problem> {
    write.book(Op::Unfreeze).await
}

/// Ends an account.
#[utoipa::path(post, path = "/v1/accounts/{account}/close", operation_id = "close_account",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::Because, responses(WriteAnswers))]
pub(crate) async fn close(write: Write) -> Result<Response, Problem> {
    write.book(Op::Close).await
}

/// Sets how far below zero an account may go. Only operators.
#[utoipa::path(post, path = "/v1/accounts/{account}/overdraft-limit", operation_id = "set_overdraft_limit",
    tag = "writes", security(("key" = [])),
    params(GuardedPath, IdHeader, OriginHeaders),
    request_body = schema::OverdraftLimit, responses(WriteAnswers))]
pub(crate) async fn limit(write: Write) -> Result<Response, Problem> {
    write.book(Op::OverdraftLimit).await
}

/// An `On` says what a path names.
#[derive(Default)]
pub(crate) struct On {
    /// This is the account.
    pub(crate) account: Option<AccountName>,
    /// This is the hold.
    pub(crate) hold: Option<TransactionId>,
    /// This is the transfer.
    pub(crate) transfer: Option<TransactionId>,
    /// This is the destination.
    pub(crate) destination: Option<DestinationName>,
}

async fn book(
    app: &App,
    caller: &Caller,
    op: Op,
    account: Option<AccountName>,
    request: Request,
) -> Result<Response, Problem> {
    book_on(app, caller, op, On { account, ..On::default() }, request).await
}

/// Reads the command of a request, and lets it through when its caller may ask for it and its fields go together. Returns what
/// it holds of the room for large requests, too.
pub(crate) async fn read(
    app: &App,
    caller: &Caller,
    op: Op,
    on: On,
    request: Request,
) -> Result<(Command, Held), Problem> {
    let (parts, body) = request.into_parts();
    Params::none(parts.uri.query())?;
    let On { account, hold, transfer, destination } = on;
    let frame = Frame { hold, transfer, destination, ..headers::frame(account, &parts.headers, caller)? };
    let wanted = Wanted { media_type: "application/json", limit: LARGEST, within: app.config().body_within };
    let (bytes, mut held) = body::read(&parts.headers, body, wanted, app.budget()).await?;
    app.budget().hold(&mut held, bytes.len() + ANSWER)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::malformed("The body is not UTF-8."))?;
    Ok((admitted(command(text, op, frame)?, caller)?, held))
}

/// Takes every write of one command through the same steps.
pub(crate) async fn book_on(
    app: &App,
    caller: &Caller,
    op: Op,
    on: On,
    request: Request,
) -> Result<Response, Problem> {
    let (command, held) = read(app, caller, op, on, request).await?;
    let command = well_named(command, app).await?;
    let is_request = is_request(&command);
    let place = place_for(is_request, &command, app).await?;
    let id = command.id;
    let verdicts = execute(app, vec![command], place.into_iter().collect()).await?;
    // A refusal, or the answer to an ID that was another transaction's, rests only on what is durable by now.
    let head = app.ledger().answered();
    let verdict = verdicts.into_iter().next().unwrap_or(Verdict::Unavailable(Unavailable::OutcomeUnknown));
    let answered = answered(app, verdict).map_err(|problem| problem.header(POSITION, head.into()))?;
    let mut response = response(answered);
    if is_request {
        locate(id, &mut response);
    }
    Ok(if held.is_any() { counted(response, held) } else { response })
}
