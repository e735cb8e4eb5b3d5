//! The auditor replays a journal with an arithmetic of its own, and says where it is wrong.
//!
//! A journal goes through the rooms in this way:
//!
//! 1. [`source`] reads it in blocks of lines.
//! 2. [`parse`] makes an event of each line and checks all that a line shows by itself; [`run`] does this on several threads.
//! 3. [`rules`] takes the events in order, and checks each against all events before it.
//! 4. [`run`] says how far the journal is right, and what is wrong first. [`show`] puts that into words and tables.
//!
//! [`carry`] takes a journal from place to place: export and restore. [`values`] has what all rooms pass to each other.
//!
//! It must not know `domain`, `store`, `clerk` or `index`: it shares the contract's text with them and no code, so that one
//! slip is not made twice. Down the way are the journal's files. Up the way are the command line, and tests that compare
//! the two.

#![warn(clippy::wildcard_enum_match_arm, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub(crate) mod carry;
pub(crate) mod error;
pub(crate) mod parse;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod source;
pub(crate) mod values;

pub use carry::of_lines::restore_lines;
pub use run::of_lines::{AuditedLines, audit_lines};

#[cfg(test)]
pub(crate) mod tests;
