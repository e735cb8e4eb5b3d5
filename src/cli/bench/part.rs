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
    /// Its replay.
    Replay,
}

/// Says whether a part is to be measured, when these were asked for: all are, when none was named.
pub(crate) fn wants(only: &[Part], part: Part) -> bool {
    only.is_empty() || only.contains(&part)
}
