//! A statement as CSV comes whole: the period that was asked for, as it was when it was asked for, page after page.
//!
//! It begins and ends with a row that only says the balance, so that the rows between them can be added up. An answer that
//! breaks off has no last row.

use axum::body::Body;
use csv::Writer;

use crate::domain::ids::AccountName;
use crate::http::reads::csv_pages::{Failed, Pages, written};
use crate::http::reads::event_view::Booking;
use crate::ledger::{Ledger, Statement, StatementQuery};

/// This is how many columns there are.
const COLUMN_COUNT: usize = 19;

/// These are the columns. New ones come last, so that programs that go by their places read on.
const COLUMNS: [&str; COLUMN_COUNT] = [
    "revision",
    "recorded_at",
    "effective_at",
    "transaction_id",
    "kind",
    "outcome",
    "code",
    "amount",
    "balance",
    "currency",
    "counter_account",
    "reverses",
    "reason",
    "metadata",
    "position",
    "available",
    "hold",
    "transfer",
    "expires_at",
];

/// Writes a statement whose first page is `found`, and reads the others when they are wanted.
pub(super) fn whole(ledger: Ledger, name: AccountName, query: StatementQuery, found: Statement) -> Body {
    let query = StatementQuery { end: Some(found.end), ..query };
    written(Whole { ledger, name, query }, found)
}

/// A `Whole` is a whole statement, whose pages end where its first one found the stream's end.
struct Whole {
    ledger: Ledger,
    name: AccountName,
    query: StatementQuery,
}

impl Pages for Whole {
    type Page = Statement;

    /// Writes a page. The first one has the row that begins it all besides, the last one the row that ends it.
    fn write(&self, page: &Statement, is_first: bool, to: &mut Writer<Vec<u8>>) -> csv::Result<()> {
        let currency = page.currency.to_string();
        let opening = standing("opening_balance", page.opening_balance.to_string(), &currency);
        let closing = standing("closing_balance", page.closing_balance.to_string(), &currency);
        let (first, last) = if self.query.newest_first { (closing, opening) } else { (opening, closing) };
        if is_first {
            to.write_record(COLUMNS)?;
            to.write_record(&first)?;
        }
        for line in &page.lines {
            to.write_record(row(Booking::from(line)))?;
        }
        if !page.more {
            to.write_record(&last)?;
        }
        Ok(())
    }

    async fn after(&mut self, page: &Statement) -> Result<Option<Statement>, Failed> {
        let Some(last) = page.lines.last().filter(|_| page.more) else { return Ok(None) };
        self.query.beyond = Some(last.event.revision);
        let next = self.ledger.statement(&self.name, self.query.clone()).await?;
        Ok(Some(next.ok_or("the account is not there any more")?))
    }
}

fn standing(kind: &str, balance: String, currency: &str) -> [String; COLUMN_COUNT] {
    let mut row = [const { String::new() }; COLUMN_COUNT];
    let [_, _, _, _, kind_cell, _, _, _, balance_cell, currency_cell, ..] = &mut row;
    kind.clone_into(kind_cell);
    *balance_cell = balance;
    currency.clone_into(currency_cell);
    row
}

fn row(line: Booking) -> [String; COLUMN_COUNT] {
    let metadata = if line.metadata.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&line.metadata).unwrap_or_default()
    };
    [
        line.revision.to_string(),
        line.recorded_at,
        line.effective_at,
        line.transaction_id,
        line.kind.to_owned(),
        line.outcome.to_owned(),
        line.code.unwrap_or_default().to_owned(),
        line.amount.unwrap_or_default(),
        line.balance.unwrap_or_default(),
        line.currency.unwrap_or_default(),
        harmless(line.counter_account.unwrap_or_default()),
        line.reverses.unwrap_or_default(),
        harmless(line.reason.unwrap_or_default()),
        harmless(metadata),
        line.position.to_string(),
        line.available.unwrap_or_default(),
        line.hold.unwrap_or_default(),
        line.transfer.unwrap_or_default(),
        line.expires_at.unwrap_or_default(),
    ]
}

/// Makes a text that no spreadsheet takes for a formula. Amounts do not need this: they are the ledger's own numbers.
fn harmless(text: String) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{text}")
        }
        _ => text,
    }
}
