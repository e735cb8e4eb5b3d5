//! This room takes a journal from place to place: it makes exports from a folder, a store or a running service, and a
//! new folder from an export.
//!
//! Lines are carried byte for byte. It must not know the rules: what is restored is audited first, by [`run`](super::run).
//! Down the way are [`source`](super::source), [`parse`](super::parse) and [`run`](super::run). Up the way is the command
//! line.

pub(crate) mod export;
pub(crate) mod export_streams;
pub(crate) mod of_lines;
pub(crate) mod remote_export;
pub(crate) mod restore;
