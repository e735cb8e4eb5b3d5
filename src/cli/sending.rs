//! The service begins to send to the destinations that its settings name: as the process that has the ledger's folder, or as
//! one of several instances over an event store.

use std::sync::Arc;

use crate::client::random::Draws;
use crate::delivery::runner::{Deliveries, Owner, SettleError};
use crate::delivery::settings::Given;
use crate::domain::delivery::contest::Waits;
use crate::domain::delivery::event::PauseCode;
use crate::domain::transfer::payout::Label;
use crate::ledger::Ledger;

use super::outcome::Error;

/// A `Sending` is what the settings and the command line say of messages out.
pub(super) struct Sending {
    /// These are the destinations.
    pub(super) given: Vec<Given>,
    /// This is the generation of the settings; `None` where they say nothing of messages.
    pub(super) generation: Option<u64>,
    /// This is true where nothing is to be sent this time.
    pub(super) is_paused: bool,
}

/// Says whether an error is of settings that contradict the journal: they are bad settings like any other.
pub(super) fn is_of_settings(error: &Error) -> bool {
    match error.downcast_ref() {
        Some(SettleError::NoBegin { .. } | SettleError::SameGeneration { .. }) => true,
        Some(SettleError::Unreadable(_) | SettleError::NotRecorded(..)) | None => false,
    }
}

/// Makes the deliveries of a ledger. In a data folder it records what the settings change and begins to send; over an event
/// store [`contradicted`] does that when the store is there.
///
/// # Errors
/// Fails when the settings contradict the journal, or the ledger can't be read or written.
pub(super) async fn begin(sending: Sending, ledger: &Ledger) -> Result<Deliveries, Error> {
    let Sending { given, generation, is_paused } = sending;
    for path in given.iter().flat_map(|given| &given.readable_by_others) {
        tracing::warn!(path = %path.display(), "this file of a secret can be read by others than the service");
    }
    if !ledger.is_alone() {
        let owner = Owner::instance(instance_name(), generation, Waits::default(), is_paused);
        return Ok(Deliveries::new(Arc::new(ledger.clone()), given, owner));
    }
    let owner = Owner::new(ledger.folder_id().await?, is_paused);
    let deliveries = Deliveries::start(Arc::new(ledger.clone()), given, owner).await?;
    for held in deliveries.list().await?.iter().filter(|shown| shown.is_held) {
        tracing::warn!(
            destination = %held.name,
            "nothing is sent to this destination: the folder is a copy of the one that served it, or --pause-messages was given"
        );
    }
    Ok(deliveries)
}

/// Begins over an event store as soon as it is there. It resolves when the settings contradict what is recorded there, or the
/// data folder can't be used, and never else.
pub(super) async fn contradicted(deliveries: Deliveries, ledger: Ledger) -> Error {
    if !ledger.is_alone() {
        tokio::select! {
            begun = begin_over_store(&deliveries, &ledger) => match begun {
                Ok(()) => ledger.notes_that_it_went_back().await,
                Err(error) => return error,
            },
            () = ledger.notes_that_it_went_back() => {}
        }
    }
    std::future::pending().await
}

/// Begins. Where the store went back before, every destination is paused first.
async fn begin_over_store(deliveries: &Deliveries, ledger: &Ledger) -> Result<(), Error> {
    let went_back = ledger.went_back()?;
    deliveries.begin_when_ready(went_back.then_some(PauseCode::StoreWentBack)).await?;
    if went_back {
        ledger.paused_for_that()?;
    }
    Ok(())
}

/// Makes the name of this instance: that of the machine, and a random part that no other start of a process has.
fn instance_name() -> Label {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "instance" } else { host.trim() };
    let random = Draws::fresh().id();
    Label::cut(&format!("{host:.64}/{random}"))
        .unwrap_or_else(|| Label::of_id(uuid::Uuid::from_bytes(*random.as_bytes())))
}
