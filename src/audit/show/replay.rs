//! A replay shows the books as the journal alone gives them, as a table or as JSON.

use std::collections::BTreeMap;

use crate::audit::rules::books;
use crate::audit::rules::digest;
use crate::audit::values::money;

/// A `BookedAccount` is a guarded account, as the auditor or anybody else who keeps books shows it. Sums are texts, as
/// the journal writes them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct BookedAccount {
    pub(crate) account: String,
    pub(crate) currency: String,
    pub(crate) balance: String,
    /// This is what open holds set aside, where they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<String>,
    /// This is how far the balance may go below zero.
    pub(crate) overdraft_limit: String,
    /// `open`, `frozen` or `closed`.
    pub(crate) status: String,
    /// This is the revision of the newest event.
    pub(crate) revision: u64,
}

/// A `BookedInternal` is one of the ledger's own accounts, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct BookedInternal {
    /// This is the name, with its `@`.
    pub(crate) account: String,
    pub(crate) currency: String,
    pub(crate) balance: String,
}

/// A trial balance is the total of all balances in a currency. It is zero, unless something is very wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct TrialBalance {
    pub(crate) currency: String,
    /// This is the sum of the guarded accounts' balances.
    pub(crate) guarded: String,
    /// This is the sum of the ledger's own accounts' balances.
    pub(crate) internal: String,
    /// This says whether the two sum to zero.
    pub(crate) balanced: bool,
}

/// Replayed books are those at a position, as the journal alone gives them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Replayed {
    pub(crate) position: u64,
    /// These are the guarded accounts, by name.
    pub(crate) accounts: Vec<BookedAccount>,
    /// These are the ledger's own accounts, by name and currency.
    pub(crate) internal: Vec<BookedInternal>,
    /// This is the trial balance, by currency.
    pub(crate) trial_balance: Vec<TrialBalance>,
    /// This is the state digest.
    pub(crate) digest: String,
}

impl Replayed {
    /// Makes the books that are shown from those of the auditor.
    #[must_use]
    pub(crate) fn of(books: &books::Books) -> Self {
        let mut totals = BTreeMap::<_, (i128, i128)>::new();
        let mut accounts = Vec::new();
        for (name, account) in books.accounts() {
            add(&mut totals.entry(account.currency).or_default().0, account.balance);
            accounts.push(BookedAccount {
                account: name.to_owned(),
                currency: account.currency.to_string(),
                balance: money::show(account.balance, account.currency),
                held: Some(account.held())
                    .filter(|held| *held != 0)
                    .map(|held| money::show(held, account.currency)),
                overdraft_limit: money::show(account.limit, account.currency),
                status: account.status.text().to_owned(),
                revision: account.revision,
            });
        }
        let mut internal = Vec::new();
        for ((name, currency), balance) in books.internal() {
            add(&mut totals.entry(currency).or_default().1, balance);
            let balance = money::show(balance, currency);
            internal.push(BookedInternal {
                account: name.to_owned(),
                currency: currency.to_string(),
                balance,
            });
        }
        let trial = |(currency, (guarded, internal)): (_, (i128, i128))| TrialBalance {
            currency: format!("{currency}"),
            guarded: money::show(guarded, currency),
            internal: money::show(internal, currency),
            balanced: guarded.checked_add(internal) == Some(0),
        };
        let trial_balance = totals.into_iter().map(trial).collect();
        Self { position: books.position(), accounts, internal, trial_balance, digest: digest::of(books) }
    }

    /// Says whether all balances sum to zero in every currency.
    #[must_use]
    pub(crate) fn balanced(&self) -> bool {
        self.trial_balance.iter().all(|trial| trial.balanced)
    }
}

/// Adds to a total. One that no 128 bits hold stays at the end of its range, where the two sides never sum to zero.
fn add(total: &mut i128, balance: i128) {
    *total = total.saturating_add(balance);
}
