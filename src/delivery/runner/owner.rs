//! The owner is who serves the destinations of a ledger: this process, as the one that has the ledger's folder, or as one of
//! several instances over an event store.
//!
//! A folder has a random id. Where a destination was served under another id, this folder is a copy of the one that served it,
//! and nothing is sent there until an operator resumes it: the original may go on. An instance has a name that no other process
//! ever has, and contends for each destination with the others.

use uuid::Uuid;

use crate::domain::delivery::Destination;
use crate::domain::delivery::contest::{Contest, Waits};
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::event::TakenWhy;
use crate::domain::transfer::payout::Label;

use super::contender::Contender;

/// An `Owner` is who this process is to the destinations.
#[derive(Clone, Debug)]
pub struct Owner {
    /// This is its name in events: the folder's id, or that of the instance.
    name: Label,
    /// This is what an instance needs besides; `None` for a folder.
    among: Option<Among>,
    /// This is true where everything is held, because an operator said so, or the folder is a copy.
    holds_all: bool,
}

/// `Among` is what an instance needs among the others.
#[derive(Clone, Copy, Debug)]
struct Among {
    generation: Option<u64>,
    waits: Waits,
}

impl Owner {
    /// Makes the owner of a folder with this id, which is `None` where the folder is a copy or may be one. One that holds all
    /// sends nothing anywhere.
    #[must_use]
    pub fn new(holder: Option<Uuid>, holds_all: bool) -> Self {
        let holds_all = holds_all || holder.is_none();
        Self { name: Label::of_id(holder.unwrap_or_default()), among: None, holds_all }
    }

    /// Makes an instance of this name among others. Its settings of messages are of this generation; `None` where it has none.
    #[must_use]
    pub fn instance(name: Label, generation: Option<u64>, waits: Waits, holds_all: bool) -> Self {
        Self { name, among: Some(Among { generation, waits }), holds_all }
    }

    /// Says whether a destination is held: it was served by a folder, and not by this one.
    #[must_use]
    pub fn holds(&self, state: &Destination) -> bool {
        let own = self.among.is_none().then_some(&self.name);
        let is_others = state.serving.as_ref().is_some_and(|serving| serving.holder.as_ref() != own);
        self.holds_all || is_others
    }

    /// Returns the operation by which this process takes a destination. One process has a folder, so the folder's id names it.
    #[must_use]
    pub fn take(&self, why: TakenWhy) -> DeliveryOperation {
        let holder = self.among.is_none().then(|| self.name.clone());
        DeliveryOperation::Take { instance: self.name.clone(), holder, why, seen: None }
    }

    /// Returns how it contends for a destination; `None` where it has the ledger alone.
    pub(super) fn contender(&self) -> Option<Contender> {
        let Among { generation, waits } = self.among?;
        Some(Contender::new(Contest::new(self.name.clone(), generation.unwrap_or_default(), waits)))
    }

    /// Returns which generation of settings counts for it.
    pub(super) fn heeds(&self) -> Heeds {
        match self.among {
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
