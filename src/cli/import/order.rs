//! The order of a file is checked before anything is sent: each balance must follow from the one before it.
//!
//! A line's ID is the only one that it will ever have. What is sent in the wrong order, a withdrawal before the deposit that
//! pays for it, is declined for ever. So the file's own sums are done first, account by account; the memory is that of one
//! line for each account.

use std::collections::HashMap;

use super::bank_line::BankLine;
use super::tally::Wrong;

/// This is the most lines that are looked up in the ledger under ids with leading zeros.
const SAMPLE: usize = 16;

/// An `Order` is the order of the lines that were taken so far.
#[derive(Default)]
pub(crate) struct Order {
    last: HashMap<String, BankLine>,
    /// This is the first line of each account.
    first: Vec<BankLine>,
    /// This is how many balances do not follow from the line before them.
    forward: u64,
    /// This is how many balances do not follow from the line after them.
    backward: u64,
    /// This is how many lines are of an earlier day than the line before them, and how many of a later day.
    earlier: u64,
    later: u64,
    /// This says whether an id of a line, and whether a number of an account, begins with a zero.
    zeros: (bool, bool),
    /// These are the lines with the shortest ids.
    shortest: Vec<BankLine>,
}

impl Order {
    /// Takes the next good line, and says whether its balance follows from the line before it of the same account.
    pub(crate) fn take(&mut self, line: &BankLine) -> Option<Wrong> {
        self.zeros.0 |= line.entry_id.starts_with('0');
        self.zeros.1 |= line.bank_account().starts_with('0');
        self.sample(line);
        let Some(last) = self.last.insert(line.account.clone(), line.clone()) else {
            self.first.push(line.clone());
            return None;
        };
        self.earlier += u64::from(line.effective_at() < last.effective_at());
        self.later += u64::from(line.effective_at() > last.effective_at());
        self.backward += u64::from(last.balance_before() != Some(line.balance_after));
        if line.balance_before() == Some(last.balance_after) {
            return None;
        }
        self.forward += 1;
        Some(Wrong::NotFollowing {
            account: line.account.clone(),
            after: last.number,
            balance: last.balance_after,
            before: line.balance_before(),
        })
    }

    fn sample(&mut self, line: &BankLine) {
        let length = |line: &BankLine| line.entry_id.len();
        self.shortest.push(line.clone());
        if self.shortest.len() > SAMPLE {
            self.shortest.sort_by_key(length);
            self.shortest.truncate(SAMPLE);
        }
    }

    /// Says whether the file is newest first: every balance is right from the last line to the first, and from the first to
    /// the last it is wrong or against the days.
    pub(crate) fn is_newest_first(&self) -> bool {
        let against_the_days = self.earlier > 0 && self.later == 0;
        self.backward == 0 && (self.forward > 0 || against_the_days)
    }

    /// Returns the first line of each account.
    pub(crate) fn first(&self) -> &[BankLine] {
        &self.first
    }

    /// Returns the lines whose numbers may have lost leading zeros in a spreadsheet; none where both columns still have
    /// some.
    pub(crate) fn suspicious(&self) -> &[BankLine] {
        if self.zeros == (true, true) { &[] } else { &self.shortest }
    }
}
