//! These tests try deliveries: every rule and every order in which a few things can happen on the pure functions, and the
//! runner over real sockets, with a ledger in memory that is killed where it hurts, and with the real program.

mod acts;
mod cluster;
mod contest;
mod data;
mod down;
mod every_order;
mod faults;
mod figures;
mod instances;
mod kills;
mod letters;
mod memory;
mod operator;
mod program;
mod python;
mod receiver;
mod recorded;
mod rules;
mod running;
mod settings;
mod settled;
mod sockets;
mod stories;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod trial;
mod wire;
mod world;
