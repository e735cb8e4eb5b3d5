//! The shared clerk is the clerk of a store that several instances write. It has a task for each stream in use.
//!
//! Each task is the one writer of its stream in this instance, and appends at the exact revision that it decided on. So
//! the store says which instance was first; a task that was not first reads on and decides again. The tasks do not wait
//! for each other. They share the list of reserved IDs: an ID is reserved for one stream until the index knows its
//! event.
//!
//! It costs this: a command on a stream in use costs one append, shared with all commands that came for the stream
//! meanwhile; the first command on a stream costs two reads more, but for the request of a new transfer, whose stream can only
//! be empty. It is bounded: at most `clerk::Limits` jobs and commands wait, at most 256 appends, of which 50 are the
//! service's own, and 64 loads are under way at once, and a stream for which no command comes is removed from memory, that of a
//! transfer at its end. Beside short jobs of clients, 64 commands of long ones are under way at most, in 8 appends.
//!
//! The way: `clerk` reserves the IDs, `dispatch` finds the task of each stream, `inbox` keeps what came, `turns` say when long
//! jobs go on, `stream_task` loads a `stream_view`, fetches `lookups`, decides a `round` and appends it, and `answering` tells
//! the callers. `follower` lets the index follow the store, and `watch` looks whether it does.

mod admission;
mod answering;
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
mod reading;
mod recent;
mod reserved_ids;
mod round;
mod stopped;
mod stream_task;
mod stream_view;
mod taking_in;
mod trouble;
mod turns;
mod watch;

pub use clerk::{Clerk, Office};
pub use common::{BeginsAfter, Waits};
