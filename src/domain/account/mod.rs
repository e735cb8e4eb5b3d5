//! Accounts: how an account stands, which is the fold of its stream, and what may happen to it.
//!
//! [`evolve`](Account::evolve) is the fold; it adds nothing that an event did not say. [`decide`](decide::decide) is the
//! decision; each subject of it has a file: opening, movements, reversals, changes of state.

mod checks;
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

/// May money go out of it, or anything happen at all?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything may.
    Open,
    /// Nothing goes out.
    Frozen,
    /// Nothing happens but preventions.
    Closed,
}

impl Status {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Frozen, Self::Closed].into_iter().find(|status| status.name() == name)
    }
}

/// A guarded account as its stream leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// Its currency.
    pub currency: Currency,
    /// What it has.
    pub balance: Money,
    /// How far below zero it may go.
    pub overdraft_limit: Money,
    /// Open, frozen or closed.
    pub status: Status,
    /// The revision of its last event.
    pub revision: u64,
    /// A running hash over the IDs it has seen and how each ended: two accounts with the same history agree on it.
    pub seen: [u8; 32],
}

impl Account {
    /// What may still go out: balance plus overdraft less holds.
    #[must_use]
    pub fn available(&self) -> Money {
        self.balance.plus(self.overdraft_limit).unwrap_or(self.balance)
    }

    /// What is set aside. Nothing sets anything aside yet.
    #[must_use]
    pub fn held(&self) -> Money {
        Money::zero(self.currency)
    }

    /// The part of an answer that tells how the account stands.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer { balance: self.balance, available: self.available() }
    }

    /// The account after an event of its stream: total over all facts, and blind to the event's answer.
    ///
    /// # Errors
    /// When the event is not the next of this account's stream.
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
            | Fact::Declined { .. } => {}
        }
        account.seen = saw(account.seen, event, body);
        Ok(account)
    }

    /// The account that an opening makes.
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

/// The running hash of seen IDs, one event further.
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
    hash.finalize().into()
}
