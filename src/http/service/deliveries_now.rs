//! How the destinations of the settings stand is gathered here, each time that somebody reads the figures.
//!
//! It costs a read of the index for each. A long lag is counted in the background for two seconds at most, for all of them
//! together; what was counted is kept, so that the next time comes further.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::Sleep;

use crate::delivery::runner::{Condition, Shown};
use crate::domain::delivery::name::DestinationName;
use crate::http::app::App;
use crate::http::problem::details::Problem;
use crate::http::reads::destination_view::through;
use crate::http::service::delivery_figures::DeliveryStanding;
use crate::http::service::numbers::seconds;

/// This is how long the figures wait for the counts of long lags.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns each destination of the settings with how it stands; without that where the ledger can't be read.
pub(super) async fn standings(app: &App) -> Vec<(DestinationName, Option<DeliveryStanding>)> {
    let mut patience = Box::pin(tokio::time::sleep(PATIENCE));
    let mut all = Vec::new();
    for name in app.deliveries().named() {
        let stands = match app.deliveries().show(&name).await {
            Ok(Some(shown)) => standing(app, shown, patience.as_mut()).await.ok(),
            // It is set up as soon as the ledger can be written.
            Ok(None) => Some(DeliveryStanding::default()),
            Err(_) => None,
        };
        all.push((name, stands));
    }
    all
}

async fn standing(app: &App, shown: Shown, patience: Pin<&mut Sleep>) -> Result<DeliveryStanding, Problem> {
    let condition = shown.condition();
    let through = through(app, &shown).await?;
    let lag = tokio::select! {
        biased;
        lag = app.ledger().lag(through) => lag.ok().map(|lag| lag.events),
        () = patience => None,
    };
    let oldest = match shown.oldest_parked() {
        Some(position) => app.ledger().recorded_at(position).await?,
        None => None,
    };
    let (parked, held_accounts) = (shown.parked(), shown.held_accounts());
    let now = app.ledger().now().micros();
    let seen = shown.seen.unwrap_or_default();
    Ok(DeliveryStanding {
        is_expected: match condition {
            Condition::Serving | Condition::Down | Condition::Idle => true,
            Condition::Paused(_) | Condition::Held | Condition::Removed => false,
        },
        is_held: condition == Condition::Held,
        is_down: condition == Condition::Down,
        attempts: seen.attempts.into_iter().collect(),
        last_attempt_at: seen.last_attempt_at,
        unconfirmed: seen.unconfirmed,
        // There can't be more: this many events of all kinds are after it.
        lag: lag.unwrap_or_else(|| app.ledger().head().position.saturating_sub(through)),
        parked,
        held_accounts,
        oldest_parked_seconds: oldest.map_or(0.0, |at| seconds(now.saturating_sub(at.micros()).max(0))),
        term: shown.state.term().unwrap_or_default(),
    })
}
