//! The service about itself: whether it lives, whether it takes commands, and its figures.
//!
//! Machines that watch read it. It must not look at accounts or events one by one: what it tells is cheap to find out.

pub(crate) mod figures;
pub(crate) mod health;
pub(crate) mod metrics;
