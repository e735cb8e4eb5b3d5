//! The event store: the port through which the clerk appends and everybody reads, and the stores behind it.
//!
//! Knows the domain's events and nothing of HTTP, of decisions or of the index. Up the way: `clerk`. Down the way: the
//! disk. [`codec`] is the one place where an event becomes bytes, [`chain`] the one where bytes get their hash.

pub mod chain;
pub mod codec;
