//! This folder reads the parts of a request: who calls, the path, the query, the headers, the form that is wanted, the body.
//!
//! Each file takes one part and returns a value, or the problem that the client is told. It must not know what is done with
//! the value: no handler, no answer. Up the way is [`crate::http::server`]. Down the way are the handlers in `writes`,
//! `reads` and `service`.

pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod cursor;
pub(crate) mod headers;
pub(crate) mod local;
pub(crate) mod negotiate;
pub(crate) mod parameters;
pub(crate) mod path;
pub(crate) mod query;
