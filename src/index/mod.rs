//! The index has what has been seen and how each account stands. It is derived from the journal, and can be deleted at
//! any time.
//!
//! It has three trees of sorted runs (ID to positions; account and revision to position; position to facts) and a
//! catalog that holds the accounts' states, with **one** checkpoint for all of it, moved in one transaction. Events
//! newer than the checkpoint are in memory: those being written out are *frozen*, the rest *active*. A look-up goes
//! through all of them and so sees every durable event. At most [`Tuning::most_behind`] events are in memory, and 1.7
//! bytes of memory are taken for each event in the files.
//!
//! It knows the domain's events, and not how they are stored: it is fed by `clerk`, and by `ledger` at the start. The
//! trees are in [`lsm`], the state in [`catalog`]; [`feed`] is the one fold of a journal into it. Its neighbour up the
//! way is `ledger`, whose reads it serves.

pub mod catalog;
mod catalog_writer;
mod error;
mod failure;
pub mod feed;
mod handle;
mod hold_rows;
mod layers;
pub mod lsm;
mod moved;
mod now;
mod overlay;
mod parts;
mod past;
mod proven;
mod query;
pub mod record;
pub mod rows;
mod shared;
mod spans;
mod timer_key;
mod timers;
mod transfer_row;
mod tuning;

pub use catalog::Checkpoint;
pub use error::IndexError;
pub use handle::{Besides, Index};
pub use layers::{InternalKey, Tracked};
pub use lsm::memtable::{Memtable, Note, Reached};
pub use lsm::run_error::RunError;
pub use moved::MovedBy;
pub use overlay::{Overlay, read_files};
pub use past::Past;
pub use query::{TakenBack, Used};
pub use spans::{Moved, bounds_of_span, shortest_span};
pub use timers::{Due, DueThing};
pub use tuning::Tuning;
