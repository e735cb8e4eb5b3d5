//! The service begins to send to the destinations that its settings name, as far as this folder may.

use std::sync::Arc;

use crate::delivery::runner::{Deliveries, Owner, SettleError};
use crate::delivery::settings::Given;
use crate::ledger::Ledger;

use super::outcome::Error;

/// Says whether an error is of settings that contradict the journal: they are bad settings like any other.
pub(super) fn is_of_settings(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(SettleError::NoBegin { .. }))
}

/// Records what the settings change of the destinations, and begins to send.
///
/// # Errors
/// Fails when the settings contradict the journal, when the ledger can't be read or written, and over an event store where the
/// settings name a destination.
pub(super) async fn begin(
    given: Vec<Given>,
    ledger: &Ledger,
    pause_messages: bool,
) -> Result<Deliveries, Error> {
    if !ledger.is_alone() {
        if let Some(given) = given.first() {
            return Err(format!(
                "line {}: the destination {} can't be served: the ledger lives in an event store, and destinations need one \
                 that lives in the data folder",
                given.line, given.name
            )
            .into());
        }
        return Ok(Deliveries::none(Arc::new(ledger.clone())));
    }
    for path in given.iter().flat_map(|given| &given.readable_by_others) {
        tracing::warn!(path = %path.display(), "this file of a secret can be read by others than the service");
    }
    let owner = Owner::new(ledger.folder_id().await?, pause_messages);
    let deliveries = Deliveries::start(Arc::new(ledger.clone()), given, owner).await?;
    for held in deliveries.list().await?.iter().filter(|shown| shown.is_held) {
        tracing::warn!(
            destination = %held.name,
            "nothing is sent to this destination: the folder is a copy of the one that served it, or --pause-messages was given"
        );
    }
    Ok(deliveries)
}
