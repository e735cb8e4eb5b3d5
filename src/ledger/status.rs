//! How the machinery is doing, for probes and figures.

use std::time::Duration;

use super::handle::Ledger;
use crate::domain::ids::AccountName;

/// How the machinery is doing.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// True where it takes commands.
    pub ready: bool,
    /// The reason why it takes no commands, if it takes none.
    pub reason: Option<&'static str>,
    /// The same as a word for a figure, where there are several.
    pub kind: Option<&'static str>,
    /// Jobs that wait for the clerk.
    pub queue_depth: usize,
    /// Events that are in the store and not in the index, about.
    pub index_lag_events: usize,
    /// How long the oldest of them has been there at least.
    pub index_lag: Duration,
    /// Events that are in the index and not in its files yet: they are read again after a kill.
    pub index_not_flushed: usize,
    /// Memory that the index's open files take.
    pub index_bytes: usize,
    /// Commits since the start.
    pub commits: u64,
    /// Events since the start.
    pub events: u64,
    /// Commands of which something that they rest on could not be read, since the start.
    pub unreadable: u64,
    /// Appends of which nobody knows whether the store took them.
    pub unresolved_appends: usize,
    /// Accounts that are in memory, each with a clerk of its own.
    pub accounts_in_use: usize,
    /// Accounts whose stream is damaged.
    pub damaged_accounts: usize,
    /// Events that the store lacks and that the index never had.
    pub missing_events: u64,
    /// IDs that were recorded on two accounts, in a race between two instances.
    pub ids_on_two_accounts: usize,
}

impl Ledger {
    /// Accounts whose stream is damaged, at most `limit` of them.
    #[must_use]
    pub fn damaged_accounts(&self, limit: usize) -> Vec<AccountName> {
        let damaged = self.0.clerk.damaged(limit);
        damaged.iter().filter_map(|stream| stream.account().cloned()).collect()
    }

    /// What is behind the reason for which no commands are taken, in words for an operator.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        let replaced = self.0.folder_watch.why();
        replaced.or_else(|| self.0.clerk.cause()).or_else(|| self.0.clock_watch.doubt())
    }

    /// How the machinery is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let (clerk, index) = (self.0.clerk.condition(), &self.0.index);
        let unusable = index.failure().map(|_| "The index can't be used; it must be rebuilt.");
        let doubted = (!self.0.clock_watch.is_right()).then_some("The machine's clock is not believed.");
        let replaced = self.0.folder_watch.is_replaced().then_some("The data folder was moved or exchanged.");
        let reason = replaced.or(unusable).or(clerk.reason).or(doubted);
        Status {
            ready: reason.is_none(),
            reason,
            kind: replaced.map(|_| "folder").or(clerk.kind).or(doubted.map(|_| "clock")),
            queue_depth: clerk.waiting,
            index_lag_events: clerk.lag_events,
            index_lag: clerk.lag,
            index_not_flushed: index.behind(),
            index_bytes: index.bytes(),
            commits: clerk.done.commits,
            events: clerk.done.events,
            unreadable: clerk.unreadable,
            unresolved_appends: clerk.unresolved,
            accounts_in_use: clerk.in_use,
            damaged_accounts: clerk.damaged,
            missing_events: clerk.missing_events,
            ids_on_two_accounts: clerk.booked_twice,
        }
    }
}
