//! Refusals: a command that is answered, and of which nothing is recorded.

use super::money::AmountError;

/// Why nothing is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such account.
    AccountNotFound,
    /// There is one already.
    AccountExists,
    /// A partial reversal of what was never seen.
    TransactionNotFound,
    /// A field that the account or the clock shows to be wrong.
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Refusal {
    pub(super) fn amount(field: &'static str) -> impl FnOnce(AmountError) -> Self {
        move |error| Self::Invalid { field, problem: error.to_string() }
    }
}
