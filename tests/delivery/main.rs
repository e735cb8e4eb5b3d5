//! These tests try deliveries on the pure functions: every rule, every order in which a few things can happen, and long random
//! ones.

mod data;
mod every_order;
mod holders;
mod letters;
mod memory;
mod receiver;
mod rules;
mod running;
mod settings;
mod sockets;
mod stories;
mod stream;
mod wire;
mod world;
