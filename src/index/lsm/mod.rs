//! A log-structured merge tree: what is new is in memory, what is old in sorted runs on disk, small runs become large ones.
//!
//! There are three trees of one shape (`tree`), each of runs (`run`) with a filter over its keys (`filter`). What is newer
//! than the files is in a `memtable`; `flush` writes it out and merges runs, beside the readers.

mod filter;
pub(super) mod flush;
pub mod memtable;
pub mod run;
pub(super) mod tree;
