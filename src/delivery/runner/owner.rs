//! The owner is who serves the destinations of a ledger: this process, which has the ledger's folder.
//!
//! A folder has a random id. Where a destination was served under another id, this folder is a copy of the one that served it,
//! and nothing is sent there until an operator resumes it: the original may go on. A copy gets an id with the first destination
//! that is resumed in it, and the stream says in which folder each goes on.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

use crate::domain::delivery::Destination;
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::event::TakenWhy;
use crate::domain::delivery::name::DestinationName;
use crate::domain::transfer::payout::Label;
use crate::ledger::FolderId;

/// An `Owner` is the folder that this process has.
#[derive(Clone, Debug)]
pub struct Owner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// This is the folder's id; `None` while it is a copy in which nothing was resumed.
    mine: Mutex<Option<Label>>,
    /// This is true where the folder is a copy.
    is_copy: bool,
    /// This is true where everything is held, because an operator said so at the start.
    holds_all: bool,
    /// These were resumed in this process though everything was to be held.
    released: Mutex<BTreeSet<DestinationName>>,
}

impl Owner {
    /// Makes the owner of a folder. One that holds all sends nothing anywhere before it is resumed.
    #[must_use]
    pub fn new(folder: FolderId, holds_all: bool) -> Self {
        let mine = Mutex::new(folder.id.map(Label::of_id));
        Self(Arc::new(Inner { mine, is_copy: folder.is_copy, holds_all, released: Mutex::default() }))
    }

    /// Says whether a destination is held: it was served, and not by this folder, nor was it resumed in it.
    #[must_use]
    pub fn holds(&self, name: &DestinationName, state: &Destination) -> bool {
        if self.0.holds_all && !self.0.released.lock().contains(name) {
            return true;
        }
        let Some(mine) = &*self.0.mine.lock() else { return true };
        if state.granted.as_ref() == Some(mine) {
            return false;
        }
        state.serving.as_ref().map_or(self.0.is_copy, |serving| serving.holder.as_ref() != Some(mine))
    }

    /// Returns the folder's id, where it has one.
    pub(super) fn id(&self) -> Option<Label> {
        self.0.mine.lock().clone()
    }

    /// The folder has this id from now on.
    pub(super) fn becomes(&self, id: Uuid) {
        *self.0.mine.lock() = Some(Label::of_id(id));
    }

    /// A destination was resumed in this process.
    pub(super) fn release(&self, name: &DestinationName) {
        if self.0.holds_all {
            self.0.released.lock().insert(name.clone());
        }
    }

    /// Returns the operation by which this process takes a destination. One process has a folder, so the folder's id names it.
    #[must_use]
    pub fn take(&self, why: TakenWhy) -> DeliveryOperation {
        let id = self.id().unwrap_or_else(|| Label::of_id(Uuid::nil()));
        DeliveryOperation::Take { instance: id.clone(), holder: Some(id), why, seen: None }
    }
}
