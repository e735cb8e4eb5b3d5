//! bookonce: a ledger service that books every transaction exactly once.

pub mod answers;
pub mod audit;
pub mod clerk;
pub mod cli;
pub mod client;
pub mod config;
pub mod domain;
pub mod http;
pub mod index;
pub mod keys;
pub mod ledger;
pub mod store;
pub mod telemetry;
