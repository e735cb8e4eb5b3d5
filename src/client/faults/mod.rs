//! A network with faults, for demonstrations and tests: a proxy that stands in front of a service and loses, doubles, delays,
//! cuts, reorders and drips.
//!
//! [`proxy`] does so to HTTP, where a request has an ID: what happens to it follows from the seed, its ID and how often that
//! ID has come, so that a run can be repeated. [`tcp`] does so to connections of any protocol; [`rates`] says how often.

pub mod proxy;
pub mod rates;
pub mod tcp;

pub use proxy::Proxy;
pub use rates::FaultRates;
