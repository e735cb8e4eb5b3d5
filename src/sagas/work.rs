//! [`Work`] is what every driver works with.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::client::random::Draws;
use crate::domain::command::Command;
use crate::domain::payee::Payee;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::steps::Steps;
use crate::ledger::Ledger;
use crate::payouts::{Provider, Providers};

use super::steps::{Sender, Sent};

/// The `Work` is what every driver works with: the ledger, the way to it, the payout providers, and random numbers.
pub(super) struct Work {
    pub(super) ledger: Ledger,
    pub(super) draws: Draws,
    /// These are set once, before anything is driven.
    providers: OnceLock<Providers>,
    contradicted: AtomicU64,
    sender: Sender,
}

impl Work {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            draws: Draws::fresh(),
            providers: OnceLock::new(),
            contradicted: AtomicU64::new(0),
            sender: Sender::new(),
        }
    }

    /// Waits until every step that waits now has gone to the ledger: steps under way go before new transfers.
    pub(super) async fn room(&self) {
        self.sender.room().await;
    }

    /// Sends a command of the service's own, and says what became of it.
    pub(super) async fn send(&self, command: Command) -> Sent {
        self.sender.send(&self.ledger, command).await
    }

    /// Sets the payout providers, which is done once.
    pub(super) fn pay_through(&self, providers: Providers) {
        let _first = self.providers.set(providers);
    }

    /// Returns the payout providers, where there are any.
    pub(super) fn providers(&self) -> Option<&Providers> {
        self.providers.get()
    }

    /// Returns the provider of a transfer, where it has one and this service is set up with it.
    pub(super) fn provider(&self, transfer: &Transfer) -> Option<&Arc<Provider>> {
        match &transfer.terms.to {
            Payee::Account(_) => None,
            Payee::External(name) => self.providers()?.get(name),
        }
    }

    /// Returns what a driver that starts anew knows of a transfer: nothing but the means of its provider.
    pub(super) fn steps(&self, transfer: &Transfer) -> Steps {
        let mut steps = Steps::default();
        steps.calls.means = self.provider(transfer).map(|provider| provider.means());
        steps
    }

    /// Counts a contradiction that was recorded.
    pub(super) fn was_contradicted(&self) {
        self.contradicted.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many contradictions were recorded here.
    pub(super) fn contradicted(&self) -> u64 {
        self.contradicted.load(Ordering::Relaxed)
    }
}
