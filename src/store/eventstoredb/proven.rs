//! These functions are the proof as the clerk and the appends ask for it. The proof itself is in `proof`.

use std::time::Duration;

use super::Store;
use super::proof::{Epoch, Known};
use crate::tasks::timeout;

impl Store {
    /// Demands the proof: from now on nothing is appended to a node that was not proven.
    pub fn want_proof(&self) {
        self.0.proof.0.send_modify(|known| known.wanted = true);
    }

    /// Returns the present epoch. A caller asks for it before it compares the store.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.proof.0.borrow().epoch()
    }

    /// Says that the store was compared in this epoch, and is the one that it was.
    pub fn prove(&self, epoch: Epoch) {
        self.0.proof.0.send_modify(|known| known.proven = Some(epoch.0));
    }

    /// Says that the node may be another than before.
    pub fn doubt(&self) {
        self.0.proof.doubt();
    }

    /// Returns the epoch, when the store is proven in it.
    #[must_use]
    pub fn proven_epoch(&self) -> Option<Epoch> {
        self.0.proof.epoch()
    }

    /// Waits until the store is proven, at most as long as `patience` says, and returns the epoch in which it is.
    pub async fn proven(&self, patience: Duration) -> Option<Epoch> {
        if let Some(epoch) = self.proven_epoch() {
            return Some(epoch);
        }
        let mut known = self.0.proof.0.subscribe();
        let proven = timeout(patience, known.wait_for(Known::is_proven)).await;
        proven.ok()?.ok().map(|known| known.epoch())
    }

    /// Waits until the store is not proven.
    pub async fn doubted(&self) {
        let mut known = self.0.proof.0.subscribe();
        // The sender lives as long as the store.
        let _doubted = known.wait_for(|known| !known.is_proven()).await;
    }
}
