//! The ledger over an event store is measured beside the bare store. The store is a node that already runs; it is asked for the
//! same appends with and without the ledger, in turns.
//!
//! While the store is measured alone, the ledger stands still (SIGSTOP), because its follower would take part. Then it goes on
//! and reads what was appended meanwhile. Its turn begins when it has read it all.

mod bare;
mod ledger;
mod long;
pub(super) mod measured;
mod report;
pub(super) mod run;
