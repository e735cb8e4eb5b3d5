//! [`Shown`] is a destination as it is shown: what is recorded of it, and what this process knows besides.

use std::collections::BTreeSet;

use crate::delivery::port::Unreadable;
use crate::domain::delivery::event::PauseCode;
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::{Destination, Stage};
use crate::domain::time::Timestamp;

use super::{Deliveries, Seen};

/// A `Shown` is a destination as it is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// This is its name.
    pub name: DestinationName,
    /// This is how it stands, as far as that is recorded.
    pub state: Destination,
    /// This is true where nothing is sent because this folder is a copy, or because an operator said so at the start.
    pub is_held: bool,
    /// This is how it is served by this process; `None` where the settings do not name it.
    pub seen: Option<Seen>,
}

/// A `Condition` says in a word how a destination stands, here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is served.
    Serving,
    /// It is served and fails as a whole: one message at a time is tried.
    Down,
    /// It is paused, for this reason.
    Paused(PauseCode),
    /// Nothing is sent from this folder until an operator says so.
    Held,
    /// It is to be served, and nobody serves it now.
    Idle,
    /// It was removed.
    Removed,
}

impl Condition {
    /// These are the names of all, as answers have them.
    pub const NAMES: [&str; 6] = ["serving", "down", "paused", "held", "idle", "removed"];

    /// Returns its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Down => "down",
            Self::Paused(_) => "paused",
            Self::Held => "held",
            Self::Idle => "idle",
            Self::Removed => "removed",
        }
    }
}

impl Shown {
    /// Returns how it stands, in a word.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match (self.state.stage, self.live()) {
            (Stage::Removed, _) => Condition::Removed,
            (Stage::Paused(code), _) => Condition::Paused(code),
            (Stage::Open, _) if self.is_held => Condition::Held,
            (Stage::Open, None) if self.is_served_elsewhere() => Condition::Serving,
            (Stage::Open, None) => Condition::Idle,
            (Stage::Open, Some(seen)) if seen.down_since.is_some() => Condition::Down,
            (Stage::Open, Some(_)) => Condition::Serving,
        }
    }

    /// Returns how this process serves it; `None` where it does not.
    #[must_use]
    pub fn live(&self) -> Option<&Seen> {
        self.seen.as_ref().filter(|seen| seen.is_served)
    }

    /// Returns how many of its messages are parked.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.live().map_or(self.state.parked.len(), |seen| seen.parked)
    }

    /// Returns how many accounts wait behind a parked message.
    #[must_use]
    pub fn held_accounts(&self) -> usize {
        let streams = || self.state.parked.values().map(|row| &row.stream).collect::<BTreeSet<_>>().len();
        self.live().map_or_else(streams, |seen| seen.held_accounts)
    }

    /// Says whether another instance serves it, as far as is recorded.
    fn is_served_elsewhere(&self) -> bool {
        self.state.serving.as_ref().is_some_and(|serving| serving.holder.is_none() && !serving.is_released())
    }

    /// Returns the position up to which everything is settled or parked, as far as this process knows; `None` where nothing
    /// was recorded yet and it is not served.
    #[must_use]
    pub fn through(&self) -> Option<u64> {
        self.state.through.max(self.live().map(|seen| seen.through))
    }

    /// Returns the position of its oldest parked message.
    #[must_use]
    pub fn oldest_parked(&self) -> Option<u64> {
        match self.live() {
            Some(seen) => seen.oldest_parked,
            None => self.state.parked.keys().next().copied(),
        }
    }
}

impl Deliveries {
    /// Returns all destinations that were ever set up, by their names.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn list(&self) -> Result<Vec<Shown>, Unreadable> {
        let all = self.0.port.destinations().await?;
        Ok(all.into_iter().map(|(name, state)| self.shown(name, state)).collect())
    }

    /// Returns one destination; `None` where it was never set up.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn show(&self, name: &DestinationName) -> Result<Option<Shown>, Unreadable> {
        let state = self.0.port.destination(name).await?;
        Ok(state.map(|state| self.shown(name.clone(), state)))
    }

    /// Returns the names of those that the settings name and do not remove.
    #[must_use]
    pub fn named(&self) -> Vec<DestinationName> {
        self.0.kept.keys().cloned().collect()
    }

    /// Returns when this process began to look after destinations.
    #[must_use]
    pub fn begun_at(&self) -> Timestamp {
        self.0.begun_at
    }

    fn shown(&self, name: DestinationName, state: Destination) -> Shown {
        let is_held = self.0.owner.holds(&name, &state);
        let seen = self.0.kept.get(&name).map(|kept| kept.figures.seen());
        Shown { name, state, is_held, seen }
    }
}
