//! These are the names and numbers that a node has for streams.

/// A stream whose name begins with this holds the metadata of the stream whose name follows.
pub(super) const METADATA: &str = "$$";

/// No revision is greater: a node keeps them as signed numbers.
pub(super) const LAST_REVISION: u64 = i64::MAX as u64;
