//! The sending side against a small ledger in memory: what a client must get right, whatever the service does.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod fake;
mod import;
mod sending;
