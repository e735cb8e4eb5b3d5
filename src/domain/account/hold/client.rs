//! A client's hold is placed here.

use crate::domain::account::checks::{Checks, Outcome};
use crate::domain::account::decline::Decline;
use crate::domain::account::event::{Fact, Terms};
use crate::domain::command::Placing;
use crate::domain::refusal::Refusal;
use crate::domain::time::Now;

/// This is the most open holds of clients that an account has.
const MOST: usize = 1_000;

/// Decides on a client's hold. It expires so many seconds after it is recorded.
pub(in crate::domain::account) fn place(
    checks: Checks<'_>,
    asked: &Placing,
    now: Now,
) -> Result<Outcome, Refusal> {
    let amount = asked.amount.fit(checks.account.currency).map_err(Refusal::amount("amount"))?;
    let few = || if checks.account.holds.of_clients() < MOST { Ok(()) } else { Err(Decline::TooManyHolds) };
    let allowed =
        checks.open_and_not_frozen().and_then(|()| few()).and_then(|()| checks.funds(amount.money()));
    let terms = || Terms::Client {
        expires_in_seconds: asked.expires_in_seconds,
        expires_at: now.recorded_at.plus_seconds(asked.expires_in_seconds.get().into()),
        metadata: asked.metadata.clone(),
    };
    Ok(allowed.map(|()| Fact::HoldPlaced { amount, terms: terms() }))
}
