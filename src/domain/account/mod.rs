//! This folder says how an account stands (the fold of its stream), and what may happen to it.
//!
//! [`evolve`](Account::evolve) is the fold; it adds nothing that an event did not say. [`decide`](decide::decide) is
//! the decision; each subject of it has a file: opening, movements, reversals, corrections, holds, changes of state.

mod checks;
pub mod corrected;
mod correction;
pub mod decide;
pub mod decline;
mod effects;
pub mod event;
pub mod hold;
mod movement;
mod open;
mod request;
mod reversal;
mod saw;
mod state_change;

use super::currency::Currency;
use super::event::{Event, EvolveError};
use super::ids::{AccountName, Id};
use super::money::Money;
use event::{AccountEvent, Answer, Fact};
use hold::open_holds::{Hold, OpenHolds};
use saw::saw;

/// A `Status` is the status of an account. It says whether money may go out of the account, and whether anything may
/// happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything may happen to an open account.
    Open,
    /// No money goes out, but by a capture or a reversal.
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
    /// These are its open holds.
    pub holds: OpenHolds,
    /// This is the revision of its last event.
    pub revision: u64,
    /// This is a running hash over the IDs that it has seen and how each ended. Two accounts with the same history
    /// agree on it.
    pub seen: [u8; 32],
}

impl Account {
    /// Returns what may still go out: the balance plus the overdraft limit, less what is set aside.
    #[must_use]
    pub fn available(&self) -> Money {
        available(self.balance, self.overdraft_limit, self.holds.sum())
    }

    /// Returns the sum that is set aside.
    #[must_use]
    pub fn held(&self) -> Money {
        self.holds.sum().unwrap_or_else(|| Money::zero(self.currency))
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
            Fact::HoldPlaced { amount, terms } => {
                let hold = Hold { id: event.id, amount: *amount, expires_at: terms.expires_at() };
                account.place(hold).ok_or_else(|| EvolveError::hold(event))?;
            }
            Fact::HoldCaptured { hold, .. } | Fact::HoldReleased { hold, .. } => {
                account.settle(*hold, body).ok_or_else(|| EvolveError::hold(event))?;
            }
            Fact::HoldExpired { hold, .. } => {
                account.settle(Id::Client(*hold), body).ok_or_else(|| EvolveError::hold(event))?;
            }
            Fact::AccountOpened { .. }
            | Fact::Deposited(_)
            | Fact::Withdrawn(_)
            | Fact::Reversed { .. }
            | Fact::Prevented { .. }
            | Fact::HoldPrevented { .. }
            | Fact::TransferCredited { .. }
            | Fact::CreditPrevented { .. }
            | Fact::Corrected(_)
            | Fact::Declined { .. } => {}
        }
        account.seen = saw(account.seen, event, body);
        Ok(account)
    }

    /// Sets aside what a hold sets aside; `None` when that can't be.
    fn place(&mut self, hold: Hold) -> Option<()> {
        self.holds.add(hold).then_some(())
    }

    /// Takes a hold out, when it is open and of the sum that the event settles.
    fn settle(&mut self, hold: Id, body: &AccountEvent) -> Option<()> {
        let held = self.holds.take(hold)?;
        (body.sets_aside()? == held.amount.money().negated()).then_some(())
    }

    /// Makes the account that an opening opens.
    fn opened(name: &AccountName, currency: Currency, overdraft_limit: Money) -> Self {
        Self {
            name: name.clone(),
            currency,
            balance: Money::zero(currency),
            overdraft_limit,
            status: Status::Open,
            holds: OpenHolds::default(),
            revision: 0,
            seen: [0; 32],
        }
    }
}

/// Returns what may still go out of an account with this balance and this limit, of which this sum is set aside.
fn available(balance: Money, overdraft_limit: Money, held: Option<Money>) -> Money {
    let available = balance.plus(overdraft_limit);
    let available = match held {
        Some(held) => available.and_then(|available| available.minus(held)),
        None => available,
    };
    available.unwrap_or(balance)
}
