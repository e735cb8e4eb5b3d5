//! The ledger is what its users see: one handle through which commands go in and reads come out.
//!
//! Commands go to the `clerk`. Reads of accounts, IDs and statements are answered from the `index`, which has every event
//! before its answer is sent, and from the journal's lines; sums at an old position are worked out from the journal.
//! Reads run on blocking threads: ordinary ones in
//! a pool whose places they leave in milliseconds, long ones two at a time in a pool of their own.

mod accounts;
mod clock_watch;
mod destinations;
mod driving;
mod effective;
mod expiries;
mod expiry_beat;
mod fold;
mod folder_watch;
mod handle;
mod history;
mod holds;
mod lag;
mod long_reads;
mod open;
mod open_error;
mod open_store;
mod own_statement;
mod parts;
mod pause;
pub mod permission;
mod ring;
mod scan;
mod status;
mod stream;
mod sums;
mod tail;
mod transfers;
mod types;
mod verdict;
mod wakes;
mod went_back;

pub use crate::clerk::Done;
pub use clock_watch::{Steady, system_steady};
pub use destinations::FolderId;
pub use handle::Ledger;
pub use holds::{HoldHistory, HoldsPage};
pub use lag::Lag;
pub use long_reads::ReadLimits;
pub use open::{INDEX, Options, Workings};
pub use open_error::OpenError;
pub use parts::Parts;
pub use pause::DriveOrder;
pub use ring::Lines;
pub use status::Status;
pub use tail::Follower;
pub(crate) use transfers::next;
pub use transfers::{TransferQuery, TransferReading, TransfersPage};
pub use types::*;
pub use verdict::Verdict;
