//! A backlog is what a service finds to do when it starts: open transfers that nobody drives, or holds whose time has come. It
//! is measured how soon that is done, and what clients' withdrawals take meanwhile.
//!
//! The ledger is filled without a service, because a service would drive the transfers and book the expiries at once.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::child::Service;
use crate::cli::open;
use crate::cli::outcome::Error;
use crate::client::random::Draws;
use crate::domain::command::{Command, HoldSeconds, Move, Opening, Operation, Placing};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountName, CounterAccount, Id};
use crate::domain::metadata::{Metadata, Origin};
use crate::domain::money::{Written, WrittenAmount};
use crate::domain::payee::Payee;
use crate::domain::stream::StreamName;
use crate::domain::transfer::command::{Requesting, TimeoutSeconds, TransferOperation};
use crate::ledger::{Ledger, ReadLimits, Verdict};

use super::blocking::blocking;
use super::ends::COMPLETED;
use super::load::Load;
use super::rows::{heading, row, side};
use super::singles::{Phases, Rounds, Side, ratio};
use super::wire::{Accounts, Connection};

/// There is this much to do.
const ALL: usize = 100_000;
/// Clients have this many connections.
const CONNECTIONS: usize = 32;
/// These many commands are recorded together.
const TOGETHER: usize = 5_000;
/// Each account has this many of the holds.
const HOLDS: usize = 100;
/// The holds expire after this many seconds: no sooner than the ledger is filled.
const EXPIRE_AFTER: u64 = 5;
/// The clients' load is sent in pieces of this length, until all is done.
const PIECE: Duration = Duration::from_millis(500);
/// All must be done after this time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `Kind` says what there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Transfers,
    Expiries,
}

/// A `Backlog` has the figures of one kind of work.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Backlog {
    /// This is what was to be done.
    pub(crate) what: &'static str,
    /// This is how long it took from the start of the process until all was done.
    pub(crate) done_s: f64,
    /// These are the clients' withdrawals meanwhile.
    pub(crate) beside: Side,
    /// These are the clients' withdrawals afterwards.
    pub(crate) alone: Side,
    /// This is the p99 meanwhile, divided by that afterwards.
    pub(crate) p99_ratio: f64,
}

/// Measures both kinds of work, on ledgers in this folder.
///
/// # Errors
/// Fails when a ledger can't be filled or a service not be reached.
pub(crate) async fn measure_each(phases: Phases, folder: &Path) -> Result<Vec<Backlog>, Error> {
    let mut found = Vec::new();
    for kind in [Kind::Transfers, Kind::Expiries] {
        let data = folder.join(kind.what().replace(' ', "-"));
        let ledger = {
            let data = data.clone();
            let open = move || open::ledger(&data, ReadLimits::default(), false, open::Ordered::default());
            tokio::task::spawn_blocking(open).await??
        };
        let filled = fill(&ledger, kind, phases.accounts).await;
        tokio::task::spawn_blocking(move || ledger.stop()).await??;
        filled?;
        if kind == Kind::Expiries {
            tokio::time::sleep(Duration::from_secs(EXPIRE_AFTER)).await;
        }
        let begun = Instant::now();
        let service = Service::serve(&data, "127.0.0.1:0", None).await?;
        let address = service.address;
        found.push(blocking(move || Ok(beside_clients(address, phases, kind, begun)?)).await?);
        service.stop().await?;
    }
    Ok(found)
}

/// Sends clients' withdrawals until all is done, and then as many without anything beside them.
fn beside_clients(
    address: SocketAddr,
    phases: Phases,
    kind: Kind,
    begun: Instant,
) -> Result<Backlog, io::Error> {
    let load = Load { length: PIECE, ..phases.load(address, CONNECTIONS, true) };
    let mut connection = Connection::open(address)?;
    let (mut beside, mut alone) = (Rounds::default(), Rounds::default());
    let mut pieces = 0;
    while !kind.is_done(&mut connection)? {
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("the service does not get through {}", kind.what())));
        }
        beside.add(&load.send()?);
        pieces += 1;
    }
    let done_s = begun.elapsed().as_secs_f64();
    for _ in 0..pieces.clamp(4, 20) {
        alone.add(&load.send()?);
    }
    let (beside, alone) = (beside.side(), alone.side());
    let p99_ratio = ratio(beside.p99_ms, alone.p99_ms);
    Ok(Backlog { what: kind.what(), done_s, beside, alone, p99_ratio })
}

impl Kind {
    fn what(self) -> &'static str {
        match self {
            Self::Transfers => "open transfers",
            Self::Expiries => "due expiries",
        }
    }

    fn is_done(self, connection: &mut Connection) -> Result<bool, io::Error> {
        match self {
            Self::Transfers => Ok(connection.figure(COMPLETED)? >= ALL as u64),
            Self::Expiries => Ok(connection.figure("bookonce_holds_open")? == 0),
        }
    }
}

/// Opens the load's accounts with a thousand million in each, and records what is to be done.
async fn fill(ledger: &Ledger, kind: Kind, accounts: Accounts) -> Result<(), Error> {
    let draws = Draws::fresh();
    let command = |stream, operation| command(Id::Client(draws.id()), stream, operation);
    let name = |number| AccountName::parse(&accounts.name(number)).ok_or("this is no name of an account");
    // Whose holds expire is not who sends: a command books what is due on its own account.
    let holders = Accounts { first: accounts.first + accounts.count, ..accounts };
    let mut commands = Vec::new();
    for number in accounts.numbers().chain(holders.numbers()) {
        let stream = || name(number).map(StreamName::Account);
        commands.push(command(stream()?, opening()?));
        commands.push(command(stream()?, deposit()?));
    }
    for place in 0..ALL {
        match kind {
            Kind::Transfers => {
                let (id, from) = (draws.id(), accounts.draw(&draws));
                let asked = request(name(from)?, name(accounts.draw_other(&draws, from))?)?;
                let asked = command(StreamName::Transfer(id), asked);
                commands.push(Command { id: Id::Client(id), ..asked });
            }
            Kind::Expiries => {
                let number = holders.first + u32::try_from(place / HOLDS)? % holders.count;
                commands.push(command(StreamName::Account(name(number)?), hold(EXPIRE_AFTER)?));
            }
        }
    }
    for some in commands.chunks(TOGETHER) {
        record(ledger, some).await?;
    }
    Ok(())
}

/// Records commands, none of which may be declined.
pub(super) async fn record(ledger: &Ledger, commands: &[Command]) -> Result<(), Error> {
    let verdicts = ledger.execute(commands).await?;
    let booked = |verdict: &&Verdict| matches!(verdict, Verdict::Booked(event, _) if !event.is_declined());
    if verdicts.iter().filter(booked).count() < commands.len() {
        return Err("the ledger did not record all that was to be done".into());
    }
    Ok(())
}

/// Makes a command of the load's.
pub(super) fn command(id: Id, stream: StreamName, operation: Operation) -> Command {
    let origin = Origin { correlation: None, causation: None, actor: "anonymous".into() };
    Command { id, stream, operation, origin }
}

pub(super) fn opening() -> Result<Operation, Error> {
    let currency = Currency::parse("EUR").ok_or("the euro is no currency")?;
    Ok(Operation::Open(Opening { currency, overdraft_limit: Written::ZERO, metadata: Metadata::default() }))
}

fn amount(text: &str) -> Result<WrittenAmount, Error> {
    Ok(WrittenAmount::parse(text).map_err(|error| format!("{text}: {error:?}"))?)
}

pub(super) fn deposit() -> Result<Operation, Error> {
    let (amount, counter_account) = (amount("1000000000.00")?, CounterAccount::default());
    Ok(Operation::Deposit(Move {
        amount,
        counter_account,
        effective_at: None,
        metadata: Metadata::default(),
    }))
}

/// Makes a hold of a cent that expires after so many seconds.
pub(super) fn hold(seconds: u64) -> Result<Operation, Error> {
    let expires_in_seconds = HoldSeconds::new(seconds).ok_or("no hold is so short or so long")?;
    Ok(Operation::Hold(Placing {
        amount: amount("0.01")?,
        expires_in_seconds,
        metadata: Metadata::default(),
    }))
}

pub(super) fn request(from: AccountName, to: AccountName) -> Result<Operation, Error> {
    let (amount, to) = (amount("0.01")?, Payee::Account(to));
    let timeout_seconds = TimeoutSeconds::new(TimeoutSeconds::MOST.into()).ok_or("no transfer is so long")?;
    let asked = Requesting { from, to, amount, timeout_seconds, metadata: Metadata::default() };
    Ok(Operation::Transfer(TransferOperation::Request(Box::new(asked))))
}

impl Backlog {
    /// Adds the rows of the table.
    pub(crate) fn table(&self, text: &mut String) {
        heading(text, &format!("100,000 {}, found at the start", self.what));
        row(text, "all done after", format!("{:.1} s", self.done_s));
        side(text, &format!("{CONNECTIONS} connections meanwhile"), &self.beside);
        side(text, &format!("{CONNECTIONS} connections afterwards"), &self.alone);
        row(text, "  p99 meanwhile to afterwards", format!("{:.2}", self.p99_ratio));
    }
}
