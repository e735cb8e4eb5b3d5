//! The steps of a transfer that are decided on an account are its hold, its credit, and the ruling out of its credit. Its
//! capture and its release are those of a hold (`settle`).

use crate::domain::account::checks::{Checks, Outcome};
use crate::domain::account::decline::Decline;
use crate::domain::account::event::{Fact, Terms};
use crate::domain::command::{Crediting, Holding, RulingOut};
use crate::domain::refusal::Refusal;

/// Decides on the hold of a transfer: as on a client's, but it never expires, and there is no bound to their number here.
pub(in crate::domain::account) fn hold(checks: Checks<'_>, asked: &Holding) -> Result<Outcome, Refusal> {
    let amount = asked.amount.fit(checks.account.currency).map_err(Refusal::amount("amount"))?;
    let allowed = checks.open_and_not_frozen().and_then(|()| not_prevented(checks));
    let allowed = allowed.and_then(|()| checks.funds(amount.money()));
    let terms = || Terms::Transfer { transfer: asked.transfer, to: asked.to.clone() };
    Ok(allowed.map(|()| Fact::HoldPlaced { amount, terms: terms() }))
}

/// Decides on the credit of a transfer. It passes a freeze.
pub(in crate::domain::account) fn credit(checks: Checks<'_>, asked: &Crediting) -> Result<Outcome, Refusal> {
    let amount = asked.amount.fit(checks.account.currency).map_err(Refusal::amount("amount"))?;
    let allowed = checks.open().and_then(|()| not_prevented(checks));
    let allowed = allowed.and_then(|()| checks.room(amount.money()));
    let (transfer, from) = (asked.transfer, asked.from.clone());
    Ok(allowed.map(|()| Fact::TransferCredited { transfer, amount, from }))
}

/// Decides on the ruling out of a credit. Where the credit was decided before, nothing is recorded: whichever was first on
/// this stream counts for ever. It passes on a closed account, as every prevention does.
pub(in crate::domain::account) fn rule_out(checks: Checks<'_>, asked: RulingOut) -> Result<Outcome, Refusal> {
    if let Some(credit) = checks.standing.named.and_then(|trace| trace.first.as_deref()) {
        return Err(Refusal::CreditDecided(credit.decline()));
    }
    let RulingOut { transfer, code } = asked;
    Ok(Ok(Fact::CreditPrevented { transfer, code }))
}

/// Checks that no client has ruled the transfer out on this account before this step came.
fn not_prevented(checks: Checks<'_>) -> Result<(), Decline> {
    let by = checks.standing.named.and_then(|trace| trace.ruled_out_by);
    by.map_or(Ok(()), |by| Err(Decline::Prevented(by)))
}
