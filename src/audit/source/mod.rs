//! The sources are what a journal is read from: a data folder, an exported file, or a channel from a store that is not
//! known here.
//!
//! A source gives blocks of lines as they are. It must not judge anything that the lines themselves can show, and must not
//! know what is done with them. Down the way are SQLite and files. Up the way are [`run`](super::run) and
//! [`carry`](super::carry).

pub(crate) mod channel;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod form;
pub(crate) mod interface;
pub(crate) mod open;
pub(crate) mod parts;
pub(crate) mod wal;
