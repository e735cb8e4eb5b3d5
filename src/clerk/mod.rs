//! The clerks: the one way in which a command becomes an event. Load, decide, append, answer.
//!
//! There are two, since one append for the whole ledger and one append for each stream are different machines. [`single`]
//! is the clerk of a store that this process holds; [`shared`] is the one of a store that several instances write.
//!
//! Neighbours: `ledger` brings the commands, `domain` decides, `store` appends, `index` remembers. Must not know HTTP.

pub mod shared;
pub mod single;
mod verdict;

pub use single::{Clerk, Done, Limits, Office, Ruling, Thread};
pub use verdict::{Unavailable, Verdict};
