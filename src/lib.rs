//! bookonce: a ledger service that books every transaction exactly once.

pub mod audit;
pub mod cli;
