//! Deliveries bring what the ledger recorded to its destinations. Here is what goes over a wire: the [`message`], its
//! [signature](crate::signature), and the [`webhook`] that carries it to no address but one that it may; and the [`runner`],
//! which does so.
//!
//! What is sent when, and what is recorded of it, is said by `domain::delivery`. The runner knows the ledger by its [`port`]
//! alone, and one file puts the port over the ledger. A webhook sends once for each call: that a message is sent again is
//! decided by the flow.

pub mod acts;
pub mod addresses;
pub mod chunk;
pub mod message;
mod over_ledger;
pub mod port;
mod resolver;
pub mod runner;
pub mod settings;
pub mod target;
pub mod webhook;
