//! [`OpenHolds`] are the holds of one account that are not settled yet.
//!
//! They cost about 150 bytes each while they are open, and nothing afterwards: what became of a client's hold stands with its
//! ID.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use crate::audit::values::finding::Flaw;
use crate::audit::values::id::Id;
use crate::audit::values::moment::Moment;

/// An open hold sets so much aside. One of a transfer does not expire.
#[derive(Debug, Clone, Copy)]
struct OpenHold {
    amount: i128,
    until: Option<Moment>,
}

/// Open holds are known by their IDs, and by the moment at which they expire.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenHolds {
    holds: HashMap<Id, OpenHold, RandomState>,
    by_time: BTreeSet<(Moment, Id)>,
    sum: i128,
}

impl OpenHolds {
    /// Gives what they hold together.
    #[must_use]
    pub(crate) fn sum(&self) -> i128 {
        self.sum
    }

    /// Says how many are of clients. Those expire.
    #[must_use]
    pub(crate) fn of_clients(&self) -> usize {
        self.by_time.len()
    }

    /// Says whether there are none.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// Gives what a hold holds, if it is open.
    #[must_use]
    pub(crate) fn amount(&self, hold: Id) -> Option<i128> {
        self.holds.get(&hold).map(|hold| hold.amount)
    }

    /// Gives the moment at which the next of them expires.
    #[must_use]
    pub(crate) fn next_expiry(&self) -> Option<Moment> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Gives the moment at which a hold expires, if it is open and does.
    #[must_use]
    pub(crate) fn expiry(&self, hold: Id) -> Option<Moment> {
        self.holds.get(&hold).and_then(|hold| hold.until)
    }

    /// Adds a hold.
    ///
    /// # Errors
    /// Fails when no 128 bits hold the sum.
    pub(crate) fn place(&mut self, id: Id, amount: i128, until: Option<Moment>) -> Result<(), Flaw> {
        self.sum = self.sum.checked_add(amount).ok_or(Flaw::NoSum("what is held"))?;
        self.holds.insert(id, OpenHold { amount, until });
        if let Some(at) = until {
            self.by_time.insert((at, id));
        }
        Ok(())
    }

    /// Takes a hold away. Gives what it held.
    ///
    /// # Errors
    /// Fails when it is not open.
    pub(crate) fn settle(&mut self, id: Id) -> Result<i128, Flaw> {
        let OpenHold { amount, until } = self.holds.remove(&id).ok_or(Flaw::HoldNotOpen)?;
        if let Some(at) = until {
            self.by_time.remove(&(at, id));
        }
        self.sum = self.sum.saturating_sub(amount);
        Ok(amount)
    }
}
