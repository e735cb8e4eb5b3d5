//! The values are what the rooms of the audit pass to each other: an event, a sum, a currency, a hash, and what is
//! wrong.
//!
//! Nothing here reads a file or remembers an event. It must not know any other room of the audit. Up the way are all of
//! them.

pub(crate) mod chain;
pub(crate) mod code;
pub(crate) mod correction;
pub(crate) mod currency;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod fact;
pub(crate) mod finding;
pub(crate) mod hold;
pub(crate) mod id;
pub(crate) mod moment;
pub(crate) mod money;
pub(crate) mod span;
pub(crate) mod transfer;
