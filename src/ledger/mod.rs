//! The ledger as its users see it: one handle through which commands go in and reads come out.

mod types;

pub use types::*;
