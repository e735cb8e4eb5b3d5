//! The statement of one of the ledger's own accounts shows the movements from and to it, by their place in the journal.
//!
//! Such an account has no stream of its own: each of its entries is the other side of an entry of a guarded account. Its lines
//! say what it gained, which account lost that, and what it had after it. It may have several currencies, so that what it has
//! before and after a page is a sum in each.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::currency::Currency;
use crate::domain::ids::CounterAccount;
use crate::domain::money::Money;
use crate::http::request::cursor::List;
use crate::ledger::{OwnBalances, OwnLine, OwnStatement, Position};

/// A page of the statement of one of the ledger's own accounts.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct OwnStatementPage {
    /// The account.
    #[schema(example = "@cash")]
    account: String,
    /// What it has now, by currency.
    balances: BTreeMap<String, String>,
    /// What it had before the earliest line that this page goes over, by currency.
    opening_balances: BTreeMap<String, String>,
    /// What it had after the latest line that this page goes over: what the page that follows in time opens with.
    closing_balances: BTreeMap<String, String>,
    /// Its entries, in the order that was asked for.
    items: Vec<OwnEntry>,
    /// What `cursor` takes to go on; null at the end.
    next: Option<String>,
}

/// An entry of one of the ledger's own accounts.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OwnEntry {
    /// Its place in the journal.
    pub(super) position: Position,
    /// The ID of its transaction: the client's, or one of the service's own.
    pub(super) transaction_id: String,
    /// What kind of event moved the money, such as `deposit`, `withdrawal` or `reversal`.
    pub(super) kind: &'static str,
    /// The currency.
    pub(super) currency: String,
    /// What this account gained; negative where it lost.
    #[schema(example = "-40.00")]
    pub(super) amount: String,
    /// What this account had in the currency after it.
    #[schema(example = "-60.00")]
    pub(super) balance: String,
    /// The guarded account on the other side.
    #[schema(example = "alice")]
    pub(super) counterpart: String,
    /// Its place in that account's stream.
    pub(super) revision: u64,
    /// When it was recorded.
    pub(super) recorded_at: String,
    /// When it happened in the world.
    pub(super) effective_at: String,
}

impl OwnEntry {
    pub(super) fn of(line: &OwnLine) -> Option<Self> {
        let event = &line.placed.event;
        let body = event.account()?;
        Some(Self {
            position: line.placed.position,
            transaction_id: event.id.to_string(),
            kind: event.kind().name(),
            currency: body.currency.to_string(),
            amount: body.entries()?.guarded.negated().to_string(),
            balance: line.balance.to_string(),
            counterpart: event.stream.account().map(ToString::to_string).unwrap_or_default(),
            revision: event.revision,
            recorded_at: event.recorded_at.to_string(),
            effective_at: body.effective_at.to_string(),
        })
    }
}

/// Makes a page of the statement.
pub(super) fn page(name: &CounterAccount, cursors: &List, found: &OwnStatement) -> OwnStatementPage {
    let shown = |sums: &OwnBalances| {
        sums.iter().map(|(currency, sum)| (currency.to_string(), sum.to_string())).collect()
    };
    let (opens, closes) = found.opens_and_closes();
    let next = found.lines.last().filter(|_| found.more);
    OwnStatementPage {
        account: name.to_string(),
        balances: shown(&found.now),
        opening_balances: shown(opens),
        closing_balances: shown(closes),
        items: found.lines.iter().filter_map(OwnEntry::of).collect(),
        next: next.map(|last| {
            cursors.cursor(&format!("{}:{}:{}", last.placed.position, found.end, written(&found.far)))
        }),
    }
}

/// Writes what the account had where a page ends, as a cursor carries it: `EUR=60.00,JPY=5`.
fn written(sums: &OwnBalances) -> String {
    sums.iter().map(|(currency, sum)| format!("{currency}={sum}")).collect::<Vec<_>>().join(",")
}

/// Reads what [`written`] wrote at the end of a cursor; `None` where the cursor does not have it, as one of an earlier version
/// of this program.
pub(super) fn carried(cursor: &str) -> Option<OwnBalances> {
    let (_, carried) = cursor.split_once(':')?.1.split_once(':')?;
    let sum = |text: &str| {
        let (currency, sum) = text.split_once('=')?;
        let currency = Currency::parse(currency)?;
        Some((currency, Money::read(sum, currency)?))
    };
    carried.split(',').map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cursor_carries_is_read_as_it_was_written() {
        let sum = |currency: &str, text: &str| {
            let currency = Currency::parse(currency).unwrap();
            (currency, Money::read(text, currency).unwrap())
        };
        let sums = OwnBalances::from([sum("EUR", "-12.30"), sum("JPY", "5"), sum("KWD", "0.000")]);
        assert_eq!(carried(&format!("17:20:{}", written(&sums))), Some(sums));
        for without in ["17", "17:20"] {
            assert_eq!(carried(without), None);
        }
    }
}
