//! These tests try transfers on the pure functions: every rule, and every order in which things can happen.

#[path = "../support/mod.rs"]
mod support;

mod every_order;
mod lines;
mod model;
mod payouts;
mod rules;
mod stream;
