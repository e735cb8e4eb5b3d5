//! The proof as the clerk and the appends ask for it; what it is stands in `proof`.

use std::time::Duration;

use super::Store;
use super::proof::{Epoch, Known};

impl Store {
    /// Lets nothing be appended from now on but to a node that was proven.
    pub fn want_proof(&self) {
        self.0.proof.0.send_modify(|known| known.wanted = true);
    }

    /// The time that it is now. To be asked for before the store is compared.
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

    /// The epoch, when the store is proven in it.
    #[must_use]
    pub fn proven_epoch(&self) -> Option<Epoch> {
        self.0.proof.epoch()
    }

    /// Waits until the store is proven, at most so long; says in which epoch.
    pub async fn proven(&self, patience: Duration) -> Option<Epoch> {
        if let Some(epoch) = self.proven_epoch() {
            return Some(epoch);
        }
        let mut known = self.0.proof.0.subscribe();
        let proven = tokio::time::timeout(patience, known.wait_for(Known::is_proven)).await;
        proven.ok()?.ok().map(|known| known.epoch())
    }

    /// Waits until the store is not proven.
    pub async fn doubted(&self) {
        let mut known = self.0.proof.0.subscribe();
        // The sender lives as long as the store.
        let _doubted = known.wait_for(|known| !known.is_proven()).await;
    }
}
