//! The rules are what must hold between the events of a journal: each ID once, each revision in turn, each decline and
//! answer as the contract says.
//!
//! Everything here takes events in the journal's order. It must not know lines, files or threads. Down the way is
//! [`values`](super::values). Up the way is [`run`](super::run), which hands the events over.

pub(crate) mod account;
pub(crate) mod account_before;
pub(crate) mod books;
pub(crate) mod books_book;
pub(crate) mod books_holds;
pub(crate) mod books_judge;
pub(crate) mod books_steps;
pub(crate) mod deliveries;
pub(crate) mod destination;
pub(crate) mod digest;
pub(crate) mod double_use;
pub(crate) mod fragment;
pub(crate) mod id_history;
pub(crate) mod id_set;
pub(crate) mod id_slots;
pub(crate) mod in_transit;
pub(crate) mod internal_accounts;
pub(crate) mod judge;
pub(crate) mod judge_holds;
pub(crate) mod open_holds;
pub(crate) mod selected;
pub(crate) mod served;
pub(crate) mod stream_chains;
pub(crate) mod transfer;
pub(crate) mod transfer_acts;
pub(crate) mod transfer_steps;
pub(crate) mod transfer_table;
pub(crate) mod transfers;
