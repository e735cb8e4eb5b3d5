//! A log-structured merge tree: what is new is in memory, what is old in sorted runs on disk, small runs become large ones.
//!
//! There are three trees of one shape (`tree`), each of runs (`run`) of blocks (`block`) with a filter over its keys
//! (`filter`); `scrub` reads them again in the background. What is newer
//! than the files is in a `memtable`; `flush` writes it out and merges runs, beside the readers.

pub(super) mod block;
mod filter;
pub(super) mod flush;
pub mod memtable;
pub(super) mod run;
pub mod run_error;
mod run_writer;
mod scrub;
pub(super) mod tree;
