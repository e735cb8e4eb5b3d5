//! These functions say whether a filter chooses an event. It is a function of the event alone.
//!
//! Only events of accounts and transfers are ever chosen, so that what a delivery records of itself causes no delivery.

use crate::domain::account::event::{AccountEvent, Fact as AccountFact, Terms as HoldTerms};
use crate::domain::currency::Currency;
use crate::domain::event::{Body, Event};
use crate::domain::metadata::Metadata;
use crate::domain::money::{Money, WrittenAmount};
use crate::domain::stream::StreamName;
use crate::domain::transfer::event::{Fact as TransferFact, TransferEvent};

use super::select::{Pattern, Select};

/// `Told` is what an event tells that a filter can ask about.
#[derive(Default)]
struct Told<'a> {
    currency: Option<Currency>,
    amount: Option<Money>,
    metadata: Option<&'a Metadata>,
}

impl Select {
    /// Says whether an event is chosen.
    #[must_use]
    pub fn chooses(&self, event: &Event) -> bool {
        let told = match &event.body {
            Body::Account(body) => of_account(body),
            Body::Transfer(body) => of_transfer(body),
            Body::Delivery(_) | Body::Letter(_) => return false,
        };
        let has = |key: &str, pattern: &Pattern| {
            let mut pairs = told.metadata.into_iter().flat_map(Metadata::iter);
            pairs.any(|(name, value)| name == key && pattern.fits(value))
        };
        !self.none
            && (self.types.is_empty() || self.types.iter().any(|name| name == event.type_name()))
            && (self.accounts.is_empty() || self.accounts.iter().any(|pattern| is_of(event, pattern)))
            && (self.currencies.is_empty() || told.currency.is_some_and(|it| self.currencies.contains(&it)))
            && self.amount_min.is_none_or(|least| reaches(&told, least))
            && self.metadata.iter().all(|(key, pattern)| has(key, pattern))
    }
}

/// Says whether an event is of an account whose name fits: that of its stream, or a side of the transfer that it begins.
fn is_of(event: &Event, pattern: &Pattern) -> bool {
    match (&event.stream, &event.body) {
        (StreamName::Account(name), _) => pattern.fits(name.as_str()),
        (StreamName::Transfer(_), Body::Transfer(body)) => match &body.fact {
            TransferFact::Requested { terms, .. } => {
                pattern.fits(terms.from.as_str()) || pattern.fits(terms.to.as_str())
            }
            TransferFact::CancelRequested(_)
            | TransferFact::TimedOut
            | TransferFact::PayoutSent(_)
            | TransferFact::PayoutSettled(_)
            | TransferFact::PayoutContradicted(_)
            | TransferFact::Stalled(_)
            | TransferFact::Resumed(_)
            | TransferFact::Abandoned(_)
            | TransferFact::Completed { .. }
            | TransferFact::Unmoved(_)
            | TransferFact::Declined { .. } => false,
        },
        (StreamName::Transfer(_), Body::Account(_) | Body::Delivery(_) | Body::Letter(_))
        | (StreamName::Delivery(_) | StreamName::Letter(_), _) => false,
    }
}

/// Says whether the amount is the least or more. A least amount that the currency does not have is never reached.
fn reaches(told: &Told<'_>, least: WrittenAmount) -> bool {
    let (Some(currency), Some(amount)) = (told.currency, told.amount) else { return false };
    least.fit(currency).is_ok_and(|least| amount.minus(least.money()).is_some_and(|rest| !rest.is_negative()))
}

fn of_account(body: &AccountEvent) -> Told<'_> {
    let (amount, metadata) = match &body.fact {
        AccountFact::Deposited(moved) | AccountFact::Withdrawn(moved) => {
            (Some(moved.amount), Some(&moved.metadata))
        }
        AccountFact::HoldPlaced { amount, terms: HoldTerms::Client { metadata, .. } }
        | AccountFact::HoldCaptured { amount, metadata, .. } => (Some(*amount), Some(metadata)),
        AccountFact::AccountOpened { metadata, .. } => (None, Some(metadata)),
        AccountFact::Reversed { amount, .. }
        | AccountFact::HoldPlaced { amount, terms: HoldTerms::Transfer { .. } }
        | AccountFact::HoldReleased { amount, .. }
        | AccountFact::HoldExpired { amount, .. }
        | AccountFact::TransferCredited { amount, .. } => (Some(*amount), None),
        AccountFact::Corrected(corrected) => (Some(corrected.amount), None),
        AccountFact::Prevented { .. }
        | AccountFact::Frozen(_)
        | AccountFact::Unfrozen(_)
        | AccountFact::Closed(_)
        | AccountFact::OverdraftLimitChanged { .. }
        | AccountFact::HoldPrevented { .. }
        | AccountFact::CreditPrevented { .. }
        | AccountFact::Declined { .. } => (None, None),
    };
    Told { currency: Some(body.currency), amount: amount.map(|amount| amount.money()), metadata }
}

fn of_transfer(body: &TransferEvent) -> Told<'_> {
    match &body.fact {
        TransferFact::Requested { terms, metadata } => Told {
            currency: Some(terms.currency),
            amount: Some(terms.amount.money()),
            metadata: Some(metadata),
        },
        TransferFact::Completed { amount, currency } => {
            Told { currency: Some(*currency), amount: Some(amount.money()), metadata: None }
        }
        TransferFact::CancelRequested(_)
        | TransferFact::TimedOut
        | TransferFact::PayoutSent(_)
        | TransferFact::PayoutSettled(_)
        | TransferFact::PayoutContradicted(_)
        | TransferFact::Stalled(_)
        | TransferFact::Resumed(_)
        | TransferFact::Abandoned(_)
        | TransferFact::Unmoved(_)
        | TransferFact::Declined { .. } => Told::default(),
    }
}
