//! The statement of one of the ledger's own accounts comes as CSV in the way that one of a guarded account does: whole, as it
//! was when it was asked for, page after page.
//!
//! It begins and ends with a row for each currency that only says the balance, so that the rows between them can be added up.

use axum::body::Body;
use csv::Writer;

use crate::domain::ids::CounterAccount;
use crate::http::reads::csv_pages::{Failed, Pages, written};
use crate::http::reads::own_statement::OwnEntry;
use crate::ledger::{Ledger, OwnBalances, OwnStatement, StatementQuery};

/// This is how many columns there are.
const COLUMN_COUNT: usize = 10;

/// These are the columns. New ones come last, so that programs that go by their places read on.
const COLUMNS: [&str; COLUMN_COUNT] = [
    "position",
    "recorded_at",
    "effective_at",
    "transaction_id",
    "kind",
    "amount",
    "balance",
    "currency",
    "counterpart",
    "revision",
];

/// Writes a statement whose first page is `found`, and reads the others when they are wanted.
pub(super) fn whole(
    ledger: Ledger,
    name: CounterAccount,
    query: StatementQuery,
    found: OwnStatement,
) -> Body {
    let query = StatementQuery { end: Some(found.end), ..query };
    written(Whole { ledger, name, query }, found)
}

/// A `Whole` is a whole statement, whose pages end where its first one found the journal's end.
struct Whole {
    ledger: Ledger,
    name: CounterAccount,
    query: StatementQuery,
}

impl Pages for Whole {
    type Page = OwnStatement;

    /// Writes a page. The first one has the rows that begin it all besides, the last one those that end it.
    fn write(&self, page: &OwnStatement, is_first: bool, to: &mut Writer<Vec<u8>>) -> csv::Result<()> {
        let (opening, closing) = ("opening_balance", "closing_balance");
        let (first, last) = if page.newest_first { (closing, opening) } else { (opening, closing) };
        if is_first {
            to.write_record(COLUMNS)?;
            standing(first, &page.near).try_for_each(|row| to.write_record(&row))?;
        }
        for entry in page.lines.iter().filter_map(OwnEntry::of) {
            to.write_record(row(entry))?;
        }
        if !page.more {
            standing(last, &page.far).try_for_each(|row| to.write_record(&row))?;
        }
        Ok(())
    }

    async fn after(&mut self, page: &OwnStatement) -> Result<Option<OwnStatement>, Failed> {
        let Some(last) = page.lines.last().filter(|_| page.more) else { return Ok(None) };
        self.query.beyond = Some(last.placed.position);
        let (query, had) = (self.query.clone(), page.far.clone());
        let next = self.ledger.own_statement(&self.name, query, Some(had)).await?;
        Ok(Some(next.ok_or("the account is not there any more")?))
    }
}

/// Returns the rows that say what the account has, one for each currency.
fn standing(kind: &str, sums: &OwnBalances) -> impl Iterator<Item = [String; COLUMN_COUNT]> {
    sums.iter().map(move |(currency, sum)| {
        let mut row = [const { String::new() }; COLUMN_COUNT];
        let [_, _, _, _, kind_cell, _, balance_cell, currency_cell, ..] = &mut row;
        kind.clone_into(kind_cell);
        *balance_cell = sum.to_string();
        *currency_cell = currency.to_string();
        row
    })
}

fn row(entry: OwnEntry) -> [String; COLUMN_COUNT] {
    [
        entry.position.to_string(),
        entry.recorded_at,
        entry.effective_at,
        entry.transaction_id,
        entry.kind.to_owned(),
        entry.amount,
        entry.balance,
        entry.currency,
        entry.counterpart,
        entry.revision.to_string(),
    ]
}
