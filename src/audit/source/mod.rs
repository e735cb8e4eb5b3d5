//! Where a journal is read from: a data folder, an exported file, or whoever feeds it from another store. Gives blocks of
//! lines as they are, and judges nothing that the lines themselves can show.

pub mod channel;
pub mod file;
pub mod folder;
pub mod interface;
pub mod open;
pub mod wal;
