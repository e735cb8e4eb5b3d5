//! These tests run the sending side against a small ledger in memory: what a client must do right, whatever the service
//! does.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that can't go on should say where and why"
)]

mod demo;
mod document;
mod fake;
mod faults;
mod import;
mod inbox;
mod outbox;
mod receiver_sql;
mod second_opinion;
mod sending;
#[path = "../support/mod.rs"]
mod support;
