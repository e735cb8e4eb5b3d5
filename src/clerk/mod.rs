//! A clerk makes an event of a command. It loads what is known, decides, appends and answers.
//!
//! [`rule`] says what becomes of one command, and both clerks use it. There are two clerks, since one append for the
//! whole ledger and one append for each stream are different machines: [`single`] is the clerk of a store that this
//! process holds, [`shared`] is the clerk of a store that several instances write. Each does storage and scheduling
//! only, and both are reached through one [`Port`].
//!
//! Its neighbours are four: `ledger` brings the commands, `domain` decides, `store` appends, `index` remembers. This folder
//! must not know HTTP.

mod commits;
mod port;
mod room;
pub mod rule;
pub mod shared;
pub mod single;
mod unreadable;
mod verdict;

pub use commits::Done;
pub use port::{Condition, Limits, OWN_JOBS, Port, Verdicts};
pub use verdict::{Unavailable, Verdict};
