//! The `data` of a correction is read here, of one that was booked and of one that was declined.

use crate::audit::parse::cursor::Cursor;
use crate::audit::parse::words::{amount_of, reason, sum, transaction};
use crate::audit::values::correction::{Correction, Wanted};
use crate::audit::values::currency::Currency;
use crate::audit::values::fact::Direction;
use crate::audit::values::finding::Flaw;
use crate::audit::values::money;
use crate::audit::values::span::Span;

/// A correction names at most this many transactions.
const MOST_CORRECTED: usize = 16;

/// Reads what a booked correction has after its entries, of which the guarded account gets this sum. Gives the request, and
/// whether its client gave `effective_at`.
///
/// # Errors
/// Fails when the layout is another.
pub(super) fn booked(
    block: &[u8],
    cursor: &mut Cursor<'_>,
    currency: Currency,
    signed: i128,
) -> Result<(Correction, bool), Flaw> {
    let wanted = match cursor.maybe(",\"balance\":\"") {
        true => Wanted::Balance(balance(block, cursor, currency)?),
        false => Wanted::Move(signed),
    };
    rest(wanted, cursor)
}

/// Reads the request of a correction that was declined. Gives it, and whether its client gave `effective_at`.
///
/// # Errors
/// Fails when the layout is another.
pub(super) fn declined(
    block: &[u8],
    cursor: &mut Cursor<'_>,
    currency: Currency,
) -> Result<(Correction, bool), Flaw> {
    if cursor.maybe(",\"balance\":\"") {
        let wanted = Wanted::Balance(balance(block, cursor, currency)?);
        return rest(wanted, cursor);
    }
    cursor.literal(",\"amount\":\"")?;
    let amount = amount_of(cursor.word()?.of(block), currency)?;
    let direction = match cursor.maybe(",\"direction\":\"credit\"") {
        true => Direction::Credit,
        false => {
            cursor.literal(",\"direction\":\"debit\"")?;
            Direction::Debit
        }
    };
    rest(Wanted::Move(direction.signed(amount)), cursor)
}

/// Reads the fields that follow what is wanted. With a balance the revision must be there, and no time of the client's.
fn rest(wanted: Wanted, cursor: &mut Cursor<'_>) -> Result<(Correction, bool), Flaw> {
    const REVISION: &str = ",\"expected_revision\":";
    let is_balance = matches!(wanted, Wanted::Balance(_));
    let expected_revision = match cursor.maybe(REVISION) {
        true => Some(cursor.number()?),
        false if is_balance => return Err(cursor.wrong(REVISION)),
        false => None,
    };
    let given = !is_balance && cursor.maybe(",\"effective_at_given\":true");
    reason(cursor)?;
    let corrects = match cursor.maybe(",\"corrects\":[") {
        true => Some(corrects(cursor)?),
        false => None,
    };
    let force = cursor.maybe(",\"force\":true");
    Ok((Correction { wanted, expected_revision, corrects, force }, given))
}

fn balance(block: &[u8], cursor: &mut Cursor<'_>, currency: Currency) -> Result<i128, Flaw> {
    let balance = sum(block, cursor, currency, "the balance asked for")?;
    let fits = balance.abs() <= money::largest(currency);
    if fits { Ok(balance) } else { Err(Flaw::NoSum("the balance asked for")) }
}

/// Reads the list of the transactions that were wrong, and its closing bracket.
fn corrects(cursor: &mut Cursor<'_>) -> Result<Span, Flaw> {
    let start = cursor.at();
    let mut ids = Vec::with_capacity(MOST_CORRECTED);
    loop {
        cursor.literal("\"")?;
        let id = transaction(cursor, "what is corrected")?;
        if ids.len() == MOST_CORRECTED || ids.contains(&id) {
            return Err(Flaw::Corrects);
        }
        ids.push(id);
        let end = cursor.at();
        if cursor.maybe("]") {
            return Ok(cursor.span(start, end));
        }
        cursor.literal(",")?;
    }
}
