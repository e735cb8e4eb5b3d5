//! These tests run the auditor against histories built by hand: right ones, damaged ones, and forged ones with every
//! hash computed anew.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: it has failed then"
)]

mod aside;
pub(crate) mod compared;
mod corrections;
mod folders;
mod forge;
mod forged;
mod forged_deliveries;
mod forged_ends;
mod forged_holds;
mod forged_payouts;
mod forged_transfers;
mod forms;
pub(crate) mod history;
mod history_deliveries;
pub(crate) mod history_holds;
mod history_transfers;
mod mutated;
mod newer;
mod program;
mod remote;
mod right;
mod right_transfers;
mod stored;
mod streams;

use std::io::Cursor;
use std::path::Path;

use super::source::file::File;
use super::values::finding::{Finding, Place};
use crate::audit::run::audited::Audited;
use crate::audit::run::auditor::audit;
use crate::audit::run::options::Options;

impl Finding {
    /// Returns the first bad position; none when it is the manifest that is wrong.
    fn position(&self) -> Option<u64> {
        match self.place {
            Place::Position(position) => Some(position),
            Place::Manifest => None,
        }
    }
}

/// Audits the bytes of an exported file.
pub(crate) fn audited(bytes: &[u8]) -> Audited {
    audited_with(bytes, Options::default())
}

/// Does the same, with options.
pub(crate) fn audited_with(bytes: &[u8], options: Options<'_>) -> Audited {
    let file = File::new(Cursor::new(bytes.to_vec()), Path::new("test.ndjson")).unwrap();
    audit(Box::new(file), options).unwrap()
}
