//! The ledger over an event store, beside the bare store: a node that already runs, which is asked for the same appends
//! with and without the ledger in turns.
//!
//! While the store is measured alone, the ledger stands still (SIGSTOP), or its follower would take part. Then it goes on,
//! reads what was appended meanwhile, and its turn begins when it has it all.

mod bare;
mod ledger;
mod long;
pub(super) mod measured;
mod report;
pub(super) mod run;
