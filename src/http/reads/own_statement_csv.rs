//! The statement of one of the ledger's own accounts comes as CSV in the way that one of a guarded account does: whole, as it
//! was when it was asked for, page after page.
//!
//! It begins and ends with a row for each currency that only says the balance, so that the rows between them can be added up.

use axum::body::{Body, Bytes};
use futures_util::stream;

use crate::domain::ids::CounterAccount;
use crate::http::reads::own_statement::OwnEntry;
use crate::ledger::{Ledger, OwnBalances, OwnStatement, StatementQuery};

type Failed = Box<dyn std::error::Error + Send + Sync>;

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
    let writing = Writing { ledger, name, query, page: Some(found), begun: false };
    Body::from_stream(stream::try_unfold(writing, |mut writing| async move {
        let piece = writing.next().await?;
        Ok::<_, Failed>(piece.map(|piece| (piece, writing)))
    }))
}

/// A `Writing` is a statement that is being written.
struct Writing {
    ledger: Ledger,
    name: CounterAccount,
    query: StatementQuery,
    /// This is the page that is written next; none when the last one was.
    page: Option<OwnStatement>,
    begun: bool,
}

impl Writing {
    async fn next(&mut self) -> Result<Option<Bytes>, Failed> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let begins = !std::mem::replace(&mut self.begun, true);
        let piece = rows(&page, begins)?;
        if let Some(last) = page.lines.last().filter(|_| page.more) {
            self.query.beyond = Some(last.placed.position);
            let (query, had) = (self.query.clone(), page.far.clone());
            let next = self.ledger.own_statement(&self.name, query, Some(had)).await?;
            self.page = Some(next.ok_or("the account is not there any more")?);
        }
        Ok(Some(piece.into()))
    }
}

/// Returns a page as CSV (RFC 4180). The first one has the names of the columns and the rows that begin it all, the last one
/// those that end it.
fn rows(page: &OwnStatement, begins: bool) -> Result<Vec<u8>, Failed> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let (opening, closing) = ("opening_balance", "closing_balance");
    let (first, last) = if page.newest_first { (closing, opening) } else { (opening, closing) };
    if begins {
        out.write_record(COLUMNS)?;
        standing(first, &page.near).try_for_each(|row| out.write_record(&row))?;
    }
    for entry in page.lines.iter().filter_map(OwnEntry::of) {
        out.write_record(row(entry))?;
    }
    if !page.more {
        standing(last, &page.far).try_for_each(|row| out.write_record(&row))?;
    }
    Ok(out.into_inner()?)
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
