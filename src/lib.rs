//! bookonce: a ledger service that books every transaction exactly once.

pub mod cli;
