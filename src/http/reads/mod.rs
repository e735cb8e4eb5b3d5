//! This folder has the reads: the handlers that show accounts, transactions, the journal and the reports over all of them.
//!
//! They ask [`crate::ledger`] (and [`crate::delivery`], how destinations are served) and put what it found into the shapes of
//! the API. They must not know the index or how the store keeps events, and they change nothing. Up the way are
//! the routes of [`crate::http`]. Down the way is [`crate::ledger`].

pub(crate) mod accounts;
mod csv_pages;
pub(crate) mod destination_view;
pub(crate) mod destinations;
pub(crate) mod event_view;
pub(crate) mod holds;
pub(crate) mod journal;
pub(crate) mod live;
pub(crate) mod min_position;
pub(crate) mod own_statement;
mod own_statement_csv;
pub(crate) mod page;
pub(crate) mod reports;
pub(crate) mod statement;
mod statement_csv;
pub(crate) mod transactions;
pub(crate) mod transfers;
