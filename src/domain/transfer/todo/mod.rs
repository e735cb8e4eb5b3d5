//! What is to be done next of a transfer follows from its state, from what its driver has learnt, and from the time.
//!
//! The two kinds of transfers have a file each: [`between`] accounts the account that is paid decides, and to the
//! [`outside`] the provider does.

mod act;
mod between;
mod outside;

use crate::domain::payee::Payee;
use crate::domain::time::Timestamp;

use super::Transfer;
use super::steps::Steps;

pub use act::Todo;

/// Returns what is to be done next.
#[must_use]
pub fn todo(transfer: &Transfer, steps: &Steps, now: Timestamp) -> Todo {
    match transfer.terms.to {
        Payee::Account(_) => between::between(transfer, steps, now),
        Payee::External(_) => outside::outside(transfer, steps, now),
    }
}
