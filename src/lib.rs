//! bookonce is a ledger service that books every transaction exactly once.
//!
//! A command comes in with the ID that its client made for it. It is decided once, its event is appended to the
//! journal, and its answer is rendered from that event, now and whenever the same ID comes again. Nothing in the
//! journal is ever changed or deleted. This page is the map; each folder's own page says what it must not know.
//!
//! # The way of a withdrawal
//!
//! 1. [`http`] reads the request; [`wire`] makes a [`domain::command::Command`] of its JSON, or says at once what is wrong.
//! 2. [`ledger`] is the handle: it says whether the caller may ask for that, passes the command to the [`clerk`], and waits.
//! 3. The [`clerk`] rules on it ([`clerk::rule`]): it asks the [`index`] whether the ID was seen, loads the account, and runs
//!    [`domain::decide`], a pure function that makes an event (a decline is one, too) or a refusal.
//! 4. [`store`] chains the events of all commands that were waiting to the one before, and makes them durable together.
//! 5. The [`index`] takes them in; then the caller is told, and [`answers`] renders the answer from the event.
//!
//! There are two stores, and a clerk for each behind one port. The embedded store is held by this process:
//! [`clerk::single`] decides one command after the other for the whole ledger and appends what was waiting as one commit.
//! EventStoreDB is written by any number of instances: [`clerk::shared`] has a task for each stream in use, which
//! appends at the exact revision that it decided on and decides again when another was first, and a follower that keeps
//! the [`index`] up with all of them. The rule, the answers and everything after are the same.
//!
//! Transfers take more than one step: the [`sagas`] drive them, as [`domain::transfer`] says, and ask the payout providers
//! ([`payouts`]) for those that leave the ledger.
//!
//! What was recorded goes out to destinations through [`delivery`], which follows the ledger's tail and records how far it has
//! come; [`domain::delivery`] says what is sent and when.
//!
//! Two modules read the journal: the ledger's tail follows it for the live feed; [`audit`] replays and verifies it with
//! arithmetic of its own, exports it and restores it. [`client`] is the caller's side: it keeps an ID through every
//! attempt, and in its outbox through kills and days without a network; its inbox is the receiver's side, where a message has
//! its effect once. [`cli`] is the command line; [`config`], [`telemetry`], [`keys`] and [`signature`] are what is needed
//! besides.
//!
//! # What always holds
//!
//! - An ID is booked once, for ever; a retry gets the first answer, byte for byte.
//! - No answer leaves before everything that it was decided on is durable.
//! - A commit that fails takes back its state, and every decision made on top of it.
//! - An append of unknown outcome is asked about until its revision is occupied; nothing is decided on it before.
//! - Every movement of money has two entries that sum to zero; so does the ledger, at every position.
//! - What is derived (the index) names its journal, its position and the hash there, and can be deleted.
//! - The core takes time and random numbers as arguments.

#![warn(
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

pub mod answers;
pub mod audit;
pub mod clerk;
pub mod cli;
pub mod client;
pub(crate) mod config;
pub mod delivery;
pub mod domain;
pub mod http;
pub mod index;
pub mod keys;
pub mod ledger;
pub(crate) mod patient;
pub(crate) mod pause_mark;
pub mod payouts;
pub mod sagas;
pub(crate) mod seldom;
pub mod signature;
pub(crate) mod still;
pub mod store;
pub mod tasks;
pub(crate) mod telemetry;
pub(crate) mod wire;
pub(crate) mod with_causes;
