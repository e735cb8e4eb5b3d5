//! These tests are about the stand-in itself: what it answers, how it fails, and that clients of others understand it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod behaviour;
mod clients;
mod faults;
mod stub;
