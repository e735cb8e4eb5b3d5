//! This is what the tests share: ledgers in temporary folders, over the store that was asked for, and commands in few
//! words.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these are tests"
)]

pub mod http;
pub mod node;
pub mod process;
pub mod provider;
pub mod store;
pub mod teller;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bookonce::clerk::Limits;
use bookonce::domain::command::{
    BalanceChange, Command, Correction, LimitChange, Move, Opening, Operation, Reason, Reversal,
};
use bookonce::domain::currency::Currency;
use bookonce::domain::ids::{AccountName, CounterAccount, TransactionId};
use bookonce::domain::metadata::{Metadata, Origin};
use bookonce::domain::money::{Direction, Written, WrittenAmount};
use bookonce::domain::time::{Clock, Timestamp, system_clock};
use bookonce::domain::written_balance::WrittenBalance;
use bookonce::index::Tuning;
use bookonce::ledger::{DriveOrder, Ledger, OpenError, Options, ReadLimits};
use uuid::Uuid;

/// Does something that must not take longer than this. A machine that is busy with something else is given five turns; what
/// is too slow by itself is so in each of them.
pub fn within(longest: Duration, mut work: impl FnMut()) {
    let mut times = Vec::new();
    while times.last().is_none_or(|last| *last >= longest) {
        assert!(times.len() < 5, "it must not take {longest:?}, and took {times:?}");
        let begun = Instant::now();
        work();
        times.push(begun.elapsed());
    }
}

/// A `Nobody` is an address at which nobody listens, and which nobody else is given while this is there: it is bound, and
/// never listened on. What listens there all the same must allow that the address is reused.
pub struct Nobody {
    pub address: SocketAddr,
    _place: tokio::net::TcpSocket,
}

impl Nobody {
    pub fn find() -> Self {
        let place = tokio::net::TcpSocket::new_v4().unwrap();
        place.set_reuseaddr(true).unwrap();
        place.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { address: place.local_addr().unwrap(), _place: place }
    }
}

/// Returns the transaction ID that the tests call `n`.
pub fn id(n: u128) -> TransactionId {
    TransactionId::from_uuid(Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 + n)).unwrap()
}

pub fn name(account: &str) -> AccountName {
    AccountName::parse(account).unwrap()
}

pub fn command(n: u128, account: &str, operation: Operation) -> Command {
    let origin = Origin { correlation: None, causation: None, actor: Arc::from("loopback") };
    Command { id: id(n).into(), stream: name(account).into(), operation, origin }
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
        amount: WrittenAmount::parse(amount).unwrap(),
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
    let amount = amount.map(|text| WrittenAmount::parse(text).unwrap());
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
    store::open(options(data, clock), Tuning::default())
}

/// Returns the usual options.
pub fn options(data: &Path, clock: Clock) -> Options {
    Options {
        data: data.to_owned(),
        clock,
        steady: None,
        accept_clock: false,
        drive: DriveOrder::default(),
        fresh: Uuid::from_u128(0x0b00_c0de_0000_4000_8000_0000_0000_0001),
        limits: Limits::default(),
        reads: ReadLimits::default(),
        progress: Box::new(|_, _| {}),
    }
}

pub fn freeze(n: u128, account: &str) -> Command {
    command(n, account, Operation::Freeze(reason()))
}

pub fn unfreeze(n: u128, account: &str) -> Command {
    command(n, account, Operation::Unfreeze(reason()))
}

pub fn close(n: u128, account: &str) -> Command {
    command(n, account, Operation::Close(reason()))
}

pub fn set_limit(n: u128, account: &str, limit: &str) -> Command {
    let change = LimitChange { overdraft_limit: Written::parse(limit).unwrap(), reason: reason() };
    command(n, account, Operation::SetOverdraftLimit(change))
}

/// Returns a deposit, a withdrawal or a correction that happened at another time than now.
pub fn dated(mut command: Command, at: Timestamp) -> Command {
    if let Operation::Correct(asked) = &mut command.operation
        && let BalanceChange::By { effective_at, .. } = &mut asked.change
    {
        *effective_at = Some(at);
    }
    if let Operation::Deposit(moved) | Operation::Withdraw(moved) = &mut command.operation {
        moved.effective_at = Some(at);
    }
    command
}

/// Returns a correction that makes the balance this one, while the account's last event has this revision.
pub fn correct_to(n: u128, account: &str, balance: &str, expected_revision: u64) -> Command {
    let balance = WrittenBalance::parse(balance).unwrap();
    correct(n, account, BalanceChange::To { balance, expected_revision })
}

/// Returns a correction that moves this amount in, or out where it has a `-`.
pub fn correct_by(n: u128, account: &str, amount: &str) -> Command {
    let (direction, amount) = match amount.strip_prefix('-') {
        Some(amount) => (Direction::Debit, amount),
        None => (Direction::Credit, amount),
    };
    let amount = WrittenAmount::parse(amount).unwrap();
    correct(n, account, BalanceChange::By { amount, direction, expected_revision: None, effective_at: None })
}

fn correct(n: u128, account: &str, change: BalanceChange) -> Command {
    let asked = Correction { change, reason: reason(), corrects: Vec::new(), force: false };
    command(n, account, Operation::Correct(Box::new(asked)))
}

/// Returns the correction with more in it.
pub fn with_asked(mut command: Command, more: impl FnOnce(&mut Correction)) -> Command {
    let Operation::Correct(asked) = &mut command.operation else { panic!("no correction") };
    more(asked);
    command
}

/// Returns the correction, which names these transactions.
pub fn naming(command: Command, ids: &[u128]) -> Command {
    with_asked(command, |asked| asked.corrects = ids.iter().map(|n| id(*n)).collect())
}

/// Returns the correction, which may pass the overdraft limit.
pub fn forced(command: Command) -> Command {
    with_asked(command, |asked| asked.force = true)
}
