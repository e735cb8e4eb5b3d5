//! A hold sets money aside; it is settled once: captured, released or expired.
//!
//! [`client`] decides what clients ask of holds, [`transfer`] the steps of a transfer on an account, which use the same
//! facts, and [`settle`] what both have in common. [`expiry`] books what is due. The fold keeps the [`open_holds`].

mod client;
mod expiry;
pub mod open_holds;
mod settle;
mod transfer;

pub(in crate::domain) use expiry::due;

pub(super) use client::place;
pub(super) use settle::{capture, release};
pub(super) use transfer::{credit, hold, rule_out};
