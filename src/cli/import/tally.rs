//! The tally counts what came of the lines, and names those that a person has to look at.

use std::fmt;

use crate::client::sender::Answer;
use crate::domain::currency::Currency;
use crate::domain::money::Money;

use super::bank_line::{BadLine, BankLine};

/// A `Sent` says what came of a line that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// This says whether the first answer was given again.
    pub(crate) replayed: bool,
    /// This is what a person has to look at.
    pub(crate) finding: Option<LineFinding>,
}

/// A line finding is something that a person has to look at.
#[derive(Clone, Debug)]
pub(crate) struct LineFinding {
    /// This is the line's number in the file.
    pub(crate) line: u64,
    /// This is what is wrong.
    pub(crate) what: Wrong,
}

/// A `Wrong` says what can be wrong with a line.
#[derive(Clone, Debug)]
pub(crate) enum Wrong {
    /// It can't be read; it was not sent.
    Bad(BadLine),
    /// The ledger declined it, and has recorded that.
    Declined(String),
    /// The service refused it: nothing was recorded.
    Refused(String),
    /// The account could not be opened.
    NotOpened(String),
    /// Its balance does not follow from the line before it of the same account.
    NotFollowing {
        /// This is the account.
        account: String,
        /// This is the number of the line before it.
        after: u64,
        /// This is what that line leaves.
        balance: Money,
        /// This is what this line needs.
        before: Option<Money>,
    },
    /// It is not booked, and the ledger's balance is not the one that the bank had before it.
    Misfit {
        /// This is the account.
        account: String,
        /// This is the bank's balance before it.
        before: Option<Money>,
        /// This is the ledger's balance.
        found: String,
    },
    /// The ledger knows a number of it with leading zeros only.
    LostZeros {
        /// This says which number it is.
        column: &'static str,
        /// This is the number in the file.
        number: String,
        /// This is the number in the ledger.
        booked: String,
    },
    /// The ledger's balance after it is not that of the bank.
    Differs {
        /// This is the account.
        account: String,
        /// This is the bank's balance.
        expected: Money,
        /// This is the ledger's balance, as it wrote it.
        found: String,
    },
}

impl fmt::Display for LineFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.what {
            Wrong::Bad(why) => write!(f, "bad line, not sent: {why}"),
            Wrong::Declined(why) => write!(f, "declined: {why}"),
            Wrong::Refused(why) => write!(f, "refused: {why}"),
            Wrong::NotOpened(why) => write!(f, "its account could not be opened: {why}"),
            Wrong::NotFollowing { account, after, balance, before } => write!(
                f,
                "the balance of {account} was {balance} after line {after}, and must have been {} before this one",
                shown(*before)
            ),
            Wrong::Misfit { account, before, found } => write!(
                f,
                "it is not booked, and {account} has {found} in the ledger where the bank's balance before it was {}",
                shown(*before)
            ),
            Wrong::LostZeros { column, number, booked } => write!(
                f,
                "the ledger does not know {column} {number}, and it knows {booked}: was this file saved by a spreadsheet, \
                 which takes leading zeros away? It would be booked twice"
            ),
            Wrong::Differs { account, expected, found } => {
                write!(f, "the balance of {account} is {found}, the bank's is {expected}")
            }
        }
    }
}

fn shown(sum: Option<Money>) -> String {
    sum.map_or_else(|| "a sum that no account can have".to_owned(), |sum| sum.to_string())
}

/// Compares the answer to a line with what the bank says.
#[must_use]
pub(crate) fn judge(line: &BankLine, answer: &Answer, currency: Currency) -> Sent {
    let body = answer.json();
    let found = body["balance"].as_str().unwrap_or("missing");
    let what = if answer.declined() {
        Some(Wrong::Declined(answer.problem()))
    } else if !answer.accepted() {
        Some(Wrong::Refused(answer.problem()))
    } else if Money::read(found, currency) != Some(line.balance_after) {
        let (account, expected) = (line.account.clone(), line.balance_after);
        Some(Wrong::Differs { account, expected, found: found.to_owned() })
    } else {
        None
    };
    Sent { replayed: answer.replayed, finding: what.map(|what| LineFinding { line: line.number, what }) }
}

/// A summary has the counts of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// This is the number of lines that were sent and answered.
    pub sent: u64,
    /// This is the number of lines that this run booked.
    pub booked: u64,
    /// This is the number of lines that were answered again, because an earlier run had sent them.
    pub replayed: u64,
    /// This is the number of lines that were declined, now or earlier.
    pub declined: u64,
    /// This is the number of lines that were refused, so that nothing was recorded.
    pub refused: u64,
    /// This is the number of lines that were booked, but with another balance than the bank's.
    pub differing: u64,
    /// This is the number of lines that were not sent, because they can't be read.
    pub bad: u64,
    /// This is the number of accounts that could not be opened.
    pub unopened: u64,
    /// This is the number of lines that do not fit what comes before them, in the file or in the ledger.
    pub misfits: u64,
}

impl Summary {
    /// Counts a line that was sent.
    pub(crate) fn count(&mut self, sent: &Sent) {
        self.sent += 1;
        self.replayed += u64::from(sent.replayed);
        let accepted = matches!(sent.finding.as_ref().map(|f| &f.what), None | Some(Wrong::Differs { .. }));
        self.booked += u64::from(accepted && !sent.replayed);
        if let Some(finding) = &sent.finding {
            self.count_finding(&finding.what);
        }
    }

    /// Counts what is wrong.
    pub(crate) fn count_finding(&mut self, what: &Wrong) {
        *match what {
            Wrong::Bad(_) => &mut self.bad,
            Wrong::Declined(_) => &mut self.declined,
            Wrong::Refused(_) => &mut self.refused,
            Wrong::NotOpened(_) => &mut self.unopened,
            Wrong::Differs { .. } => &mut self.differing,
            Wrong::NotFollowing { .. } | Wrong::Misfit { .. } | Wrong::LostZeros { .. } => &mut self.misfits,
        } += 1;
    }

    /// Says whether there is nothing to look at.
    #[must_use]
    pub const fn clean(&self) -> bool {
        self.declined + self.refused + self.differing + self.bad + self.unopened + self.misfits == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, booked, replayed, declined, refused, differing, bad, unopened, misfits } = self;
        write!(
            f,
            "sent {sent}, booked {booked}, replayed {replayed}, declined {declined}, refused {refused}, "
        )?;
        write!(f, "differing {differing}, bad lines {bad}")?;
        for (count, what) in [(unopened, "accounts not opened"), (misfits, "lines that do not fit")] {
            if *count > 0 {
                write!(f, ", {what} {count}")?;
            }
        }
        Ok(())
    }
}
