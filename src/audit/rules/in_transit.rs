//! A transfer is in transit between its credit and its capture: by so much is `@transit` below zero.

use std::fmt;

use uuid::Uuid;

use crate::audit::rules::books::Books;
use crate::audit::values::money;

/// `InTransit` is a transfer whose credit is booked and whose capture is not, to be shown to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InTransit {
    id: Uuid,
    amount: String,
    from: String,
    to: String,
    state: &'static str,
}

/// Lists those in the books, in the order of their requests.
#[must_use]
pub(crate) fn of(books: &Books) -> Vec<InTransit> {
    let transfers = books.transfers().into_iter().filter(|(_, transfer, _)| transfer.is_in_transit());
    transfers
        .map(|(id, transfer, [from, to])| InTransit {
            id: Uuid::from_u128(id),
            amount: format!(
                "{} {}",
                money::show(transfer.amount.into(), transfer.currency),
                transfer.currency
            ),
            from: from.to_owned(),
            to: to.to_owned(),
            state: transfer.state.text(),
        })
        .collect()
}

impl fmt::Display for InTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, amount, from, to, state } = self;
        write!(f, "{id}: {amount} is credited on {to} and not yet captured on {from} ({state})")
    }
}
