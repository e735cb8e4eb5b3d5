//! The simulation runs whole ledgers in one thread, and draws from a seed all that happens to them.
//!
//! What runs is what ships: the codec, the rule and the decisions, both clerks, the follower, the index, the answers and the
//! auditor. What is simulated is what lies outside: the disk, EventStoreDB, the network, the clients, the clocks, and the
//! moments at which a process dies. The tasks of the ledgers are driven by an [`executor`] of the simulation's own, so that
//! one seed is one run, step by step.
//!
//! A run goes in this order: [`plan`] draws who takes part, [`run`](mod@run) starts all of it, [`clients`] send [`commands`],
//! [`trouble`] comes, all heals, and [`checks`] look at what came of it. An [`instance`] is [`embedded`] over a [`disk`], or
//! [`shared`] over a [`node`] that it reaches by a [`connection`]. [`marks`] count the rare states.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are tests"
)]

pub mod answers;
pub mod checks;
pub mod clients;
pub mod clock;
pub mod commands;
pub mod connection;
pub mod disk;
pub mod due;
pub mod embedded;
pub mod executor;
pub mod index_files;
pub mod instance;
pub mod marks;
#[path = "../../support/model.rs"]
pub mod model;
pub mod node;
pub mod operator;
pub mod outside;
pub mod paid;
pub mod payout_stories;
pub mod plan;
pub mod provider;
pub mod random;
pub mod readings;
pub mod restoring;
pub mod run;
pub mod seat;
pub mod service;
pub mod shared;
pub mod shown;
pub mod stories;
pub mod trace;
pub mod trouble;
pub mod world;
