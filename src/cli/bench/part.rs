//! A [`Part`] of the measurement can be asked for alone.

/// A `Part` is what can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Single withdrawals, beside the idle handler or the bare store.
    Http,
    /// Batches; with --store, one account for all.
    Batch,
    /// Start, memory and speed of the ledger that the batches filled; with --store, an account of many events.
    Start,
    /// What bounds the reads of that ledger, and what readers cost its writes.
    Bounds,
    /// Its replay.
    Replay,
    /// Single withdrawals beside a client that sends the worst commands it may.
    Neighbour,
    /// Transfers, from the request to the end.
    Transfers,
    /// Payouts through a provider that answers at once, and beside one that never answers.
    Payouts,
    /// Holds and captures, and withdrawals from accounts with open holds.
    Holds,
    /// What a service finds to do at its start: open transfers, and due expiries.
    Backlog,
    /// The start of a ledger with 100,000 open transfers, 1,000,000 holds and 1,000,000 transfers that have ended.
    Standing,
}

/// Says whether a part is to be measured, when these were asked for. When none was named these are: http, batch, start and
/// replay.
pub(crate) fn wants(only: &[Part], part: Part) -> bool {
    match part {
        Part::Http | Part::Batch | Part::Start | Part::Replay if only.is_empty() => true,
        Part::Http
        | Part::Batch
        | Part::Start
        | Part::Replay
        | Part::Bounds
        | Part::Neighbour
        | Part::Transfers
        | Part::Payouts
        | Part::Holds
        | Part::Backlog
        | Part::Standing => only.contains(&part),
    }
}
