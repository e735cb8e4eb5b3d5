//! Whether transfers are driven is asked of the ledger, which ends a pause as soon as it knows where the journal ends. It also
//! says of which payouts another copy of it may know more.

use crate::domain::ids::{Id, TransactionId};
use crate::domain::payee::Payee;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::event::Fact;
use crate::domain::transfer::stage::Stage;
use crate::tasks;

use super::handle::Ledger;
use super::types::{Placed, ReadError};

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
    /// transfer was requested before transfers were resumed, after a restore or a pause, and not stopped before. An ID that is
    /// not booked yet is new.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn may_be_sent_elsewhere(&self, transfer: TransactionId) -> Result<bool, ReadError> {
        let Some(until) = self.0.pause.resumed_at() else { return Ok(false) };
        let ledger = self.clone();
        if !self.blocking(move || ledger.is_older_than_resumption(transfer)).await? {
            return Ok(false);
        }
        // What every copy has stopped is sent by none: a stop and a payout exclude each other.
        let stops = |fact: &Fact| matches!(fact, Fact::TimedOut | Fact::CancelRequested(_));
        let is_stop = |placed: &Placed| {
            placed.position <= until && placed.event.transfer().is_some_and(|body| stops(&body.fact))
        };
        let found = self.transfer(transfer).await?;
        Ok(!found.is_some_and(|found| found.events.iter().any(is_stop)))
    }

    /// Says whether the deadline of a transfer is for its driver to record, because another copy of this ledger may have sent
    /// its payout: what is stopped is not sent any more, also where sending it again would be right.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub(super) fn leaves_deadline(&self, transfer: &Transfer) -> Result<bool, ReadError> {
        match (&transfer.terms.to, transfer.stage) {
            (Payee::External(_), Stage::UnderWay) if transfer.payout.sent => Ok(true),
            (Payee::External(_), Stage::UnderWay) => self.is_older_than_resumption(transfer.id),
            (Payee::External(_) | Payee::Account(_), _) => Ok(false),
        }
    }

    /// Says whether a transfer was requested before transfers were resumed, after a restore or a pause.
    fn is_older_than_resumption(&self, transfer: TransactionId) -> Result<bool, ReadError> {
        let Some(until) = self.0.pause.resumed_at() else { return Ok(false) };
        let used = self.0.index.used(Id::Client(transfer))?;
        Ok(used.booked.iter().any(|position| *position <= until))
    }
}
