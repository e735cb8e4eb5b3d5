//! [`Measured`] has the figures of a run over an event store, as they are printed and written as JSON.

use serde::Serialize;

use super::super::singles::Side;
use super::super::transfers::Transfers;
use super::long::Long;

/// A `Measured` has all that was measured over an event store.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measured {
    /// This is how it was measured.
    pub(crate) shape: Shape,
    /// These are the store and the ledger side by side, at each number of connections.
    pub(crate) singles: Vec<Beside>,
    /// These are the figures of all connections on one account.
    pub(crate) hot: Option<Hot>,
    /// This is the number of events of others that the follower takes in, in a second, while nothing else is done.
    pub(crate) followed_per_s: Option<f64>,
    /// This is an account with many events.
    pub(crate) long: Option<Long>,
    /// These are transfers, at each number of connections.
    pub(crate) transfers: Vec<Moved>,
    /// This is what large appends of one client cost small ones of another, without the ledger.
    pub(crate) large_beside: Vec<LargeBeside>,
}

/// A `LargeBeside` has the figures of bare appends of one event, alone and beside a client that appends as many events as fit.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct LargeBeside {
    /// This is the number of small appends at once.
    pub(crate) connections: usize,
    /// These are the small appends alone.
    pub(crate) alone: Side,
    /// These are the small appends beside large ones.
    pub(crate) beside: Side,
    /// This is the p99 beside large appends, divided by the p99 alone.
    pub(crate) p99_ratio: f64,
}

/// A `Moved` has the figures of transfers beside those of the store alone.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Moved {
    /// These are bare appends of one event, as many at once as there are connections.
    pub(crate) bare: Side,
    /// These are the transfers, and the withdrawals beside them.
    pub(crate) transfers: Transfers,
    /// This is the rate at which transfers ended, divided by that of the bare store.
    pub(crate) to_bare: f64,
}

/// The shape of a run says how it was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Shape {
    /// This is the store, without its secrets.
    pub(crate) store: String,
    /// This is the number of rounds.
    pub(crate) rounds: usize,
    /// This is the length of each phase of a round.
    pub(crate) phase_s: f64,
    /// This is the number of accounts.
    pub(crate) accounts: u32,
}

/// A `Beside` has the figures of the store alone, beside those of the ledger over it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Beside {
    /// This is the number of connections to the ledger, and of appends at once to the bare store.
    pub(crate) connections: usize,
    /// This is the number of accounts that the ledger's load is on. Bare appends are on all streams.
    pub(crate) accounts: u32,
    /// These are bare appends of one event.
    pub(crate) bare: Side,
    /// These are single withdrawals over HTTP.
    pub(crate) ledger: Side,
    /// This is the ledger's rate, divided by that of the bare store.
    pub(crate) to_bare: f64,
}

/// A `Hot` has the figures of the hot account, which all connections use.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Hot {
    /// These are bare appends of one event to one stream, one at a time.
    pub(crate) bare_one: Side,
    /// This is the same with many events in each append.
    pub(crate) bare_many: Side,
    /// This is the number of events in those appends, in a second.
    pub(crate) bare_many_events_per_s: f64,
    /// These are single withdrawals over HTTP at 256 connections, all on one account.
    pub(crate) ledger: Side,
    /// This is the average number of events that the ledger appended together.
    pub(crate) events_per_append: f64,
}

impl Measured {
    /// Gives every side that has answers which may be wrong.
    pub(crate) fn sides(&self) -> impl Iterator<Item = &Side> {
        let singles = self.singles.iter().map(|beside| &beside.ledger);
        let hot = self.hot.iter().map(|hot| &hot.ledger);
        let transfers = self.transfers.iter().flat_map(|moved| moved.transfers.sides());
        singles.chain(hot).chain(self.long.iter().map(|long| &long.first_touches)).chain(transfers)
    }
}
