//! These tests take transfers to payout providers over sockets: what a provider says, what is lost on the way, and what
//! operators do about it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod acts;
mod bank;
mod confirmed;
mod copied;
mod counter;
mod documented;
mod ends;
#[path = "../support/faulty.rs"]
mod faulty;
#[path = "../support/holds.rs"]
mod holds;
mod instances;
mod refused;
mod restarts;
mod restored;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/transfers.rs"]
mod transfers;
mod unknown;
