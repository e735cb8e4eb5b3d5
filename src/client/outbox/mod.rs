//! The outbox keeps messages to the ledger in one file from before their first attempt until a person has seen their end.
//!
//! A client that loses its network, its power or its process loses nothing and books nothing twice: the ID and the whole
//! request are on the disk before the first byte leaves, and every attempt has the same of both. A message whose outcome is
//! not known is never called failed, and never edited: it may be booked.
//!
//! The core is pure: [`state`] says what may follow on what, [`heard`] what an answer means, [`pace`] how soon and how often,
//! and [`desk`] which message is next. The shells around it are thin: [`order`] makes a message of a person's words,
//! [`mod@file`] with [`row`], [`writing`] and [`progress`] keep them, [`lock`] lets one process send, and [`sending`] is time
//! and sockets. It must not know the command line, which is up the way; the sender of one request is down the way.

mod changing;
pub(crate) mod desk;
pub mod error;
pub mod file;
pub(crate) mod heard;
pub mod lock;
pub mod order;
pub mod pace;
mod progress;
pub mod row;
pub mod sending;
pub mod state;
mod writing;
