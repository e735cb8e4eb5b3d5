//! [`Status`] says how the service's parts are doing, for health probes and for the figures.

use std::time::Duration;

use super::handle::Ledger;
use crate::clerk::Done;
use crate::domain::ids::AccountName;
use crate::store::embedded::folder::Folder;

/// A `Status` says how the clerk, the store and the index are doing.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// This is true when commands are taken.
    pub ready: bool,
    /// This is the reason why no commands are taken, if none are.
    pub reason: Option<&'static str>,
    /// This is the same reason as one word, for a figure, where the clerk knows several reasons.
    pub kind: Option<&'static str>,
    /// This is the number of jobs that wait for the clerk.
    pub queue_depth: usize,
    /// This is about the number of events that are in the store and not in the index.
    pub index_lag_events: usize,
    /// This is the least time for which the oldest of them has been there.
    pub index_lag: Duration,
    /// This is the number of events that are in the index and not in its files yet. They are read again after a kill.
    pub index_not_flushed: usize,
    /// This is the memory, in bytes, that the index's open files take.
    pub index_bytes: usize,
    /// This is what was made durable since the start.
    pub done: Done,
    /// This is the room, in bytes, that is left on the disk of the data folder; nothing when it can't be learnt.
    pub disk_free: Option<u64>,
    /// This is the number of commands since the start for which something that they rest on could not be read.
    pub unreadable: u64,
    /// This is the number of appends of which nobody knows whether the store took them.
    pub unresolved_appends: usize,
    /// This is the number of accounts that are in memory, each with a task of its own.
    pub accounts_in_use: usize,
    /// This is the number of accounts whose stream is damaged.
    pub damaged_accounts: usize,
    /// This is the number of events that the store lacks and the index never had.
    pub missing_events: u64,
    /// This is the number of IDs that were recorded on two accounts, in a race between two instances.
    pub ids_on_two_accounts: usize,
    /// This is the number of holds that are open.
    pub open_holds: u64,
    /// This is for how long the oldest expiry has been due that is not booked.
    pub expiry_lag: Duration,
}

impl Ledger {
    /// Returns accounts whose stream is damaged, at most `limit` of them.
    #[must_use]
    pub fn damaged_accounts(&self, limit: usize) -> Vec<AccountName> {
        let damaged = self.0.clerk.damaged(limit);
        damaged.iter().filter_map(|stream| stream.account().cloned()).collect()
    }

    /// Returns the cause of the reason for which no commands are taken, in words for an operator.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        let replaced = self.0.folder_watch.why();
        replaced.or_else(|| self.0.clerk.cause()).or_else(|| self.0.clock_watch.doubt())
    }

    /// Returns how the clerk, the store and the index are doing.
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
            done: clerk.done,
            disk_free: self.0.folder.as_ref().and_then(Folder::free),
            unreadable: clerk.unreadable,
            unresolved_appends: clerk.unresolved,
            accounts_in_use: clerk.in_use,
            damaged_accounts: clerk.damaged,
            missing_events: clerk.missing_events,
            ids_on_two_accounts: clerk.booked_twice,
            open_holds: index.open_holds(),
            expiry_lag: self.0.expiries.lag(),
        }
    }
}
