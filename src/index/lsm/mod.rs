//! A log-structured merge tree has new records and old ones: new records are in memory, old ones in sorted runs on disk,
//! and small runs are merged into large ones.
//!
//! There are three trees of one shape (`tree`). A tree has runs (`run`), and a run has blocks (`block`) and, in the
//! tree of IDs, a filter over its keys (`filter`); `scrub` reads the runs again in the background. What is newer than
//! the files is in a `memtable`; `flush` writes it out and merges runs, while readers go on.

pub(super) mod block;
mod filter;
pub(super) mod flush;
pub mod memtable;
pub(super) mod run;
pub mod run_error;
mod run_writer;
mod scrub;
pub(super) mod tree;
