//! The sagas drive transfers to their ends: they ask the accounts for the steps and record what follows.
//!
//! What is to be done next is said by `domain::transfer`, which is pure; here are the waiting, the order and the bounds. A
//! step is a command through the ledger like any other, under an ID of its own, so that a step which is asked for again is a
//! retry. Whoever drives, in whatever order: two drivers cost work and change nothing.
//!
//! The instance that recorded a request drives the transfer at once. The only process of a store takes up all that are open
//! when it starts; of several instances each takes up what it has seen stand still for 5 to 10 seconds of its own time.
//!
//! Bounds: at most 8,192 transfers that were recorded here are driven at once, and a request beyond them is told so; at most
//! 1,024 more are taken up at once, of which 36 are hurried; at most 1,024 steps wait for the ledger; at most 256 transfers out
//! of one account are between their hold and their end.
//!
//! Its neighbours are `ledger`, which takes the commands, and `http`, which brings the requests and waits for ends.

mod admission;
mod adoption;
mod driver;
mod handle;
mod pace;
mod patience;
mod steps;
mod work;

pub use admission::Admitted;
pub use adoption::start;
pub(crate) use handle::Counts;
pub use handle::Sagas;
