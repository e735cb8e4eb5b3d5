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
use crate::domain::transfer::payout::{LearntBy, Payout, Repeat};
use crate::domain::transfer::stage::Stage;
use crate::domain::transfer::{Later, Paid, Settled, Transfer};
use crate::store::chain::Hash;

/// This stands for what is not there.
const NONE: &str = "-";

/// Returns how a transfer stands, as the parts of a row's value with a blank between them. None of them has a blank.
pub(super) fn value(transfer: &Transfer) -> String {
    let Terms { from, to, amount, currency, timeout_seconds, deadline_at } = &*transfer.terms;
    let Paid { sent, repeat, cancellable, .. } = transfer.payout;
    let Later { settled, contradictions, resumed_at } = transfer.payout.later();
    format!(
        "{from} {to} {currency} {amount} {} {deadline_at} {} {} {} {} {} {} {} {} {} {} {contradictions} {} {} {}",
        timeout_seconds.get(),
        transfer.stage.name(),
        transfer.stalled_in.map_or(NONE, Stage::name),
        transfer.stopped.map_or(NONE, Stopped::code),
        transfer.stalls,
        transfer.resumes,
        resumed_at.map_or_else(|| NONE.to_owned(), |at| at.to_string()),
        u8::from(sent),
        repeat.map_or(NONE, Repeat::name),
        u8::from(cancellable),
        settled.map_or_else(|| NONE.to_owned(), settlement),
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
        payout: paid(currency, parts)?,
        correlation: maybe(parts.next()?, |text| String::from_utf8(hex::decode(text).ok()?).ok())?
            .map(Into::into),
        revision: parts.next()?.parse().ok()?,
        seen: Hash::parse(parts.next()?)?.0,
    })
}

/// Reads what is recorded of a payout.
fn paid<'a>(currency: Currency, parts: &mut impl Iterator<Item = &'a str>) -> Option<Paid> {
    let resumed_at = maybe(parts.next()?, Timestamp::read)?;
    let (sent, repeat) = (flag(parts.next()?)?, maybe(parts.next()?, Repeat::parse)?);
    let cancellable = flag(parts.next()?)?;
    let settled = maybe(parts.next()?, |text| settled(text, currency))?;
    let contradictions = parts.next()?.parse().ok()?;
    Some(Paid::new(sent, repeat, cancellable, Later { settled, contradictions, resumed_at }))
}

/// Returns what became of a payout as one part: the outcome, how it is known, and the amount where it was less than asked.
fn settlement(settled: Settled) -> String {
    let part = settled.part.map_or_else(String::new, |part| part.to_string());
    format!("{}/{}/{part}", settled.outcome.name(), settled.learnt_by.name())
}

fn settled(text: &str, currency: Currency) -> Option<Settled> {
    let mut parts = text.split('/');
    let outcome = Payout::parse(parts.next()?)?;
    let learnt_by = LearntBy::parse(parts.next()?)?;
    let part = match parts.next()? {
        "" => None,
        amount => Some(Amount::new(Money::read(amount, currency)?)?),
    };
    Some(Settled { outcome, part, learnt_by })
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
