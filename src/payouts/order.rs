//! An order is what a provider is told of a payout. It is made of the transfer's request alone, so that it is the same
//! whoever sends it, and whenever.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::ids::{Id, Step};
use crate::domain::metadata::Metadata;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::call::Call;
use crate::domain::transfer::event::Terms;

use super::line::Request;

/// An `Order` is one payout, as a provider is told of it.
#[derive(Clone, Debug)]
pub struct Order {
    key: Id,
    body: String,
    transfer: Transfer,
}

/// A `Body` has the members of an order, in this order.
#[derive(Serialize)]
struct Body<'a> {
    id: String,
    transfer: String,
    amount: String,
    currency: &'a str,
    from: &'a str,
    metadata: BTreeMap<&'a str, &'a str>,
}

impl Order {
    /// Makes the order of a transfer, with the metadata of its request. `None` where it can't be written, which no request
    /// brings about.
    #[must_use]
    pub fn of(transfer: &Transfer, metadata: &Metadata) -> Option<Self> {
        let Terms { from, amount, currency, .. } = &*transfer.terms;
        let key = Id::first_of(transfer.id, Step::Payout);
        let body = Body {
            id: key.to_string(),
            transfer: transfer.id.to_string(),
            amount: amount.to_string(),
            currency: currency.code(),
            from: from.as_str(),
            metadata: metadata.iter().collect(),
        };
        let body = serde_json::to_string(&body).ok()?;
        Some(Self { key, body, transfer: transfer.clone() })
    }

    /// Returns the transfer, as it stood when the order was made. Its terms never change.
    pub(super) fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    /// Returns the request that asks this of the provider.
    pub(super) fn request(&self, call: Call) -> Request {
        let body = match call {
            Call::Pay => self.body.clone(),
            Call::Ask => String::new(),
            Call::Cancel => "{}".to_owned(),
        };
        Request { call, key: self.key, body }
    }
}
