//! Whether transfers are driven is asked of the ledger, which ends a pause as soon as it knows where the journal ends.

use crate::domain::ids::{Id, TransactionId};
use crate::tasks;

use super::handle::Ledger;
use super::types::ReadError;

impl Ledger {
    /// Says whether nothing is written for transfers and expiries of the service's own accord.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.0.pause.is_paused()
    }

    /// Returns why transfers are paused, as the end of a sentence; `None` where they are driven or soon will be.
    #[must_use]
    pub(crate) fn pause_reason(&self) -> Option<&'static str> {
        self.0.pause.reason()
    }

    /// Says whether the service drives transfers now. Where they are to be resumed and the journal has been read to its end,
    /// they are resumed first.
    pub(crate) async fn drives(&self) -> bool {
        if self.0.pause.is_to_resume() && self.0.clerk.readable().is_ok() {
            let ledger = self.clone();
            let end = self.head().position;
            let resumed = tasks::blocking(move || ledger.0.pause.resume(end)).await;
            if let Some(Err(error)) = resumed {
                tracing::error!(%error, "transfers can't be resumed: the mark in the data folder can't be written");
            }
        }
        !self.is_paused()
    }

    /// Says whether another copy of this ledger may have sent the payout of a transfer that has none recorded here: the
    /// transfer was requested before transfers were resumed, after a restore or a pause. An ID that is not booked yet is new.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub async fn may_be_sent_elsewhere(&self, transfer: TransactionId) -> Result<bool, ReadError> {
        let Some(until) = self.0.pause.resumed_at() else { return Ok(false) };
        let index = self.0.index.clone();
        self.blocking(move || {
            let used = index.used(Id::Client(transfer))?;
            Ok(used.booked.iter().any(|position| *position <= until))
        })
        .await
    }
}
