//! This folder is the server: sockets, TLS, the deadlines of slow peers, and the one layer that every request passes.
//!
//! It knows connections and heads, and must not know what a request asks for: no path, no body, no ledger's answer. Up the
//! way are clients. Down the way are the routes of [`crate::http`], which it serves as one service.

pub(crate) mod head;
pub(crate) mod limits;
pub(crate) mod outer_layer;
pub(crate) mod peer;
pub(crate) mod serve;
pub(crate) mod slow_peer;
pub mod tls;
