//! bookonce: a ledger service that books every transaction exactly once.

pub mod answers;
pub mod cli;
pub mod domain;
pub mod http;
pub mod keys;
pub mod ledger;
pub mod store;
