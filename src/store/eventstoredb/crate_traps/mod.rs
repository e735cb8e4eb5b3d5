//! This folder has the traps of the `eventstore` crate (4.0), and what keeps the service out of each. Nothing of the
//! ledger is in here. When a release of the crate no longer has a trap, the trap's file can go.
//!
//! - [`endless`]. The crate asks a subscription that ended in good order again and again, within one poll. It shows as a
//!   thread at 100 % that no time-out and no abort stops, while the index stands still. The file may go when the tests in
//!   `eventstoredb::ended` pass without it.
//! - [`nodelay`]. The crate leaves Nagle's algorithm on. It shows as 44 ms for an append alone, in place of 0.8 ms. The
//!   file may go when `eventstoredb::pace` passes without it.
//! - [`tls`]. The crate installs the TLS provider of the process, and panics when there is one already. It shows as a
//!   process of which no client ever connects. The file may go, and the test `eventstoredb_tls` with it, when a client
//!   connects that is made after another provider was installed.
//!
//! Two more habits of the crate are lived with where they matter: a client whose first connection failed never connects
//! (`connection`), and a subscription whose future is dropped half-way is forgotten (`follow`).

pub mod endless;
pub mod nodelay;
pub mod tls;
