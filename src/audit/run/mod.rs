//! This room runs an audit from beginning to end: blocks come from a source, are parsed on several threads, and are
//! checked in order.
//!
//! It must not know how its result is shown or what it is needed for. Down the way are [`source`](super::source),
//! [`parse`](super::parse) and [`rules`](super::rules). Up the way are [`show`](super::show), [`carry`](super::carry) and
//! the command line.

pub(crate) mod at_end;
pub(crate) mod audited;
pub(crate) mod auditor;
pub(crate) mod of_lines;
pub(crate) mod options;
pub(crate) mod pipeline;
pub(crate) mod verify;
