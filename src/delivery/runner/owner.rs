//! The owner is who serves the destinations of a ledger: this process, as the one that has the ledger's folder, or as one of
//! several instances over an event store.
//!
//! A folder has a random id. Where a destination was served under another id, this folder is a copy of the one that served it,
//! and nothing is sent there until an operator resumes it: the original may go on. A copy gets an id with the first destination
//! that is resumed in it, and the stream says in which folder each goes on. An instance has a name that no other process ever
//! has, and contends for each destination with the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

use crate::domain::delivery::Destination;
use crate::domain::delivery::contest::{Contest, Waits};
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::event::TakenWhy;
use crate::domain::delivery::name::DestinationName;
use crate::domain::transfer::payout::Label;
use crate::ledger::FolderId;

use super::contender::Contender;

/// An `Owner` is who this process is to the destinations.
#[derive(Clone, Debug)]
pub struct Owner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// This is the name of the instance, or the folder's id; `None` while the folder is a copy in which nothing was resumed.
    mine: Mutex<Option<Label>>,
    /// This is what an instance needs besides; `None` for a folder.
    among: Option<Among>,
    /// This is true where the folder is a copy.
    is_copy: bool,
    /// This is true where everything is held, because an operator said so at the start.
    holds_all: bool,
    /// These were resumed in this process though everything was to be held.
    released: Mutex<BTreeSet<DestinationName>>,
}

/// `Among` is what an instance needs among the others.
#[derive(Clone, Copy, Debug)]
struct Among {
    generation: Option<u64>,
    waits: Waits,
}

impl Owner {
    /// Makes the owner of a folder. One that holds all sends nothing anywhere before it is resumed.
    #[must_use]
    pub fn new(folder: FolderId, holds_all: bool) -> Self {
        Self::of(folder.id.map(Label::of_id), None, folder.is_copy, holds_all)
    }

    /// Makes an instance of this name among others. Its settings of messages are of this generation; `None` where it has none.
    #[must_use]
    pub fn instance(name: Label, generation: Option<u64>, waits: Waits, holds_all: bool) -> Self {
        Self::of(Some(name), Some(Among { generation, waits }), false, holds_all)
    }

    fn of(mine: Option<Label>, among: Option<Among>, is_copy: bool, holds_all: bool) -> Self {
        let (mine, released) = (Mutex::new(mine), Mutex::default());
        Self(Arc::new(Inner { mine, among, is_copy, holds_all, released }))
    }

    /// Says whether a destination is held: it was served by a folder, and not by this one, nor was it resumed here.
    #[must_use]
    pub fn holds(&self, name: &DestinationName, state: &Destination) -> bool {
        if self.0.holds_all && !self.0.released.lock().contains(name) {
            return true;
        }
        let Some(mine) = &*self.0.mine.lock() else { return true };
        if state.granted.as_ref() == Some(mine) {
            return false;
        }
        let own = self.0.among.is_none().then_some(mine);
        state.serving.as_ref().map_or(self.0.is_copy, |serving| serving.holder.as_ref() != own)
    }

    /// Returns the folder's id, where it has one, or the name of the instance.
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

    /// Returns the operation by which the process that has the folder takes a destination. The folder's id names it.
    #[must_use]
    pub fn take(&self, why: TakenWhy) -> DeliveryOperation {
        let id = self.id().unwrap_or_else(|| Label::of_id(Uuid::nil()));
        DeliveryOperation::Take { instance: id.clone(), holder: Some(id), why, seen: None }
    }

    /// Returns how it contends for a destination; `None` where it has the ledger alone.
    pub(super) fn contender(&self) -> Option<Contender> {
        let Among { generation, waits } = self.0.among?;
        Some(Contender::new(Contest::new(self.id()?, generation.unwrap_or_default(), waits)))
    }

    /// Returns which generation of settings counts for it.
    pub(super) fn heeds(&self) -> Heeds {
        match self.0.among {
            None => Heeds::Whatever,
            Some(Among { generation: None, .. }) => Heeds::Nothing,
            Some(Among { generation: Some(mine), .. }) => Heeds::Later(mine),
        }
    }
}

/// `Heeds` says which settings are recorded at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heeds {
    /// The settings are those of the only process, and are recorded whatever their generation is.
    Whatever,
    /// There are no settings of messages here. Those of other instances count.
    Nothing,
    /// The settings are of this generation, and are recorded where what is recorded is of an earlier one.
    Later(u64),
}
