//! The core: what a ledger may book and what follows from it. Pure: no clock, no random number, no I/O, no async.
//!
//! A [`command::Command`] meets what the ledger knows ([`decide::Standing`]) in [`decide::decide`] and becomes an
//! [`event::Event`] or a [`decide::Refusal`]; [`account::Account::evolve`] folds events into state. Knows no other
//! module of this crate. Up the way: `clerk` runs it; down the way: `store` keeps its events.

pub mod account;
pub mod command;
pub mod currency;
pub mod decide;
pub mod decline;
pub mod digest;
pub mod event;
pub mod ids;
pub mod metadata;
pub mod money;
pub mod role;
pub mod same;
pub mod time;
