//! What the tests share: ledgers in temporary folders, and commands in few words.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod http;
pub mod process;
pub mod teller;

use std::path::Path;
use std::sync::Arc;

use bookonce::clerk::Limits;
use bookonce::domain::command::{Command, Move, Opening, Operation, Reason, Reversal};
use bookonce::domain::currency::Currency;
use bookonce::domain::ids::{AccountName, CounterAccount, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::Written;
use bookonce::domain::time::{Clock, system_clock};
use bookonce::ledger::{Ledger, OpenError, Options};
use uuid::Uuid;

/// The transaction ID that the tests call `n`.
pub fn id(n: u128) -> TransactionId {
    TransactionId::from_uuid(Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 + n)).unwrap()
}

pub fn name(account: &str) -> AccountName {
    AccountName::parse(account).unwrap()
}

pub fn command(n: u128, account: &str, operation: Operation) -> Command {
    let origin = Origin { correlation: None, causation: None, actor: Arc::from("loopback") };
    Command { transaction_id: id(n), account: name(account), operation, origin }
}

pub fn open(n: u128, account: &str) -> Command {
    open_with(n, account, "EUR", "0")
}

pub fn open_with(n: u128, account: &str, currency: &str, limit: &str) -> Command {
    let opening = Opening {
        currency: Currency::parse(currency).unwrap(),
        overdraft_limit: Written::parse(limit).unwrap(),
        metadata: Metadata::default(),
    };
    command(n, account, Operation::Open(opening))
}

pub fn moved(amount: &str) -> Move {
    Move {
        amount: Written::parse_positive(amount).unwrap(),
        counter_account: CounterAccount::default(),
        effective_at: None,
        metadata: Metadata::default(),
    }
}

pub fn deposit(n: u128, account: &str, amount: &str) -> Command {
    command(n, account, Operation::Deposit(moved(amount)))
}

pub fn withdraw(n: u128, account: &str, amount: &str) -> Command {
    command(n, account, Operation::Withdraw(moved(amount)))
}

pub fn reason() -> Reason {
    Reason::parse("because").unwrap()
}

pub fn reverse(n: u128, account: &str, reverses: u128, amount: Option<&str>, force: bool) -> Command {
    let amount = amount.map(|text| Written::parse_positive(text).unwrap());
    command(
        n,
        account,
        Operation::Reverse(Reversal { reverses: id(reverses), amount, reason: reason(), force }),
    )
}

/// Opens the ledger in a folder, with the machine's clock.
pub fn open_ledger(data: &Path) -> Result<Ledger, OpenError> {
    open_ledger_at(data, system_clock())
}

/// Opens the ledger in a folder, with a clock of the test's own.
pub fn open_ledger_at(data: &Path, clock: Clock) -> Result<Ledger, OpenError> {
    Ledger::open(Options {
        data: data.to_owned(),
        clock,
        fresh: Uuid::from_u128(0x0b00_c0de_0000_4000_8000_0000_0000_0001),
        limits: Limits::default(),
        progress: Box::new(|_, _| {}),
    })
}
