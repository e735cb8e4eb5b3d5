//! The figures of a run over an event store, as they are printed and written as JSON.

use serde::Serialize;

use super::super::singles::Side;
use super::long::Long;

/// All that was measured over an event store.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measured {
    /// How it was measured.
    pub(crate) shape: Shape,
    /// Store and ledger side by side, at each number of connections.
    pub(crate) singles: Vec<Beside>,
    /// All connections on one account.
    pub(crate) hot: Hot,
    /// The number of events of others that the follower takes in, in a second, while nothing else is done.
    pub(crate) followed_per_s: f64,
    /// An account with many events.
    pub(crate) long: Long,
}

/// The shape of a run says how it was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Shape {
    /// The store, without its secrets.
    pub(crate) store: String,
    /// The number of rounds.
    pub(crate) rounds: usize,
    /// The length of each phase of a round.
    pub(crate) phase_s: f64,
    /// The number of accounts.
    pub(crate) accounts: u32,
}

/// The figures of the store alone, beside those of the ledger over it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Beside {
    /// The number of connections to the ledger, and of appends at once to the bare store.
    pub(crate) connections: usize,
    /// The number of accounts that the ledger's load is on. Bare appends are on all streams.
    pub(crate) accounts: u32,
    /// Bare appends of one event.
    pub(crate) bare: Side,
    /// Single withdrawals over HTTP.
    pub(crate) ledger: Side,
    /// The ledger's rate, divided by that of the bare store.
    pub(crate) to_bare: f64,
}

/// The figures of the hot account, which all connections use.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Hot {
    /// Bare appends of one event to one stream, one at a time.
    pub(crate) bare_one: Side,
    /// The same with many events in each append.
    pub(crate) bare_many: Side,
    /// The number of events in those appends, in a second.
    pub(crate) bare_many_events_per_s: f64,
    /// Single withdrawals over HTTP at 256 connections, all on one account.
    pub(crate) ledger: Side,
    /// The average number of events that the ledger appended together.
    pub(crate) events_per_append: f64,
}

impl Measured {
    /// Gives every side that has answers which may be wrong.
    pub(crate) fn sides(&self) -> impl Iterator<Item = &Side> {
        let singles = self.singles.iter().map(|beside| &beside.ledger);
        singles.chain([&self.hot.ledger, &self.long.first_touches])
    }
}
