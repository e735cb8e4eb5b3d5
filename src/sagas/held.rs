//! [`Payout`] is what a driver holds for the calls to its provider.

use std::sync::Arc;

use crate::payouts::{Order, Place};

/// A `Payout` is what a driver holds for the calls to its provider.
#[derive(Default)]
pub(super) struct Payout {
    pub(super) place: Option<Place>,
    pub(super) order: Option<Arc<Order>>,
    /// This is true after the sending was recorded by one try, and until the call: nothing can have come between.
    pub(super) is_just_recorded: bool,
}

impl Payout {
    /// Says whether it has a place among the provider's calls.
    pub(super) fn has_place(&self) -> bool {
        self.place.is_some()
    }
}
