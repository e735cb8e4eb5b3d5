//! What must hold between the events of a journal: each ID once, each revision in turn, each decline and answer as the
//! contract says.
//!
//! Everything here takes events in the journal's order. It must not know lines, files or threads. Down the way:
//! [`values`](super::values). Up the way: [`run`](super::run), which hands the events over.

pub mod books;
pub mod digest;
pub mod double_use;
pub mod fragment;
pub mod id_history;
pub mod id_set;
pub mod judge;
pub mod stream_chains;
