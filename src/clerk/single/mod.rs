//! The single clerk is the clerk of a store that this process holds. It decides one command after
//! the other for the whole ledger: one thread at a time is at its desk.
//!
//! It takes every command that is waiting, decides each on the state that the ones before it leave, and appends all
//! their events together. While that becomes durable, the next ones are decided. An answer is sent when everything that
//! it was decided on is durable: the answers of a batch are sent when the batch's append has ended. When an append
//! fails, its decisions and every decision made on top of them are taken back.
//!
//! It costs little: a decision takes about a microsecond; most of the time is spent waiting for the disk. It is bounded: at
//! most `clerk::Limits` jobs and commands wait, and beyond that a caller is told so at once; `decided_state` says what is
//! kept in memory.
//!
//! The way: [`handle`] queues a job, `commit_loop` takes it to the `desk`, which rules on it over `decided_state`;
//! `append` makes it durable and answers. A job that is alone goes from the `handle` to the `desk` at once.

mod append;
mod commit_loop;
mod decided_state;
mod desk;
mod handle;
mod hands;
mod pace;
mod queue;
mod work;
mod writer;

pub use handle::Clerk;
pub use hands::{Hands, Owed};
pub use work::{Alone, Office};
