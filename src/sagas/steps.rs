//! Steps go to the ledger one by one, from a place of their own, so that they leave room for clients' commands.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::domain::command::Command;
use crate::domain::decide::Refusal;
use crate::domain::event::Event;
use crate::ledger::{Ledger, Unavailable, Verdict};

/// This is the most steps that wait for the ledger at once, which has a place of its own for so many. The others wait here, in
/// their order: a full queue delays a step and never loses it.
pub(super) const AT_ONCE: usize = 4_096;

/// A `Sent` says what became of a command that the service sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// It is booked, now or before, and this is its event.
    Booked(Arc<Event>),
    /// Its ID was booked before for something else, with this event.
    Other(Arc<Event>),
    /// It was refused; nothing is recorded.
    Refused(Refusal),
    /// Nobody could say: it is sent again.
    Unknown,
    /// What it needs is damaged.
    Damaged,
    /// The service stops.
    Stopping,
}

/// The `Sender` is the one way of the service's own commands to the ledger.
#[derive(Debug)]
pub(super) struct Sender {
    places: Semaphore,
}

impl Sender {
    pub(super) fn new() -> Self {
        Self { places: Semaphore::new(AT_ONCE) }
    }

    /// Waits until every step that waits now has gone to the ledger.
    pub(super) async fn room(&self) {
        let _given_back = self.places.acquire().await;
    }

    /// Sends one command, and says what became of it.
    pub(super) async fn send(&self, ledger: &Ledger, command: Command) -> Sent {
        let Ok(_place) = self.places.acquire().await else { return Sent::Stopping };
        let verdicts = match ledger.execute(vec![command]).await {
            Ok(verdicts) => verdicts,
            Err(why) => return unavailable(why),
        };
        match verdicts.into_iter().next() {
            Some(Verdict::Booked(event, _) | Verdict::Replayed(event, _)) => Sent::Booked(event),
            Some(Verdict::Reused { first, .. }) => Sent::Other(first),
            Some(Verdict::Refused(refusal)) => Sent::Refused(refusal),
            Some(Verdict::Unavailable(why)) => unavailable(why),
            None => Sent::Unknown,
        }
    }
}

fn unavailable(why: Unavailable) -> Sent {
    match why {
        Unavailable::Stopping | Unavailable::FolderReplaced => Sent::Stopping,
        Unavailable::StoreDamaged => Sent::Damaged,
        Unavailable::Overloaded
        | Unavailable::StorageFull
        | Unavailable::StoreUnavailable
        | Unavailable::OutcomeUnknown
        | Unavailable::InProgress
        | Unavailable::ClockInDoubt => Sent::Unknown,
    }
}
