//! Words are the parts that lines of several types have in common: transaction IDs, names, sums, entries, reasons, metadata.

use crate::audit::parse::cursor::{Cursor, unescaped};
use crate::audit::values::currency::Currency;
use crate::audit::values::finding::Flaw;
use crate::audit::values::id::{Id, Step};
use crate::audit::values::span::Span;
use crate::audit::values::{chain, money};

/// Reads a transaction ID and its closing quote.
pub(super) fn transaction(cursor: &mut Cursor<'_>, which: &'static str) -> Result<u128, Flaw> {
    let id =
        chain::read_uuid(cursor.bytes("a transaction ID")?).filter(|id| *id != 0).ok_or(Flaw::NoId(which))?;
    cursor.literal("\"")?;
    Ok(id)
}

/// Reads a transaction ID, which may be one of the service's own, and its closing quote.
pub(super) fn id(block: &[u8], cursor: &mut Cursor<'_>, which: &'static str) -> Result<Id, Flaw> {
    let uuid =
        chain::read_uuid(cursor.bytes("a transaction ID")?).filter(|id| *id != 0).ok_or(Flaw::NoId(which))?;
    if cursor.maybe("\"") {
        return Ok(Id::Client(uuid));
    }
    cursor.literal(":")?;
    own(uuid, cursor.word()?.of(block)).ok_or(Flaw::NoOwnId(which))
}

/// Reads a step and its attempt, as an ID of the service's own has them behind its UUID.
fn own(of: u128, text: &[u8]) -> Option<Id> {
    let colon = memchr::memchr(b':', text)?;
    let step = Step::read(text.get(..colon)?)?;
    let digits = text.get(colon.checked_add(1)?..)?;
    let spelled = matches!(digits, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    let attempt = std::str::from_utf8(digits).ok()?.parse().ok()?;
    spelled.then_some(Id::own(of, step, attempt))
}

/// Says whether this is the name of a guarded account: `[A-Za-z0-9][A-Za-z0-9._:-]{0,63}`.
pub(super) fn is_name(name: &[u8]) -> bool {
    let first = name.first().is_some_and(u8::is_ascii_alphanumeric);
    first && name.len() <= 64 && name.iter().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(b))
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

/// Reads the code of a currency and its closing quote, which stand behind this key.
pub(super) fn currency(block: &[u8], cursor: &mut Cursor<'_>, key: &'static str) -> Result<Currency, Flaw> {
    cursor.literal(key)?;
    let code = cursor.word()?.of(block);
    Currency::read(code).ok_or_else(|| Flaw::UnknownCurrency(lossy(code)))
}

/// Reads a sum that was read as text as an amount: more than zero, and at most the largest.
pub(super) fn amount_of(text: &[u8], currency: Currency) -> Result<i128, Flaw> {
    let fits = |units: &i128| (1..=money::largest(currency)).contains(units);
    money::read(text, currency).filter(fits).ok_or(Flaw::NoSum("the amount"))
}

/// Reads the name of one of the ledger's own accounts and its closing quote. `@transit` is read apart, by those steps of
/// transfers that may name it.
pub(super) fn counter(block: &[u8], cursor: &mut Cursor<'_>) -> Result<Span, Flaw> {
    let span = cursor.word()?;
    match span.of(block) {
        [b'@', name @ ..] if is_name(name) && name != b"transit" => Ok(span),
        _ => Err(Flaw::NoName("the other side of the entry")),
    }
}

/// Reads the name of a transfer's side and its closing quote: an account, or `@external:` and the name of a provider where that
/// may stand there.
pub(super) fn party(block: &[u8], cursor: &mut Cursor<'_>, may_be_outside: bool) -> Result<Span, Flaw> {
    let span = cursor.word()?;
    let fits = match span.of(block).strip_prefix(b"@external:") {
        Some(provider) => may_be_outside && is_provider(provider),
        None => is_name(span.of(block)),
    };
    if fits { Ok(span) } else { Err(Flaw::NoName("a side of the transfer")) }
}

/// Says whether this is the name of a provider: `[a-z0-9][a-z0-9-]{0,31}`.
pub(super) fn is_provider(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.first().is_some_and(plain) && name.len() <= 32 && name.iter().all(|b| plain(b) || *b == b'-')
}

/// Reads the two halves of an entry. Gives what the guarded account gets, and the account on the other side, which `other`
/// reads.
pub(super) fn entries(
    block: &[u8],
    account: Span,
    cursor: &mut Cursor<'_>,
    currency: Currency,
    other: impl FnOnce(&mut Cursor<'_>) -> Result<Span, Flaw>,
) -> Result<(i128, Span), Flaw> {
    cursor.literal(",\"entries\":[{\"account\":\"")?;
    if cursor.word()?.of(block) != account.of(block) {
        return Err(Flaw::EntryAccount);
    }
    cursor.literal(",\"amount\":\"")?;
    let guarded = sum(block, cursor, currency, "an entry's amount")?;
    cursor.literal("},{\"account\":\"")?;
    let counter = other(cursor)?;
    cursor.literal(",\"amount\":\"")?;
    let other = sum(block, cursor, currency, "an entry's amount")?;
    cursor.literal("}]")?;
    if guarded.checked_add(other) == Some(0) { Ok((guarded, counter)) } else { Err(Flaw::Unbalanced) }
}

/// Reads the client's own metadata, if there is any: each key once, in order.
pub(super) fn metadata(block: &[u8], cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    if !cursor.maybe(",\"metadata\":{\"") {
        return Ok(());
    }
    let mut last: Option<Vec<u8>> = None;
    loop {
        let key = unescaped(cursor.text()?.of(block));
        if last.is_some_and(|last| last >= key) {
            return Err(Flaw::MetadataOrder);
        }
        last = Some(key);
        cursor.literal(":\"")?;
        cursor.text()?;
        if cursor.maybe("}") {
            return Ok(());
        }
        cursor.literal(",\"")?;
    }
}

/// Reads a reason.
pub(super) fn reason(cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    cursor.literal(",\"reason\":\"")?;
    cursor.text().map(|_| ())
}

/// Reads a reason where there is one.
pub(super) fn maybe_reason(cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    if cursor.maybe(",\"reason\":\"") { cursor.text().map(|_| ()) } else { Ok(()) }
}

/// Gives bytes as a text to be shown.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
