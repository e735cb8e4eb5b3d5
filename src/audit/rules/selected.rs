//! What a destination's filter chooses is worked out here from an event's own line, in the contract's words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::audit::values::currency::Currency;
use crate::audit::values::delivery::Filter;
use crate::audit::values::event::{Body, Event};
use crate::audit::values::money;
use crate::audit::values::transfer::TransferFact;

/// These types of event have an amount that a filter can ask about.
const WITH_AMOUNT: [&str; 11] = [
    "Deposited",
    "Withdrawn",
    "Reversed",
    "Corrected",
    "HoldPlaced",
    "HoldCaptured",
    "HoldReleased",
    "HoldExpired",
    "TransferCredited",
    "TransferRequested",
    "TransferCompleted",
];
/// These types of event have a client's metadata that a filter can ask about.
const WITH_METADATA: [&str; 6] =
    ["AccountOpened", "Deposited", "Withdrawn", "HoldPlaced", "HoldCaptured", "TransferRequested"];

/// A line is what an event's own bytes say of what a filter can ask about.
#[derive(Deserialize, Default)]
struct Line<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize, Default)]
struct Data<'a> {
    #[serde(borrow)]
    amount: Option<Cow<'a, str>>,
    #[serde(borrow)]
    currency: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metadata: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
}

/// Says whether a filter chooses an event of an account or of a transfer.
#[must_use]
pub(super) fn chooses(filter: &Filter, event: &Event, block: &[u8]) -> bool {
    let kind = event.type_name();
    if filter.none || !(filter.types.is_empty() || filter.types.iter().any(|name| name == kind.as_bytes())) {
        return false;
    }
    if !filter.accounts.is_empty() && !filter.accounts.iter().any(|pattern| is_of(event, pattern, block)) {
        return false;
    }
    if filter.currencies.is_empty() && filter.amount_min.is_none() && filter.metadata.is_empty() {
        return true;
    }
    let own = [b"{", event.canonical.1.of(block), b"}"].concat();
    let data = serde_json::from_slice::<Line<'_>>(&own).unwrap_or_default().data;
    let says_currency = matches!(event.body, Body::Account(_)) || WITH_AMOUNT.contains(&kind);
    let currency = data.currency.filter(|_| says_currency).and_then(|code| Currency::read(code.as_bytes()));
    let amount = data.amount.filter(|_| WITH_AMOUNT.contains(&kind));
    let pairs = data.metadata.filter(|_| WITH_METADATA.contains(&kind)).unwrap_or_default();
    (filter.currencies.is_empty() || currency.is_some_and(|code| filter.currencies.contains(&code)))
        && filter.amount_min.as_ref().is_none_or(|least| reaches(amount.as_deref(), currency, least))
        && filter.metadata.iter().all(|(key, pattern)| {
            let fits = |(name, value): (&Cow<'_, str>, &Cow<'_, str>)| {
                name.as_bytes() == key.as_slice() && fits(pattern, value.as_bytes())
            };
            pairs.iter().any(fits)
        })
}

/// Says whether an amount is the least or more. A least amount with more decimals than the currency has is never reached.
fn reaches(amount: Option<&str>, currency: Option<Currency>, least: &[u8]) -> bool {
    let (Some(amount), Some(currency)) = (amount, currency) else { return false };
    let decimals = usize::from(currency.decimals());
    let point = memchr::memchr(b'.', least).unwrap_or(least.len());
    let (whole, fraction) = least.split_at_checked(point).unwrap_or((least, b""));
    let fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
    if fraction.len() > decimals {
        return false;
    }
    let mut padded = whole.to_vec();
    if decimals > 0 {
        padded.push(b'.');
        padded.extend_from_slice(fraction);
        padded.resize(whole.len().saturating_add(1).saturating_add(decimals), b'0');
    }
    let (least, amount) = (money::read(&padded, currency), money::read(amount.as_bytes(), currency));
    matches!((least, amount), (Some(least), Some(amount)) if amount >= least)
}

/// Says whether an event is of an account whose name fits: that of its stream, or a side of the transfer that it asks for.
fn is_of(event: &Event, pattern: &[u8], block: &[u8]) -> bool {
    match &event.body {
        Body::Account(body) => fits(pattern, body.account.of(block)),
        Body::Transfer(body) => match body.fact {
            TransferFact::Requested { from, to, .. } => {
                fits(pattern, from.of(block)) || fits(pattern, to.of(block))
            }
            TransferFact::CancelRequested
            | TransferFact::TimedOut
            | TransferFact::PayoutSent { .. }
            | TransferFact::PayoutSettled(_)
            | TransferFact::PayoutContradicted(_)
            | TransferFact::Stalled { .. }
            | TransferFact::Resumed
            | TransferFact::Abandoned
            | TransferFact::Completed { .. }
            | TransferFact::NotHeld(_)
            | TransferFact::Compensated(_)
            | TransferFact::Cancelled
            | TransferFact::Refused { .. } => false,
        },
        Body::Delivery(_) | Body::Letter(_) => false,
    }
}

/// Says whether a text fits a pattern, in which `*` stands for any characters. After a star that did not lead on, one more
/// character is left to it; no earlier star need be tried again.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut next) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(at) {
        match pattern.get(next) {
            Some(b'*') => {
                next = next.saturating_add(1);
                star = Some((at, next));
            }
            Some(wanted) if wanted == character => {
                (at, next) = (at.saturating_add(1), next.saturating_add(1));
            }
            Some(_) | None => match star {
                Some((from, behind)) => {
                    let from = from.saturating_add(1);
                    (at, next, star) = (from, behind, Some((from, behind)));
                }
                None => return false,
            },
        }
    }
    pattern.get(next..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text) in
            [("shop-*", "shop-1"), ("*", ""), ("a*b*c", "axxbyybzc"), ("a**", "a"), ("a", "a")]
        {
            assert!(fits(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in [("shop-*", "shop"), ("a*b", "axbc"), ("", "a"), ("a", "ab"), ("*b*a", "ab")] {
            assert!(!fits(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn an_amount_is_compared_in_the_units_of_its_currency() {
        let (eur, jpy) = (Currency::read(b"EUR"), Currency::read(b"JPY"));
        for (amount, currency, least) in
            [("100.00", eur, "100"), ("100.00", eur, "99.9"), ("100.00", eur, "100.00"), ("7", jpy, "7")]
        {
            assert!(reaches(Some(amount), currency, least.as_bytes()), "{amount} {least}");
        }
        for (amount, currency, least) in
            [("99.99", eur, "100"), ("100.00", eur, "0.001"), ("7", jpy, "7.0"), ("7", jpy, "8")]
        {
            assert!(!reaches(Some(amount), currency, least.as_bytes()), "{amount} {least}");
        }
        assert!(!reaches(None, eur, b"1") && !reaches(Some("1.00"), None, b"1"));
    }
}
