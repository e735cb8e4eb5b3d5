//! A statement as CSV comes whole: the period that was asked for, as it was when it was asked for, page after page.
//!
//! It begins and ends with a row that only says the balance, so that the rows between them can be added up. A page is read
//! when the one before it was sent, so that a long statement takes no more memory than a short one. Where a page can't be
//! read the answer breaks off without its last row and its end, and a client sees that it is not whole.

use axum::body::{Body, Bytes};
use futures_util::stream;

use crate::domain::ids::AccountName;
use crate::http::reads::event_view::Booking;
use crate::ledger::{Ledger, Statement, StatementQuery};

type Failed = Box<dyn std::error::Error + Send + Sync>;

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
    let writing = Writing { ledger, name, query, page: Some(found), begun: false };
    Body::from_stream(stream::try_unfold(writing, |mut writing| async move {
        let piece = writing.next().await?;
        Ok::<_, Failed>(piece.map(|piece| (piece, writing)))
    }))
}

/// A `Writing` is a statement that is being written.
struct Writing {
    ledger: Ledger,
    name: AccountName,
    query: StatementQuery,
    /// This is the page that is written next; none when the last one was.
    page: Option<Statement>,
    begun: bool,
}

impl Writing {
    async fn next(&mut self) -> Result<Option<Bytes>, Failed> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let begins = !std::mem::replace(&mut self.begun, true);
        let piece = rows(&page, self.query.newest_first, begins)?;
        if let Some(last) = page.lines.last().filter(|_| page.more) {
            self.query.beyond = Some(last.event.revision);
            let next = self.ledger.statement(&self.name, self.query.clone()).await?;
            self.page = Some(next.ok_or("the account is not there any more")?);
        }
        Ok(Some(piece.into()))
    }
}

/// Returns a page as CSV (RFC 4180). The first one has the names of the columns and the row that begins it all, the
/// last one the row that ends it.
fn rows(page: &Statement, newest_first: bool, begins: bool) -> Result<Vec<u8>, Failed> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let currency = page.currency.to_string();
    let opening = standing("opening_balance", page.opening_balance.to_string(), &currency);
    let closing = standing("closing_balance", page.closing_balance.to_string(), &currency);
    let (first, last) = if newest_first { (closing, opening) } else { (opening, closing) };
    if begins {
        out.write_record(COLUMNS)?;
        out.write_record(&first)?;
    }
    for line in &page.lines {
        out.write_record(row(Booking::from(line)))?;
    }
    if !page.more {
        out.write_record(&last)?;
    }
    Ok(out.into_inner()?)
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
