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
}

/// Says whether a part is to be measured, when these were asked for. When none was named all are, but for the bounds and the
/// neighbour.
pub(crate) fn wants(only: &[Part], part: Part) -> bool {
    if only.is_empty() { !matches!(part, Part::Bounds | Part::Neighbour) } else { only.contains(&part) }
}
