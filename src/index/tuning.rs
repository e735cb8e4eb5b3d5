//! How large the parts of the index are. Tests make them small, so that a few events make many runs and merges.

use std::time::Duration;

/// Sizes and times of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// So many events in memory are written out.
    pub flush_at: usize,
    /// So long an event waits at most before it is, so that a start has little to read.
    pub flush_after: Duration,
    /// So many events the files may be behind the journal; the clerk waits before it lets there be more.
    pub most_behind: usize,
    /// What a run of the lowest tier holds at most.
    pub lowest: u64,
    /// Runs of about the same size that are merged into one.
    pub fan_in: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            flush_at: 65_536,
            flush_after: Duration::from_secs(2),
            most_behind: 262_144,
            lowest: 1 << 17,
            fan_in: 4,
        }
    }
}
