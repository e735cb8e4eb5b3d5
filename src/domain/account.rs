//! An account's state: the fold of its stream, and nothing that an event did not say.

use sha2::{Digest, Sha256};

use super::currency::Currency;
use super::event::{Answer, Event, Fact};
use super::ids::AccountName;
use super::money::Money;

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

/// Why an event can't follow the events before it: the journal is damaged, or this program is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvolveError {
    /// An event of an account that was never opened.
    #[error("{stream} has an event at revision {revision} before its opening")]
    NotOpened {
        /// The account.
        stream: AccountName,
        /// The event's revision.
        revision: u64,
    },
    /// Not the next revision.
    #[error("{stream} has an event at revision {found} where {expected} comes next")]
    Revision {
        /// The account.
        stream: AccountName,
        /// What comes next.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A balance that can't be counted any more.
    #[error("{stream} passes what can be counted")]
    Overflow {
        /// The account.
        stream: AccountName,
    },
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

    /// The account after `event`: total over all facts, and blind to the event's answer.
    ///
    /// # Errors
    /// When the event is not the next of this account's stream.
    pub fn evolve(before: Option<&Self>, event: &Event) -> Result<Self, EvolveError> {
        let mut account = match (before, &event.fact) {
            (None, Fact::AccountOpened { overdraft_limit, .. }) => Self {
                name: event.account.clone(),
                currency: event.currency,
                balance: Money::zero(event.currency),
                overdraft_limit: *overdraft_limit,
                status: Status::Open,
                revision: 0,
                seen: [0; 32],
            },
            (Some(before), _) => Self { revision: before.revision + 1, ..before.clone() },
            (None, _) => {
                return Err(EvolveError::NotOpened {
                    stream: event.account.clone(),
                    revision: event.revision,
                });
            }
        };
        if account.revision != event.revision {
            return Err(EvolveError::Revision {
                stream: event.account.clone(),
                expected: account.revision,
                found: event.revision,
            });
        }
        if let Some(entries) = event.entries() {
            account.balance = account
                .balance
                .plus(entries.guarded)
                .ok_or_else(|| EvolveError::Overflow { stream: event.account.clone() })?;
        }
        match &event.fact {
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
        account.seen = saw(account.seen, event);
        Ok(account)
    }
}

/// The running hash of seen IDs, one event further.
fn saw(before: [u8; 32], event: &Event) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(event.transaction_id.as_bytes());
    match event.decline() {
        Some(decline) => {
            hash.update(b"declined:");
            hash.update(decline.code());
        }
        None => {
            hash.update(b"accepted:");
            hash.update(event.type_name());
        }
    }
    if let Some(reverses) = event.reverses() {
        hash.update(b"|");
        hash.update(reverses.as_bytes());
    }
    if let Fact::Reversed { amount, .. } = &event.fact {
        let mut text = Vec::with_capacity(24);
        amount.write(&mut text);
        hash.update(text);
    }
    hash.finalize().into()
}
