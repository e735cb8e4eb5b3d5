//! The owner is who serves the destinations of a ledger: this process, which has the ledger's folder.
//!
//! A folder has a random id. Where a destination was served under another id, this folder is a copy of the one that served it,
//! and nothing is sent there until an operator resumes it: the original may go on.

use uuid::Uuid;

use crate::domain::delivery::Destination;
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::event::TakenWhy;
use crate::domain::transfer::payout::Label;

/// An `Owner` is the folder that this process has.
#[derive(Clone, Debug)]
pub struct Owner {
    holder: Label,
    /// This is true where everything is held, because an operator said so, or the folder is a copy.
    holds_all: bool,
}

impl Owner {
    /// Makes the owner of a folder with this id, which is `None` where the folder is a copy or may be one. One that holds all
    /// sends nothing anywhere.
    #[must_use]
    pub fn new(holder: Option<Uuid>, holds_all: bool) -> Self {
        let holds_all = holds_all || holder.is_none();
        Self { holder: Label::of_id(holder.unwrap_or_default()), holds_all }
    }

    /// Says whether a destination is held: it was served, and not by this folder.
    #[must_use]
    pub fn holds(&self, state: &Destination) -> bool {
        let is_others =
            state.serving.as_ref().is_some_and(|serving| serving.holder.as_ref() != Some(&self.holder));
        self.holds_all || is_others
    }

    /// Returns the operation by which this process takes a destination. One process has a folder, so the folder's id names it.
    #[must_use]
    pub fn take(&self, why: TakenWhy) -> DeliveryOperation {
        DeliveryOperation::Take {
            instance: self.holder.clone(),
            holder: Some(self.holder.clone()),
            why,
            seen: None,
        }
    }
}
