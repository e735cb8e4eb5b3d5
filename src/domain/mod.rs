//! The core says what a ledger may book, and what follows from it. It is pure: no clock, no random numbers, no I/O, no
//! async.
//!
//! A [`command::Command`] meets what the ledger knows ([`decide::Standing`]) in [`decide::decide`] and becomes an
//! [`event::Event`] or a [`decide::Refusal`]; [`state::State::evolve`] folds the events of a stream into its state. The
//! stream ([`stream::StreamName`]) is the unit that is decided on; accounts and transfers are the kinds of streams. This
//! folder knows no other module of this crate. Up the way, `clerk` runs it; down the way, `store` keeps its events.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod account;
pub mod command;
pub mod currency;
pub mod decide;
pub mod delivery;
pub mod digest;
pub mod event;
pub mod hold_request;
pub mod ids;
pub mod kind;
pub mod letter;
pub mod metadata;
pub mod money;
pub(crate) mod names;
pub mod payee;
pub mod reason;
pub mod refusal;
pub mod role;
pub mod same;
pub mod standing;
pub mod state;
pub mod stream;
pub mod time;
pub mod trace;
pub mod transfer;
pub mod written_balance;
