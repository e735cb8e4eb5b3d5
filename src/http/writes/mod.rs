//! This folder has the writes: the handlers that pass commands to the ledger and answer with what it says.
//!
//! They read a request with [`crate::http::request`] and make commands of it with [`crate::wire`]. They must not decide
//! anything about money: what may be booked is said by [`crate::ledger`], and [`crate::answers`] renders it. Up the way are
//! the routes of [`crate::http`].

pub(crate) mod admitted;
pub(crate) mod answered;
pub(crate) mod batch;
pub(crate) mod destinations;
pub(crate) mod single;
pub(crate) mod transfers;
pub(crate) mod under_way;
