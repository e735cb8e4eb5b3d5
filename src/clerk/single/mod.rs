//! The clerk of a store that this process holds: one thread decides for the whole ledger.
//!
//! It takes every command that is waiting, decides each on the state as the ones before it leave it, and appends all their
//! events together. While that becomes durable, the next ones are decided. An answer is sent when everything that it was
//! decided on is durable, so each rides with the append that its batch is. An append that fails takes back its state, and
//! every decision made on top of it.
//!
//! Costs: a decision is about a microsecond; what is waited for is the disk. Bounds: `clerk::Limits` jobs and commands wait
//! at most, then the caller is told so at once; `decided_state` says what is kept in memory.
//!
//! The way: [`handle`] queues a job, `commit_loop` rules on it over `decided_state`, `append` makes it durable and answers.

mod append;
mod commit_loop;
mod decided_state;
mod handle;
mod queue;

pub use commit_loop::{Alone, Office};
pub use handle::Clerk;
