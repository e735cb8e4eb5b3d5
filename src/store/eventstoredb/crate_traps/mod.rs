//! The traps of the `eventstore` crate (4.0), and what keeps the service out of each. Nothing of the ledger is in here: a
//! release of the crate without a trap lets its file go.
//!
//! | file | what the crate does | how it shows | the file may go when |
//! |---|---|---|---|
//! | [`endless`] | asks a subscription that ended in good order again and again, within one poll | a thread at 100 %, which no time-out and no abort stops, and the index stands still | `eventstoredb::ended` passes without it |
//! | [`nodelay`] | leaves Nagle's algorithm on | an append alone takes 44 ms instead of 0.8 ms | `eventstoredb::pace` passes without it |
//! | [`tls`] | installs the TLS provider of the process, and panics when there is one already | no client of the process ever connects | a client that is made after another provider connects; `eventstoredb_tls` goes with it |
//!
//! Two more habits of the crate are lived with where they matter: a client whose first connection failed never connects
//! (`connection`), and a subscription that is dropped half-way is forgotten (`follow`).

pub mod endless;
pub mod nodelay;
pub mod tls;
