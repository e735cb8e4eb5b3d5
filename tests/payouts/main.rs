//! These tests take transfers to payout providers over sockets: what a provider says, what is lost on the way, and what
//! operators do about it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod acts;
mod bank;
mod copied;
mod counter;
mod documented;
mod ends;
mod instances;
mod refused;
mod restarts;
mod restored;
#[path = "../support/mod.rs"]
mod support;
mod unknown;
