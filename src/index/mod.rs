//! The index: it knows which IDs were used and how each account stands. It is derived from the journal, and can be
//! deleted and built anew.
//!
//! Three trees of sorted runs (ID to positions; account and revision to position; position to facts) and a catalog that
//! holds the accounts' states, with **one** checkpoint for all of it, moved in one transaction. Events newer than the
//! checkpoint are in memory: those being written out are *frozen*, the rest *active*. A look-up goes through all of
//! them and so sees every durable event. Bounds: at most [`Tuning::most_behind`] events in memory, and 1.7 bytes of
//! memory for each event in the files.
//!
//! It knows the domain's events, but not how they are stored: `clerk` feeds it, and `ledger` does so at the start. The
//! trees are in [`lsm`], the state is in [`catalog`]; [`feed`] is the one fold of a journal into it. Up the way is
//! `ledger`, whose reads it serves.

pub mod catalog;
mod catalog_writer;
mod error;
mod failure;
pub mod feed;
mod handle;
pub mod lsm;
mod query;
pub mod record;
mod rows;
mod shared;
mod tuning;

pub use catalog::Checkpoint;
pub use error::IndexError;
pub use handle::Index;
pub use lsm::memtable::{InternalKey, Memtable, Note, Reached, Tracked};
pub use lsm::run_error::RunError;
pub use query::{Overlay, TakenBack, Used, read_files};
pub use tuning::Tuning;
