//! [`Tuning`] has the sizes and times of the index. Tests make them small, so that a few events make many runs and
//! merges.

use std::time::Duration;

/// A `Tuning` has the sizes and times of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// This is the number of events in memory at which they are written to the files.
    pub flush_at: usize,
    /// This is the longest time between two flushes while there is something to write, so that a start has little to
    /// read.
    pub flush_after: Duration,
    /// This is the most events by which the files may be behind the journal. The clerk waits before there would be
    /// more.
    pub most_behind: usize,
    /// This is the most records that a run of the lowest tier holds.
    pub lowest: u64,
    /// This is the number of runs of about the same size that are merged into one.
    pub fan_in: usize,
    /// This is the most rows of the catalog that are proven together.
    pub rows_together: u64,
    /// This is how many such parts of the catalog are proven at the start, before it is used. The others are proven when they
    /// are asked for, or in the background.
    pub parts_at_start: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            flush_at: 65_536,
            flush_after: Duration::from_secs(2),
            most_behind: 262_144,
            lowest: 1 << 17,
            fan_in: 4,
            rows_together: 512,
            parts_at_start: 64,
        }
    }
}
