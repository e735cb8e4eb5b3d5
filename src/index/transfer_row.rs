//! These functions make and read the value of the row that says how a transfer stands.

use std::sync::Arc;

use crate::domain::command::Stopped;
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::money::{Amount, Money};
use crate::domain::payee::Payee;
use crate::domain::time::Timestamp;
use crate::domain::transfer::command::TimeoutSeconds;
use crate::domain::transfer::event::Terms;
use crate::domain::transfer::payout::Payout;
use crate::domain::transfer::stage::Stage;
use crate::domain::transfer::{Paid, Transfer};
use crate::store::chain::Hash;

/// This stands for what is not there.
const NONE: &str = "-";

/// Returns how a transfer stands, as the parts of a row's value with a blank between them. None of them has a blank.
pub(super) fn value(transfer: &Transfer) -> String {
    let Terms { from, to, amount, currency, timeout_seconds, deadline_at } = &*transfer.terms;
    let Paid { sent, cancellable, settled, contradictions } = transfer.payout;
    format!(
        "{from} {to} {currency} {amount} {} {deadline_at} {} {} {} {} {} {} {} {} {contradictions} {} {} {}",
        timeout_seconds.get(),
        transfer.stage.name(),
        transfer.stalled_in.map_or(NONE, Stage::name),
        transfer.stopped.map_or(NONE, Stopped::code),
        transfer.stalls,
        transfer.resumes,
        u8::from(sent),
        u8::from(cancellable),
        settled.map_or(NONE, Payout::name),
        transfer.correlation.as_deref().map_or_else(|| NONE.to_owned(), hex::encode::<&str>),
        transfer.revision,
        hex::encode(transfer.seen)
    )
}

/// Reads a transfer from the parts of its row's value.
pub(super) fn read<'a>(id: TransactionId, parts: &mut impl Iterator<Item = &'a str>) -> Option<Transfer> {
    let (from, to) = (AccountName::parse(parts.next()?)?, Payee::parse(parts.next()?)?);
    let currency = Currency::parse(parts.next()?)?;
    let terms = Terms {
        from,
        to,
        amount: Amount::new(Money::read(parts.next()?, currency)?)?,
        currency,
        timeout_seconds: TimeoutSeconds::new(parts.next()?.parse().ok()?)?,
        deadline_at: Timestamp::read(parts.next()?)?,
    };
    Some(Transfer {
        id,
        terms: Arc::new(terms),
        stage: Stage::parse(parts.next()?)?,
        stalled_in: maybe(parts.next()?, Stage::parse)?,
        stopped: maybe(parts.next()?, Stopped::from_code)?,
        stalls: parts.next()?.parse().ok()?,
        resumes: parts.next()?.parse().ok()?,
        payout: Paid {
            sent: flag(parts.next()?)?,
            cancellable: flag(parts.next()?)?,
            settled: maybe(parts.next()?, Payout::parse)?,
            contradictions: parts.next()?.parse().ok()?,
        },
        correlation: maybe(parts.next()?, |text| String::from_utf8(hex::decode(text).ok()?).ok())?
            .map(Into::into),
        revision: parts.next()?.parse().ok()?,
        seen: Hash::parse(parts.next()?)?.0,
    })
}

/// Reads what may not be there; `None` where the text is wrong.
fn maybe<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text == NONE { Some(None) } else { parse(text).map(Some) }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}
