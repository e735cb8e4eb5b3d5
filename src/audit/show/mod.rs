//! This room shows what an audit has found, in words and tables: for a person, as JSON, and beside the books that
//! someone else keeps.
//!
//! It must not read a journal or judge an event. Down the way are [`run`](super::run) and [`rules`](super::rules). Up the
//! way is the command line.

pub(crate) mod compare;
pub(crate) mod replay;
pub(crate) mod verified;
