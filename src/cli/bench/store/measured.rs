//! What was measured over an event store, as it is printed and written as JSON.

use serde::Serialize;

use super::super::singles::Side;
use super::long::Long;

/// What was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measured {
    /// How it was measured.
    pub(crate) shape: Shape,
    /// Side by side, at each number of connections.
    pub(crate) singles: Vec<Beside>,
    /// One account for all.
    pub(crate) hot: Hot,
    /// Events of others that the follower takes in, in a second, while nothing else is done.
    pub(crate) followed_per_s: f64,
    /// An account with many events.
    pub(crate) long: Long,
}

/// How it was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Shape {
    /// The store, without its secrets.
    pub(crate) store: String,
    /// How many rounds.
    pub(crate) rounds: usize,
    /// How long each phase of a round was.
    pub(crate) phase_s: f64,
    /// How many accounts.
    pub(crate) accounts: u32,
}

/// The store alone, and the ledger over it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Beside {
    /// How many connections to the ledger, or appends at once.
    pub(crate) connections: usize,
    /// On how many accounts the ledger's are; bare appends are on all streams.
    pub(crate) accounts: u32,
    /// Bare appends of one event.
    pub(crate) bare: Side,
    /// Single withdrawals over HTTP.
    pub(crate) ledger: Side,
    /// The ledger's rate by the bare one.
    pub(crate) to_bare: f64,
}

/// One account for all.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Hot {
    /// Bare appends of one event to one stream, one at a time.
    pub(crate) bare_one: Side,
    /// The same with many events in each: appends in a second.
    pub(crate) bare_many: Side,
    /// Events of them in a second.
    pub(crate) bare_many_events_per_s: f64,
    /// Single withdrawals over HTTP at 256 connections, all on one account.
    pub(crate) ledger: Side,
    /// How many events the ledger appended together, on the average.
    pub(crate) events_per_append: f64,
}

impl Measured {
    /// Everything that has answers that may be wrong.
    pub(crate) fn sides(&self) -> impl Iterator<Item = &Side> {
        let singles = self.singles.iter().map(|beside| &beside.ledger);
        singles.chain([&self.hot.ledger, &self.long.first_touches])
    }
}
