//! The stand-in's own tests: what it answers, how it fails, and clients of others that understand it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod behaviour;
mod clients;
mod faults;
mod stub;
