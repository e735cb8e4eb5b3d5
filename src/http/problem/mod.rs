//! This folder has the problems: the answers that are not a success, as RFC 9457 has them.
//!
//! `details` is a problem, `code` the table of their codes; `from_wire` and `from_ledger` make problems of what other rooms
//! say. A problem must not know which handler made it. Its neighbours are all handlers, which return it as their error.

pub(crate) mod code;
pub(crate) mod details;
pub(crate) mod from_ledger;
pub(crate) mod from_wire;
