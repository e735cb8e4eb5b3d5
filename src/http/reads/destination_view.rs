//! [`DestinationView`] is a destination as answers show it: what is recorded of it, what this process knows, and what is
//! counted in the ledger.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::delivery::runner::{Condition, ParkedMessage, Shown};
use crate::domain::delivery::event::DeliveryEvent;
use crate::domain::delivery::failure::Failure;
use crate::domain::delivery::terms::Terms;
use crate::domain::kind::Kind;
use crate::domain::time::Timestamp;
use crate::http::app::App;
use crate::http::openapi::names;
use crate::http::problem::details::Problem;
use crate::ledger::{Lag, Placed, ReadError};
use crate::store::codec::delivery_data;

/// How a destination stands.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct DestinationView {
    /// Its name.
    name: String,
    /// Its kind.
    kind: &'static str,
    /// Where it sends.
    target: String,
    /// How often a message arrives: `at_most_once`, `at_least_once` or `exactly_once_effect`.
    guarantee: &'static str,
    /// Which messages wait for which: `account`, `journal` or `none`.
    order: &'static str,
    /// What is sent there; empty for everything.
    #[schema(value_type = Object)]
    select: Value,
    /// How it stands.
    #[schema(value_type = names::DestinationState)]
    state: &'static str,
    /// Why it is paused; null where it is not.
    #[schema(value_type = Option<names::PauseReason>, required = true)]
    reason: Option<&'static str>,
    /// Since when it stands so; null where that is not known.
    #[schema(format = DateTime, required = true)]
    since: Option<String>,
    /// Who serves it; null where nobody ever has.
    #[schema(required = true)]
    instance: Option<String>,
    /// The term of who serves it: the revision of the event by which it was taken.
    #[schema(required = true)]
    term: Option<u64>,
    /// Everything up to this position is settled or parked.
    through: u64,
    /// How many events of accounts and transfers are after `through`; null where they could not be counted in the time of a
    /// long read: ask again, what was counted is kept.
    #[schema(required = true)]
    lag_events: Option<u64>,
    /// How old the first of them is.
    #[schema(required = true)]
    lag_seconds: Option<u64>,
    /// How many messages are under way.
    in_flight: usize,
    /// How many messages are parked.
    parked: usize,
    /// How many accounts wait behind a parked message.
    held_accounts: usize,
    /// When the event of its oldest parked message was recorded.
    #[schema(format = DateTime, required = true)]
    oldest_parked_at: Option<String>,
    /// How many of its messages are dead letters about which nothing was decided.
    dead_letters_open: u64,
    /// When a message was delivered last, since the service was started.
    #[schema(format = DateTime, required = true)]
    last_delivered_at: Option<String>,
    /// When a message that has failed is tried again.
    #[schema(format = DateTime, required = true)]
    next_attempt_at: Option<String>,
    /// The last failure since the service was started.
    #[schema(required = true)]
    last_error: Option<LastError>,
    /// What is sent again by an operator's order; null where nothing is.
    #[schema(value_type = Option<Object>, required = true)]
    redelivery: Option<Value>,
    /// The revision of its last event.
    revision: u64,
}

/// Why a message was not delivered.
#[derive(Serialize, utoipa::ToSchema)]
struct DeliveryError {
    /// What kind of failure it was.
    class: &'static str,
    /// The receiver's own code, such as an HTTP status.
    #[schema(required = true)]
    code: Option<String>,
    /// Why, in words.
    message: String,
}

/// The last failure, and when it was.
#[derive(Serialize, utoipa::ToSchema)]
struct LastError {
    /// The failure.
    #[serde(flatten)]
    error: DeliveryError,
    /// When it was.
    #[schema(format = DateTime)]
    at: String,
}

/// A message that waits for its next attempt.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ParkedView {
    /// The position of its event.
    position: u64,
    /// Its id.
    message_id: String,
    /// The stream of its event.
    stream: String,
    /// The revision of its event there.
    revision: u64,
    /// How often it has failed.
    attempts: u32,
    /// When it is tried next.
    #[schema(format = DateTime)]
    next_at: String,
    /// Why it is parked.
    error: DeliveryError,
    /// How many of the next 100 events of its stream wait behind it.
    waiting_behind: usize,
}

impl From<&Failure> for DeliveryError {
    fn from(failure: &Failure) -> Self {
        Self {
            class: failure.class.name(),
            code: failure.code.as_ref().map(|code| code.as_str().to_owned()),
            message: failure.message.as_str().to_owned(),
        }
    }
}

impl From<ParkedMessage> for ParkedView {
    fn from(parked: ParkedMessage) -> Self {
        let ParkedMessage { position, message_id, row, waiting_behind } = parked;
        Self {
            position,
            message_id,
            stream: row.stream.to_string(),
            revision: row.revision,
            attempts: row.attempts,
            next_at: row.next_at.to_string(),
            error: DeliveryError::from(&row.error),
            waiting_behind,
        }
    }
}

impl DestinationView {
    /// Makes the view of a destination.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub(crate) async fn of(app: &App, shown: Shown) -> Result<Self, Problem> {
        let condition = shown.condition();
        let since = since(app, &shown, condition).await?;
        let through = through(app, &shown).await?;
        let lag = lag(app, through).await?;
        let oldest = match shown.oldest_parked() {
            Some(position) => app.ledger().recorded_at(position).await?,
            None => None,
        };
        let dead_letters_open = app.ledger().count_letters(&shown.name).await?;
        let (parked, held_accounts) = (shown.parked(), shown.held_accounts());
        let Shown { name, state, seen, .. } = shown;
        let live = seen.as_ref().filter(|seen| seen.is_served);
        let error = seen.as_ref().and_then(|seen| seen.last_error.as_ref());
        Ok(Self {
            name: name.to_string(),
            kind: state.terms.channel.kind(),
            target: state.terms.channel.target().to_owned(),
            guarantee: state.terms.guarantee.name(),
            order: state.terms.order.name(),
            select: select(&state.terms)?,
            state: condition.name(),
            reason: reason(condition),
            since: text(since),
            instance: state.serving.as_ref().map(|serving| serving.instance.as_str().to_owned()),
            term: state.term(),
            through,
            lag_events: lag.map(|lag| lag.events),
            lag_seconds: lag.map(|lag| lag.since.map_or(0, |since| seconds(since, app.ledger().now()))),
            in_flight: live.map_or(0, |seen| seen.in_flight),
            parked,
            held_accounts,
            oldest_parked_at: text(oldest),
            dead_letters_open,
            last_delivered_at: text(seen.as_ref().and_then(|seen| seen.last_delivered_at)),
            next_attempt_at: text(live.and_then(|seen| seen.next_attempt_at)),
            last_error: error.map(|(failure, at)| LastError { error: failure.into(), at: at.to_string() }),
            redelivery: None,
            revision: state.revision,
        })
    }

    /// Returns its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

fn text(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// Returns the whole seconds between two moments.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    let micros = to.micros().saturating_sub(from.micros());
    u64::try_from(micros).unwrap_or_default().checked_div(1_000_000).unwrap_or_default()
}

/// Returns the filter as the event has it that set the destination up.
fn select(terms: &Arc<Terms>) -> Result<Value, Problem> {
    let mut data = Vec::new();
    delivery_data(&DeliveryEvent::Set { terms: Arc::clone(terms), from: None }, &mut data);
    let read: Result<Value, _> = serde_json::from_slice(&data);
    let mut data = read.map_err(|error| Problem::internal("settings could not be written", &error))?;
    Ok(data.get_mut("select").map(Value::take).unwrap_or_default())
}

/// Returns why a destination is paused.
pub(crate) fn reason(condition: Condition) -> Option<&'static str> {
    match condition {
        Condition::Paused(code) => Some(code.name()),
        Condition::Serving | Condition::Down | Condition::Held | Condition::Idle | Condition::Removed => None,
    }
}

/// Returns since when a destination stands so.
async fn since(app: &App, shown: &Shown, condition: Condition) -> Result<Option<Timestamp>, Problem> {
    match condition {
        Condition::Down => Ok(shown.seen.as_ref().and_then(|seen| seen.down_since)),
        Condition::Held | Condition::Idle => Ok(Some(app.deliveries().begun_at())),
        Condition::Serving | Condition::Paused(_) | Condition::Removed => {
            let turn = last_turn(app, shown, condition).await?;
            Ok(turn.map(|placed| placed.event.recorded_at))
        }
    }
}

/// Returns the event since which a destination stands so; nothing where no event says it.
pub(crate) async fn last_turn(
    app: &App,
    shown: &Shown,
    condition: Condition,
) -> Result<Option<Placed>, Problem> {
    let kinds: &'static [Kind] = match condition {
        Condition::Held | Condition::Idle => return Ok(None),
        Condition::Serving | Condition::Down => {
            &[Kind::DestinationSet, Kind::DestinationResume, Kind::ServingTake]
        }
        Condition::Paused(_) => &[Kind::DestinationPause],
        Condition::Removed => &[Kind::DestinationRemove],
    };
    Ok(app.ledger().turn(&shown.name, kinds).await?)
}

/// Returns the position up to which everything is settled. One that has recorded nothing begins with the event that set it up.
pub(crate) async fn through(app: &App, shown: &Shown) -> Result<u64, Problem> {
    if let Some(through) = shown.through() {
        return Ok(through);
    }
    let sets = app.ledger().destination_sets(&shown.name).await?;
    Ok(sets.first().map_or(0, |set| set.position))
}

/// Counts what is behind a destination; nothing where that takes longer than a long read may, or as many are running as may.
async fn lag(app: &App, through: u64) -> Result<Option<Lag>, Problem> {
    match app.ledger().lag(through).await {
        Ok(lag) => Ok(Some(lag)),
        Err(ReadError::TooLong | ReadError::Busy) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_and_never_below_zero() {
        let at = Timestamp::from_micros;
        assert_eq!(seconds(at(0), at(2_999_999)), 2);
        assert_eq!(seconds(at(5), at(0)), 0);
    }
}
