//! How the machinery is doing, for probes and figures.

use super::{Clerks, Ledger, Unavailable};
use crate::domain::ids::AccountName;

/// How the machinery is doing.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Does it take commands?
    pub ready: bool,
    /// Why not?
    pub reason: Option<&'static str>,
    /// Jobs that wait for the clerk.
    pub queue_depth: usize,
    /// Durable events that are not in the index's files yet.
    pub index_lag_events: usize,
    /// Memory that the index's open files take.
    pub index_bytes: usize,
    /// Commits since the start.
    pub commits: u64,
    /// Events since the start.
    pub events: u64,
    /// Appends of which nobody knows whether the store took them.
    pub unresolved_appends: usize,
    /// Accounts that are in memory, each with a clerk of its own.
    pub accounts_in_use: usize,
    /// Accounts whose stream is damaged.
    pub damaged_accounts: usize,
    /// IDs that were recorded on two accounts, in a race between two instances.
    pub ids_on_two_accounts: usize,
}

impl Ledger {
    /// Accounts whose stream is damaged, at most so many of them.
    #[must_use]
    pub fn damaged_accounts(&self, limit: usize) -> Vec<AccountName> {
        match &self.0.clerks {
            Clerks::One(..) => Vec::new(),
            Clerks::Lanes(lanes, _) => lanes.damage().accounts(limit),
        }
    }

    /// How the machinery is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let (reason, queue_depth, done) = match &self.0.clerks {
            Clerks::One(clerk, _) => {
                let reason = match clerk.trouble() {
                    Some(Unavailable::StoreDamaged) => Some("The store is damaged."),
                    Some(_) => Some("The store can't be written; a restart reads back what is there."),
                    None => None,
                };
                (reason, clerk.waiting(), clerk.done())
            }
            Clerks::Lanes(lanes, follower) => {
                let reason = if lanes.damage().is_whole() {
                    Some("The store is not the one that the index was made of; a rebuild must be ordered.")
                } else if !follower.is_connected() {
                    Some("The store can't be reached.")
                } else if !lanes.is_ready() {
                    Some("The index is catching up with the store.")
                } else {
                    None
                };
                (reason, lanes.waiting(), lanes.done())
            }
        };
        // Booked here, and not yet come back from the store.
        let not_followed = match &self.0.clerks {
            Clerks::One(..) => 0,
            Clerks::Lanes(lanes, _) => lanes.not_indexed(),
        };
        let unusable = self.0.index.failure().map(|_| "The index can't be used; it must be rebuilt.");
        let reason = unusable.or(reason);
        let mut status = Status {
            ready: reason.is_none(),
            reason,
            queue_depth,
            index_lag_events: self.0.index.behind() + not_followed,
            index_bytes: self.0.index.bytes(),
            commits: done.commits,
            events: done.events,
            unresolved_appends: 0,
            accounts_in_use: 0,
            damaged_accounts: 0,
            ids_on_two_accounts: 0,
        };
        if let Clerks::Lanes(lanes, follower) = &self.0.clerks {
            status.unresolved_appends = lanes.unresolved();
            status.accounts_in_use = lanes.in_use();
            status.damaged_accounts = lanes.damage().count();
            status.ids_on_two_accounts = follower.twice();
        }
        status
    }
}
