//! The clerks: the one way in which a command becomes an event. Load, decide, append, answer.
//!
//! [`rule`] is what becomes of one command, once for both clerks. There are two clerks, since one append for the whole
//! ledger and one append for each stream are different machines: [`single`] is the clerk of a store that this process
//! holds, [`shared`] that of a store which several instances write. Each keeps to storage and scheduling, and both are
//! reached through one [`Port`].
//!
//! Neighbours: `ledger` brings the commands, `domain` decides, `store` appends, `index` remembers. Must not know HTTP.

mod port;
pub mod rule;
pub mod shared;
pub mod single;
mod verdict;

pub use port::{Condition, Done, Limits, Port, Verdicts};
pub use verdict::{Unavailable, Verdict};
