//! This folder tells of the service itself: whether it lives, whether it takes commands, and its figures.
//!
//! It is read by machines that watch. It must not look at accounts or events one by one: what it tells is cheap to find
//! out. Up the way are the routes of [`crate::http`]. Down the way is the status of [`crate::ledger`].

mod commit_times;
mod deliveries_now;
pub(crate) mod delivery_figures;
pub(crate) mod exposition;
pub(crate) mod figures;
pub(crate) mod front;
pub(crate) mod health;
pub(crate) mod metrics;
mod numbers;
pub(crate) mod sign_ins;
pub(crate) mod transfer_figures;
