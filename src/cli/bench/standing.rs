//! A standing ledger has much that has not ended: transfers under way and open holds, beside transfers that have. It is
//! measured how soon a service over it is ready, what memory it takes, and how soon it answers the first page of each list.
//!
//! The ledger is filled without a service, which would drive the transfers. The transfers that have ended did so without steps,
//! so that they are two events each.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::child::Service;
use crate::cli::open;
use crate::cli::outcome::Error;
use crate::client::random::Draws;
use crate::domain::command::{Command, Operation};
use crate::domain::ids::{AccountName, Id, Step, TransactionId};
use crate::domain::stream::StreamName;
use crate::domain::transfer::command::{End, TransferOperation};
use crate::ledger::{Ledger, ReadLimits};

use super::backlog::{command, deposit, hold, opening, record, request};
use super::blocking::blocking;
use super::large::memory_mb;
use super::rows::{heading, row};
use super::singles::Phases;
use super::stats::Latencies;
use super::wire::{Accounts, Connection};

/// There are this many transfers under way.
const UNDER_WAY: usize = 100_000;
/// There are this many open holds, and this many transfers that have ended.
const OTHERS: usize = 1_000_000;
/// Each account that has holds has this many.
const HOLDS: usize = 100;
/// The holds expire after this many seconds, which is after the measurement.
const EXPIRE_AFTER: u64 = 86_400;
/// These many things are recorded together.
const TOGETHER: usize = 4_000;
/// Each list is asked for this often.
const ASKED: usize = 50;
/// The service must be ready after this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A `Standing` has the figures of the start of such a ledger.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Standing {
    /// This is the number of transfers under way.
    pub(crate) under_way: usize,
    /// This is the number of open holds.
    pub(crate) open_holds: usize,
    /// This is the number of transfers that have ended.
    pub(crate) ended: usize,
    /// This is the time from the start of the process until it was ready.
    pub(crate) ready_s: f64,
    /// This is the resident memory then, in MB (10^6 bytes).
    pub(crate) resident_mb: f64,
    /// This is the resident memory of a service over an empty ledger.
    pub(crate) empty_mb: f64,
    /// This is the most memory that the service had until the lists were read, while it drove the transfers.
    pub(crate) peak_mb: f64,
    /// These are the lists, and the slowest of the answers to each.
    pub(crate) lists: Vec<(String, f64)>,
}

impl Standing {
    /// Adds the rows of the table.
    pub(crate) fn table(&self, text: &mut String) {
        let Self { under_way, open_holds, ended, .. } = self;
        heading(
            text,
            &format!("start with {under_way} open transfers, {open_holds} holds, {ended} ended transfers"),
        );
        row(text, "ready after", format!("{:.2} s", self.ready_s));
        let Self { resident_mb, empty_mb, peak_mb, .. } = self;
        let value =
            format!("{resident_mb:.0} MB, of an empty ledger {empty_mb:.0} MB; {peak_mb:.0} MB at most");
        row(text, "resident memory", value);
        for (path, slowest_ms) in &self.lists {
            row(text, &format!("{path} "), format!("{slowest_ms:.1} ms at most"));
        }
    }
}

/// Measures the start of such a ledger in this folder.
///
/// # Errors
/// Fails when the ledger can't be filled or a service not be reached.
pub(crate) async fn measure(phases: Phases, folder: &Path) -> Result<Standing, Error> {
    let data = folder.join("standing");
    let ledger = {
        let data = data.clone();
        let open = move || open::ledger(&data, ReadLimits::default(), false, open::Ordered::default());
        tokio::task::spawn_blocking(open).await??
    };
    let filled = fill(&ledger, phases.accounts).await;
    tokio::task::spawn_blocking(move || ledger.stop()).await??;
    let (holder, ended) = filled?;
    let empty = Service::serve(&folder.join("standing-empty"), "127.0.0.1:0", None).await?;
    let empty_mb = memory_mb(&empty, "VmRSS:")?;
    empty.stop().await?;
    let begun = Instant::now();
    let service = Service::serve(&data, "127.0.0.1:0", None).await?;
    let address = service.address;
    blocking(move || Ok(ready(address)?)).await?;
    let (ready_s, resident_mb) = (begun.elapsed().as_secs_f64(), memory_mb(&service, "VmRSS:")?);
    let paths = [
        "/v1/transfers?limit=100".to_owned(),
        format!("/v1/transfers/{ended}"),
        "/v1/accounts?limit=100".to_owned(),
        format!("/v1/accounts/{holder}/holds?limit=100"),
    ];
    let lists = blocking(move || Ok(paths.map(|path| slowest(address, path)))).await?;
    let lists = lists.into_iter().collect::<Result<_, _>>()?;
    let peak_mb = memory_mb(&service, "VmHWM:")?;
    service.stop().await?;
    let counts = Standing { under_way: UNDER_WAY, open_holds: OTHERS, ended: OTHERS, ..Standing::default() };
    Ok(Standing { ready_s, resident_mb, empty_mb, peak_mb, lists, ..counts })
}

/// Waits until the service takes commands.
fn ready(address: SocketAddr) -> Result<(), io::Error> {
    let (mut connection, begun) = (Connection::open(address)?, Instant::now());
    while connection.get("/readyz").is_err() {
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other("the service does not become ready"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Asks for a list some times, and returns its path with the time of the slowest answer, in milliseconds.
fn slowest(address: SocketAddr, path: String) -> Result<(String, f64), io::Error> {
    let (mut connection, mut took) = (Connection::open(address)?, Latencies::default());
    for _ in 0..ASKED {
        let begun = Instant::now();
        connection.get(&path)?;
        took.add(begun.elapsed());
    }
    Ok((path, took.at_most_ms(1_000)))
}

/// Fills the ledger, the ended transfers first and those under way last. Returns an account with holds, and a transfer that
/// has ended.
async fn fill(ledger: &Ledger, accounts: Accounts) -> Result<(String, TransactionId), Error> {
    let draws = Draws::fresh();
    let client = |stream, operation| command(Id::Client(draws.id()), stream, operation);
    let name = |number| AccountName::parse(&accounts.name(number)).ok_or("this is no name of an account");
    let holders = Accounts {
        first: accounts.first + accounts.count,
        count: u32::try_from(OTHERS / HOLDS)?,
        ..accounts
    };
    let numbers: Vec<u32> = accounts.numbers().chain(holders.numbers()).collect();
    for some in numbers.chunks(TOGETHER) {
        let mut commands = Vec::new();
        for number in some {
            let stream = || name(*number).map(StreamName::Account);
            commands.extend([client(stream()?, opening()?), client(stream()?, deposit()?)]);
        }
        record(ledger, &commands).await?;
    }
    let asked = || -> Result<[Command; 2], Error> {
        let (id, from) = (draws.id(), accounts.draw(&draws));
        let asked = request(name(from)?, name(accounts.draw_other(&draws, from))?)?;
        let end = Operation::Transfer(TransferOperation::End { end: End::Completed, seen: 0 });
        let stream = StreamName::Transfer(id);
        let of_end = Id::Step { of: id, step: Step::End, attempt: 1 };
        Ok([command(Id::Client(id), stream.clone(), asked), command(of_end, stream, end)])
    };
    let mut ended = draws.id();
    for _ in 0..OTHERS / TOGETHER {
        let pairs = (0..TOGETHER).map(|_| asked()).collect::<Result<Vec<_>, _>>()?;
        ended = pairs.first().and_then(|[asked, _]| asked.id.client()).unwrap_or(ended);
        let commands: Vec<Command> = pairs.into_iter().flatten().collect();
        record(ledger, &commands).await?;
    }
    let holds: Vec<u32> = holders.numbers().collect();
    for some in holds.chunks(TOGETHER / HOLDS) {
        let mut commands = Vec::new();
        for number in some {
            for _ in 0..HOLDS {
                commands.push(client(StreamName::Account(name(*number)?), hold(EXPIRE_AFTER)?));
            }
        }
        record(ledger, &commands).await?;
    }
    for _ in 0..UNDER_WAY / TOGETHER {
        let requests =
            (0..TOGETHER).map(|_| asked().map(|[asked, _]| asked)).collect::<Result<Vec<_>, _>>()?;
        record(ledger, &requests).await?;
    }
    Ok((holders.name(holders.first), ended))
}
