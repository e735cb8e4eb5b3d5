//! Problems: every answer that is not a success, as RFC 9457 has them.
//!
//! A problem is made where something is found wrong, and becomes a response at the end of the way. It must not know
//! which handler made it.

pub(crate) mod code;
pub(crate) mod details;
pub(crate) mod from_ledger;
pub(crate) mod from_wire;
