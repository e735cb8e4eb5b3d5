//! These tests try deliveries on the pure functions: every rule, every order in which a few things can happen, and long random
//! ones.

mod data;
mod every_order;
mod holders;
mod letters;
mod recorded;
mod rules;
mod settings;
mod sockets;
mod stories;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod wire;
mod world;
