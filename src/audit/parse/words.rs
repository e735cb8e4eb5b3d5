//! Words are the parts of a line that its head and its `data` both have: transaction IDs, names, reasons and sums.

use crate::audit::parse::cursor::Cursor;
use crate::audit::values::currency::Currency;
use crate::audit::values::finding::Flaw;
use crate::audit::values::{chain, money};

/// Reads a transaction ID and its closing quote.
pub(super) fn transaction(cursor: &mut Cursor<'_>, which: &'static str) -> Result<u128, Flaw> {
    let id =
        chain::read_uuid(cursor.bytes("a transaction ID")?).filter(|id| *id != 0).ok_or(Flaw::NoId(which))?;
    cursor.literal("\"")?;
    Ok(id)
}

/// Says whether this is the name of a guarded account: `[A-Za-z0-9][A-Za-z0-9._:-]{0,63}`.
pub(super) fn is_name(name: &[u8]) -> bool {
    let first = name.first().is_some_and(u8::is_ascii_alphanumeric);
    first && name.len() <= 64 && name.iter().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(b))
}

/// Reads an amount of money, which is greater than zero and at most the largest.
pub(super) fn amount_of(text: &[u8], currency: Currency) -> Result<i128, Flaw> {
    let fits = |units: &i128| (1..=money::largest(currency)).contains(units);
    money::read(text, currency).filter(fits).ok_or(Flaw::NoSum("the amount"))
}

/// Reads a reason, which a person wrote.
pub(super) fn reason(cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    cursor.literal(",\"reason\":\"")?;
    cursor.text().map(|_| ())
}

/// Reads a sum and its closing quote.
pub(super) fn sum(
    block: &[u8],
    cursor: &mut Cursor<'_>,
    currency: Currency,
    what: &'static str,
) -> Result<i128, Flaw> {
    money::read(cursor.word()?.of(block), currency).ok_or(Flaw::NoSum(what))
}
