//! The ledger as its users see it: one handle through which commands go in and reads come out.

mod fake;
mod types;

pub use fake::{Ledger, Status};
pub use types::*;
