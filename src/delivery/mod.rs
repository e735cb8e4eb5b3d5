//! Deliveries bring what the ledger recorded to its destinations. Here is what goes over a wire: the [`message`], its
//! [`signature`], and the [`webhook`] that carries it to no address but one that it may.
//!
//! What is sent when, and what is recorded of it, is said by `domain::delivery`; this folder must not know the ledger. A
//! message is sent once for each call: that it is sent again is decided elsewhere.

pub mod addresses;
pub mod chunk;
pub mod message;
mod over_ledger;
pub mod port;
mod resolver;
pub mod runner;
pub mod settings;
pub mod signature;
pub mod target;
pub mod webhook;
