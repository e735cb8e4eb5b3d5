//! [`Work`] is what every driver works with.

use crate::client::random::Draws;
use crate::domain::command::Command;
use crate::ledger::Ledger;

use super::steps::{Sender, Sent};

/// The `Work` is what every driver works with: the ledger, the way to it, and random numbers.
pub(super) struct Work {
    pub(super) ledger: Ledger,
    pub(super) draws: Draws,
    sender: Sender,
}

impl Work {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self { ledger, draws: Draws::fresh(), sender: Sender::new() }
    }

    /// Waits until every step that waits now has gone to the ledger: steps under way go before new transfers.
    pub(super) async fn room(&self) {
        self.sender.room().await;
    }

    /// Sends a command of the service's own, and says what became of it.
    pub(super) async fn send(&self, command: Command) -> Sent {
        self.sender.send(&self.ledger, command).await
    }
}
