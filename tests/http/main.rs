//! These tests meet the service over HTTP, as its clients do: what it answers, whom it lets in, what it refuses, and
//! what it bears.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod bad_bodies;
mod bad_requests;
mod contract;
mod corrections;
mod examples;
#[path = "../support/faulty.rs"]
mod faulty;
mod holds;
mod keys;
mod lenient;
mod load;
mod own_statement;
mod peers;
mod reads;
mod roles;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod transfers;
mod watched;
