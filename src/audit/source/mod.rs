//! Where a journal is read from: a data folder, an exported file, or whoever feeds it from another store. Gives blocks of
//! lines as they are, and judges nothing that the lines themselves can show.

pub(crate) mod channel;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod interface;
pub(crate) mod open;
pub(crate) mod wal;
