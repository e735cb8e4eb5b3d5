//! The proof says that the node which is spoken to is the store that it was.
//!
//! After a connection was lost the node may come back empty, or from a backup, and would take an append that the real
//! store refuses. So the clerk's follower compares the last event that it knows with the store and says that the store
//! is proven, and each connection that ends takes that back. Until it is proven again nothing is appended, and nothing
//! is decided on what is read. An epoch is the number of a time between two connections that ended.

use std::sync::Arc;

use tokio::sync::watch;

/// An `Epoch` is the number of the time since a connection was last lost. What was compared in one says nothing of the
/// next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub(super) u64);

/// A `Proof` is what is known of the node. The links to it share it, and it is cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Proof(pub(super) Arc<watch::Sender<Known>>);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// This is true when somebody compares. A caller that only reads, or tries the adapter, does not.
    pub(super) wanted: bool,
    epoch: u64,
    pub(super) proven: Option<u64>,
}

impl Known {
    pub(super) fn is_proven(&self) -> bool {
        !self.wanted || self.proven == Some(self.epoch)
    }

    /// Returns the epoch. For a caller that does not compare it is always the same.
    pub(super) fn epoch(&self) -> Epoch {
        Epoch(if self.wanted { self.epoch } else { 0 })
    }
}

impl Default for Proof {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Known::default())))
    }
}

impl Proof {
    /// Takes the proof back, since a connection was lost.
    pub(super) fn doubt(&self) {
        self.0.send_modify(|known| known.epoch = known.epoch.wrapping_add(1));
    }

    pub(super) fn epoch(&self) -> Option<Epoch> {
        let known = *self.0.borrow();
        known.is_proven().then(|| known.epoch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compared_before_a_connection_was_lost_proves_nothing_after_it() {
        let proof = Proof::default();
        assert!(proof.epoch().is_some(), "nobody wants to know");
        proof.0.send_modify(|known| known.wanted = true);
        assert!(proof.epoch().is_none());
        let before = proof.0.borrow().epoch;
        proof.doubt();
        proof.0.send_modify(|known| known.proven = Some(before));
        assert!(proof.epoch().is_none());
        let now = proof.0.borrow().epoch;
        proof.0.send_modify(|known| known.proven = Some(now));
        assert_eq!(proof.epoch(), Some(Epoch(now)));
    }
}
