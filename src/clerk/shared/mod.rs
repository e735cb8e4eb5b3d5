//! The clerk of a store that several instances write: a task for each stream in use.
//!
//! Each task is the one writer of its stream in this instance, and appends at the exact revision that it decided on. So the
//! store says who was first, here or elsewhere, and whoever was not reads on and decides again. The tasks do not wait for
//! each other. What they share is which IDs are reserved: an ID is reserved for one stream until the index knows its event.
//!
//! Costs: a command on a stream in use is one append, shared with all that came for it meanwhile; the first on a stream
//! costs two reads more. Bounds: `clerk::Limits` jobs and commands wait at most, 256 appends and 64 loads are under way at
//! once, and streams that nothing comes for are let go of.
//!
//! The way: `clerk` reserves the IDs, `dispatch` finds the task of each stream, `inbox` keeps what came, `stream_task` loads
//! a `stream_view`, fetches `lookups`, decides a `round` and appends it. `follower` keeps the index up with the store,
//! and `watch` looks whether it does.

mod admission;
mod booked;
mod clerk;
mod common;
mod damage;
mod dispatch;
mod follower;
mod following;
mod inbox;
mod last_event;
mod lookups;
mod observed;
mod page;
mod reserved_ids;
mod round;
mod stopped;
mod stream_task;
mod stream_view;
mod trouble;
mod watch;

pub use clerk::{Clerk, Office};
pub use common::Waits;
