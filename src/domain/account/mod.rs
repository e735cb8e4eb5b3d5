//! This folder says how an account stands (the fold of its stream), and what may happen to it.
//!
//! [`evolve`](Account::evolve) is the fold; it adds nothing that an event did not say. [`decide`](decide::decide) is
//! the decision; each subject of it has a file: opening, movements, reversals, corrections, changes
//! of state.

mod checks;
pub mod corrected;
mod correction;
pub mod decide;
pub mod decline;
pub mod event;
mod movement;
mod open;
mod reversal;
mod state_change;

use sha2::{Digest, Sha256};

use super::currency::Currency;
use super::event::{Event, EvolveError};
use super::ids::{AccountName, Id};
use super::money::Money;
use event::{AccountEvent, Answer, Effect, Fact};

/// A `Status` is the status of an account. It says whether money may go out of the account, and whether anything may
/// happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything may happen to an open account.
    Open,
    /// No money goes out; only a reversal with `force` takes money out.
    Frozen,
    /// Nothing may happen to it but preventions.
    Closed,
}

impl Status {
    /// Returns its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }

    /// Returns the status with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Frozen, Self::Closed].into_iter().find(|status| status.name() == name)
    }
}

/// An `Account` is a guarded account, as it stands after the last event of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// This is its name.
    pub name: AccountName,
    /// This is its currency.
    pub currency: Currency,
    /// This is its balance.
    pub balance: Money,
    /// This is how far below zero its balance may go.
    pub overdraft_limit: Money,
    /// This says whether it is open, frozen or closed.
    pub status: Status,
    /// This is the revision of its last event.
    pub revision: u64,
    /// This is a running hash over the IDs that it has seen and how each ended. Two accounts with the same history
    /// agree on it.
    pub seen: [u8; 32],
}

impl Account {
    /// Returns what may still go out: the balance plus the overdraft limit. There are no holds yet to subtract.
    #[must_use]
    pub fn available(&self) -> Money {
        self.balance.plus(self.overdraft_limit).unwrap_or(self.balance)
    }

    /// Returns the sum that is set aside. It is always zero, because nothing sets money aside yet.
    #[must_use]
    pub fn held(&self) -> Money {
        Money::zero(self.currency)
    }

    /// Returns the part of an answer that says how the account stands.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer { balance: self.balance, available: self.available() }
    }

    /// Returns the account after an event of its stream. Every fact is covered, and the event's answer is never read.
    ///
    /// # Errors
    /// Fails when the event is not the next of this account's stream, or when the balance can't be counted any more.
    pub fn evolve(
        before: Option<&Self>,
        name: &AccountName,
        event: &Event,
        body: &AccountEvent,
    ) -> Result<Self, EvolveError> {
        let mut account = match (before, &body.fact) {
            (Some(before), _) => Self { revision: before.revision.saturating_add(1), ..before.clone() },
            (None, Fact::AccountOpened { overdraft_limit, .. }) => {
                Self::opened(name, body.currency, *overdraft_limit)
            }
            (None, _) => return Err(EvolveError::not_opened(event)),
        };
        if account.revision != event.revision {
            return Err(EvolveError::revision(event, account.revision));
        }
        if let Some(entries) = body.entries() {
            let balance = account.balance.plus(entries.guarded);
            account.balance = balance.ok_or_else(|| EvolveError::overflow(event))?;
        }
        match &body.fact {
            Fact::Frozen(_) => account.status = Status::Frozen,
            Fact::Unfrozen(_) => account.status = Status::Open,
            Fact::Closed(_) => account.status = Status::Closed,
            Fact::OverdraftLimitChanged { overdraft_limit, .. } => account.overdraft_limit = *overdraft_limit,
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::Corrected(_)
            | Fact::Declined { .. } => {}
        }
        account.seen = saw(account.seen, event, body);
        Ok(account)
    }

    /// Makes the account that an opening opens.
    fn opened(name: &AccountName, currency: Currency, overdraft_limit: Money) -> Self {
        Self {
            name: name.clone(),
            currency,
            balance: Money::zero(currency),
            overdraft_limit,
            status: Status::Open,
            revision: 0,
            seen: [0; 32],
        }
    }
}

/// Returns the running hash of seen IDs after one more event.
fn saw(before: [u8; 32], event: &Event, body: &AccountEvent) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut text = Vec::with_capacity(64);
    hash.update(before);
    match event.id {
        Id::Client(id) => hash.update(id.as_bytes()),
        Id::Step { .. } => {
            event.id.write(&mut text);
            hash.update(&text);
        }
    }
    match body.decline() {
        Some(decline) => {
            hash.update(b"declined:");
            hash.update(decline.code());
        }
        None => {
            hash.update(b"accepted:");
            hash.update(body.type_name());
        }
    }
    if let Some((named, effect)) = body.names() {
        hash.update(b"|");
        hash.update(named.as_bytes());
        if let Effect::TakenBack(amount) = effect {
            text.clear();
            amount.write(&mut text);
            hash.update(&text);
        }
    }
    if let Fact::Corrected(corrected) = &body.fact {
        text.clear();
        corrected.signed().write(&mut text);
        hash.update(b"|");
        hash.update(&text);
    }
    hash.finalize().into()
}
