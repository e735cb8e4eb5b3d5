//! These handlers take what is asked of transfers, from the request to its answer.
//!
//! The steps are those of every write of one command (`single`).

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::Response;

use crate::http::app::App;
use crate::http::openapi::responses::TransferAnswers;
use crate::http::problem::details::Problem;
use crate::http::request::caller::Caller;
use crate::http::request::headers::{IdHeader, OriginHeaders};
use crate::http::request::parameters::TransferPath;
use crate::http::request::path::Named;
use crate::http::writes::single::{On, book_on};
use crate::wire::op::Op;
use crate::wire::schema;

/// An `Act` is what is asked of the transfer that its path names. It is extracted only after its caller was checked.
pub(crate) struct Act {
    app: App,
    caller: Caller,
    transfer: Named,
    request: Request,
}

impl FromRequest<App> for Act {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let transfer = Named::from_request_parts(&mut parts, app).await?;
        Ok(Self { app: app.clone(), caller, transfer, request: Request::from_parts(parts, body) })
    }
}

impl Act {
    async fn book(self, op: Op) -> Result<Response, Problem> {
        let on = On { transfer: Some(self.transfer.transfer()?), ..On::default() };
        book_on(&self.app, &self.caller, op, on, self.request).await
    }
}

/// Moves money from one account to another. The answer says that this was recorded; the end is read at `Location`.
#[utoipa::path(post, path = "/v1/transfers", operation_id = "request_transfer", tag = "transfers", security(("key" = [])),
    params(IdHeader, OriginHeaders),
    request_body = schema::Transfer, responses(TransferAnswers))]
pub(crate) async fn request(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    book_on(&app, &caller, Op::Transfer, On::default(), request).await
}

/// Asks that a transfer does not move. A credit that is already booked wins: the end is read at the transfer.
#[utoipa::path(post, path = "/v1/transfers/{transfer}/cancel", operation_id = "cancel_transfer",
    tag = "transfers", security(("key" = [])),
    params(TransferPath, IdHeader, OriginHeaders),
    request_body = schema::Because, responses(TransferAnswers))]
pub(crate) async fn cancel(act: Act) -> Result<Response, Problem> {
    act.book(Op::CancelTransfer).await
}

/// Says what became of a transfer's payout. Only operators.
#[utoipa::path(post, path = "/v1/transfers/{transfer}/outcome", operation_id = "settle_transfer",
    tag = "transfers", security(("key" = [])),
    params(TransferPath, IdHeader, OriginHeaders),
    request_body = schema::TransferOutcome, responses(TransferAnswers))]
pub(crate) async fn outcome(act: Act) -> Result<Response, Problem> {
    act.book(Op::TransferOutcome).await
}

/// Lets the service go on with a transfer that needs an operator. Only operators.
#[utoipa::path(post, path = "/v1/transfers/{transfer}/retry", operation_id = "retry_transfer",
    tag = "transfers", security(("key" = [])),
    params(TransferPath, IdHeader, OriginHeaders),
    request_body = schema::Because, responses(TransferAnswers))]
pub(crate) async fn retry(act: Act) -> Result<Response, Problem> {
    act.book(Op::RetryTransfer).await
}

/// Leaves a transfer that needs an operator as it is. Only operators.
#[utoipa::path(post, path = "/v1/transfers/{transfer}/abandon", operation_id = "abandon_transfer",
    tag = "transfers", security(("key" = [])),
    params(TransferPath, IdHeader, OriginHeaders),
    request_body = schema::Because, responses(TransferAnswers))]
pub(crate) async fn abandon(act: Act) -> Result<Response, Problem> {
    act.book(Op::AbandonTransfer).await
}
