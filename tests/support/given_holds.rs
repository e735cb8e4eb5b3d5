//! These are things that happened to alice's holds, in few words.

#![allow(dead_code, reason = "each test binary uses its own part")]

use bookonce::domain::account::event::{Fact, Terms};
use bookonce::domain::command::{HoldSeconds, Stopped};
use bookonce::domain::ids::{CounterAccount, Id, Step};
use bookonce::domain::metadata::Metadata;
use bookonce::domain::payee::Payee;

use crate::given::{NOW, Past, amount, past_as};
use crate::holds::step;
use crate::support::{id, name};

fn client(n: u128) -> Id {
    Id::Client(id(n))
}

/// A client's hold was placed, which expires so many seconds from now.
pub fn held_until(n: u128, sum: &'static str, seconds: i64) -> Past {
    past_as(client(n), move |c| Fact::HoldPlaced {
        amount: amount(sum, c),
        terms: Terms::Client {
            expires_in_seconds: HoldSeconds::new(60).unwrap(),
            expires_at: NOW.plus_seconds(seconds),
            metadata: Metadata::default(),
        },
    })
}

/// A client's hold was placed, which is not due.
pub fn held(n: u128, sum: &'static str) -> Past {
    held_until(n, sum, 60)
}

/// A hold was captured, whole or in part.
pub fn captured(n: u128, hold: u128, sum: &'static str, released: Option<&'static str>) -> Past {
    past_as(client(n), move |c| Fact::HoldCaptured {
        hold: client(hold),
        amount: amount(sum, c),
        released: released.map(|sum| amount(sum, c)),
        counter_account: CounterAccount::default(),
        partial: released.is_some(),
        metadata: Metadata::default(),
        to: None,
    })
}

pub fn released(n: u128, hold: u128, sum: &'static str) -> Past {
    past_as(client(n), move |c| Fact::HoldReleased {
        hold: client(hold),
        amount: amount(sum, c),
        reason: None,
    })
}

pub fn expired(hold: u128, sum: &'static str) -> Past {
    past_as(step(hold, Step::Expiry), move |c| Fact::HoldExpired { hold: id(hold), amount: amount(sum, c) })
}

pub fn hold_prevented(n: u128, hold: u128) -> Past {
    past_as(client(n), move |_| Fact::HoldPrevented { hold: client(hold), reason: None })
}

/// A transfer to bob, or to a provider, has set its amount aside.
pub fn transfer_held(transfer: u128, sum: &'static str, to: &'static str) -> Past {
    past_as(step(transfer, Step::Hold), move |c| Fact::HoldPlaced {
        amount: amount(sum, c),
        terms: Terms::Transfer { transfer: id(transfer), to: Payee::parse(to).unwrap() },
    })
}

pub fn transfer_released(transfer: u128, sum: &'static str) -> Past {
    past_as(step(transfer, Step::Release), move |c| Fact::HoldReleased {
        hold: step(transfer, Step::Hold),
        amount: amount(sum, c),
        reason: None,
    })
}

/// A transfer from bob has brought in its amount.
pub fn transfer_credited(transfer: u128, sum: &'static str) -> Past {
    past_as(step(transfer, Step::Credit), move |c| Fact::TransferCredited {
        transfer: id(transfer),
        amount: amount(sum, c),
        from: name("bob"),
    })
}

pub fn credit_prevented(transfer: u128) -> Past {
    past_as(step(transfer, Step::RuleOut), move |_| Fact::CreditPrevented {
        transfer: id(transfer),
        code: Stopped::TimedOut,
    })
}

/// The hold of a transfer was ruled out before it came.
pub fn transfer_hold_prevented(transfer: u128) -> Past {
    past_as(step(transfer, Step::Release), move |_| Fact::HoldPrevented {
        hold: step(transfer, Step::Hold),
        reason: None,
    })
}
