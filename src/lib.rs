//! bookonce: a ledger service that books every transaction exactly once.

pub mod answers;
pub mod cli;
pub mod client;
pub mod domain;
pub mod ledger;
pub mod store;
