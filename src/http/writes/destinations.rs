//! These handlers take what an operator asks of a destination, from the request to its answer.
//!
//! The steps are those of every write of one command (`single`); between them what the act rests on is found, and who serves
//! the destination is told (`delivery::acts`).

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;

use crate::delivery::acts::{self, NotDone};
use crate::delivery::runner::{NotPrepared, Shown};
use crate::domain::command::Command;
use crate::domain::decide::Refusal;
use crate::domain::delivery::decide::Refused;
use crate::http::app::App;
use crate::http::byte_budget::counted;
use crate::http::openapi::responses::DestinationAnswers;
use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;
use crate::http::reads::destination_view::{last_turn, reason};
use crate::http::request::caller::Caller;
use crate::http::request::headers::{IdHeader, OriginHeaders};
use crate::http::request::parameters::DestinationPath;
use crate::http::request::path::Named;
use crate::http::writes::answered::{POSITION, answered, response};
use crate::http::writes::single::{On, read};
use crate::ledger::Verdict;
use crate::wire::op::Op;
use crate::wire::schema;

/// An `Act` is what is asked of the destination that its path names. It is extracted only after its caller was checked.
pub(crate) struct Act {
    app: App,
    caller: Caller,
    destination: Named,
    request: Request,
}

impl FromRequest<App> for Act {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let destination = Named::from_request_parts(&mut parts, app).await?;
        Ok(Self { app: app.clone(), caller, destination, request: Request::from_parts(parts, body) })
    }
}

impl Act {
    async fn book(self, op: Op) -> Result<Response, Problem> {
        let on = On { destination: Some(self.destination.destination()?), ..On::default() };
        let (command, held) = read(&self.app, &self.caller, op, on, self.request).await?;
        let verdict = done(&self.app, command).await?;
        let head = self.app.ledger().answered();
        let answered =
            answered(&self.app, verdict).map_err(|problem| problem.header(POSITION, head.into()))?;
        let response = response(answered);
        Ok(if held.is_any() { counted(response, held) } else { response })
    }
}

/// Sends nothing to a destination for now. No attempt is begun after the answer; what is under way ends.
#[utoipa::path(post, path = "/v1/destinations/{name}/pause", operation_id = "pause_destination",
    tag = "destinations", security(("key" = [])),
    params(DestinationPath, IdHeader, OriginHeaders),
    request_body = schema::DestinationPause, responses(DestinationAnswers))]
pub(crate) async fn pause(act: Act) -> Result<Response, Problem> {
    act.book(Op::PauseDestination).await
}

/// Lets a destination go on that is paused or held: from where it stopped, or after a position or the end of the journal.
#[utoipa::path(post, path = "/v1/destinations/{name}/resume", operation_id = "resume_destination",
    tag = "destinations", security(("key" = [])),
    params(DestinationPath, IdHeader, OriginHeaders),
    request_body = schema::DestinationResume, responses(DestinationAnswers))]
pub(crate) async fn resume(act: Act) -> Result<Response, Problem> {
    act.book(Op::ResumeDestination).await
}

/// Sends a message that says nothing to a destination once, and says what came of it: `delivered`, or `failed` and why.
///
/// A retry gets the first answer, and sends nothing again.
#[utoipa::path(post, path = "/v1/destinations/{name}/test", operation_id = "test_destination",
    tag = "destinations", security(("key" = [])),
    params(DestinationPath, IdHeader, OriginHeaders),
    request_body = schema::DestinationTest, responses(DestinationAnswers))]
pub(crate) async fn test(act: Act) -> Result<Response, Problem> {
    act.book(Op::TestDestination).await
}

/// Does an act, and waits for it as long as a write waits. It goes on also when nobody waits any more.
async fn done(app: &App, command: Command) -> Result<Verdict, Problem> {
    let name = command.stream.destination().cloned();
    let act = acts::act(app.deliveries(), app.ledger(), command);
    let Ok(done) = tokio::time::timeout(app.config().write_wait, act).await else {
        return Err(Problem::new(
            Code::InProgress,
            "The act is still under way: ask again with the same ID.",
        ));
    };
    match (done, name) {
        (Ok(Verdict::Refused(Refusal::Destination(Refused::State(_)))), Some(name)) => {
            let shown = app.deliveries().show(&name).await?;
            Err(wrong_state(app, &shown.ok_or_else(Problem::destination_not_found)?).await?)
        }
        (Ok(verdict), _) => Ok(verdict),
        (Err(NotDone::Unreadable(error)), _) => Err(error.into()),
        (Err(NotDone::Unavailable(why)), _) => Err(why.into()),
        (Err(NotDone::NotPrepared(why)), _) => match why {
            NotPrepared::NotFound => Err(Problem::destination_not_found()),
            NotPrepared::Field(field, problem) => Err(Problem::field(field, problem)),
            NotPrepared::Unreadable(error) => Err(error.into()),
            NotPrepared::State(shown) => Err(wrong_state(app, &shown).await?),
        },
    }
}

/// Makes a 409: the destination stands otherwise. It says how, since when and by whom.
async fn wrong_state(app: &App, shown: &Shown) -> Result<Problem, Problem> {
    let condition = shown.condition();
    let turn = last_turn(app, shown, condition).await?;
    let detail = match reason(condition) {
        Some(reason) => {
            format!("The destination is {} ({reason}): this can't be done now.", condition.name())
        }
        None => format!("The destination is {}: this can't be done now.", condition.name()),
    };
    let problem = Problem::new(Code::DestinationState, detail)
        .with("state", condition.name())
        .with("revision", shown.state.revision);
    let problem = match reason(condition) {
        Some(reason) => problem.with("reason", reason),
        None => problem,
    };
    Ok(match turn {
        Some(turn) => problem
            .with("since", turn.event.recorded_at.to_string())
            .with("by", turn.event.origin.actor.to_string()),
        None => problem,
    })
}
