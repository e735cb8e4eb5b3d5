//! `bookonce bench` measures how fast the service is on this machine, beside what the machine allows.
//!
//! Services are child processes of this program, on fresh ledgers. The load shares the machine with them, so it is kept as
//! cheap as it can be ([`load`]), and every ratio is of two things measured in turns in the same run. The service must be
//! known only as its clients know it: over HTTP. Down the way is `child`. Up the way is `cli`.

mod backlog;
mod batch;
mod beside;
mod blocking;
mod bounds;
mod ends;
mod form;
mod holds;
mod idle;
mod large;
mod load;
mod neighbour;
mod part;
mod payouts;
mod report;
mod rows;
mod singles;
mod standing;
mod stats;
mod store;
mod transfers;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::child::Service;
use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome};
use crate::cli::told_to_stop::told_to_stop;
use crate::config::ConnectionString;

use blocking::blocking;
use large::{Lag, catch_up};
use part::{Part, wants};
use report::Figures;
use singles::Phases;
use wire::Accounts;

/// Measures the service on this machine.
///
/// Single withdrawals over HTTP, each durable before its answer, 5 % of them sent again, at several numbers of
/// connections; beside them, in turns, a handler that parses the same JSON and does nothing. Then batches, and with the
/// ledger that they fill: start, memory, speed, the index's lag, and the replay with every check.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce bench                               about two minutes
  bookonce bench --quick                       a rough one
  bookonce bench --batch-total 10000000        with ten million transactions
  bookonce bench --only http --connections 256 --seconds 10
  bookonce bench --only start,bounds --events 10000000 --accounts 1000000
  bookonce bench --only neighbour --connections 1,32,256
  bookonce bench --only transfers,payouts,holds,backlog --connections 256
  bookonce bench --only standing
  bookonce bench --store 'esdb://127.0.0.1:2113?tls=false'

With --store its events are left in the store, in streams named account-bench-… that no other run uses.
Use a release build on a machine that does nothing else. Temporary ledgers are made in --data, or in the system's
temporary folder: it should be on the disk that the real ledger will be on.
Exit codes: 0 done; 1 done, but some answers were wrong; 3 it could not be done.")]
pub struct Args {
    /// How long each phase lasts, in seconds; there are three rounds of each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// At how many connections single withdrawals are measured.
    #[arg(long, value_delimiter = ',', default_value = "1,32,256")]
    pub(crate) connections: Vec<u16>,
    /// On how many accounts.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) accounts: u32,
    /// How many commands are sent in batches; they fill the ledger that is started and replayed.
    #[arg(long, visible_alias = "events", default_value_t = 1_000_000, value_name = "N")]
    pub(crate) batch_total: u64,
    /// Over how many connections batches are sent.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) batch_connections: u8,
    /// Measure the ledger over this event store beside the bare store: esdb://…, a node that already runs
    #[arg(long, value_name = "URL", conflicts_with_all = ["batch_total", "batch_connections"])]
    pub(crate) store: Option<ConnectionString>,
    /// Measure only these; without it http, batch, start, replay. With --store no bounds, replay, payouts, holds, backlog,
    /// standing
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// Phases of a second, one round, a tenth of the batches.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write the figures as JSON to this file, in place of standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// An existing folder to make the temporary ledgers in.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Be the idle handler.
    #[arg(long, hide = true)]
    pub(crate) idle_handler: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails when a service can't be started, stopped or reached.
pub(crate) fn run(args: Args) -> Outcome {
    if args.idle_handler {
        return idle::run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut folder = tempfile::Builder::new();
    folder.prefix("bookonce-bench-");
    let folder = args.data.as_deref().map_or_else(|| folder.tempdir(), |parent| folder.tempdir_in(parent))?;
    let outcome = runtime.block_on(async {
        let told = told_to_stop()?;
        tokio::select! {
            outcome = measure(&args, folder.path()) => outcome,
            () = told => Err("interrupted".into()),
        }
    });
    // A load that is still being sent must not keep us: its service is gone with the future that held it.
    runtime.shutdown_background();
    folder.close()?;
    let figures = outcome?;
    out::line(figures.table())?;
    match &args.json {
        Some(path) => std::fs::write(path, figures.json()? + "\n")?,
        None => out::line(figures.json()?)?,
    }
    Ok(if figures.wrong() == 0 { Exit::Ok } else { Exit::Found })
}

async fn measure(args: &Args, folder: &Path) -> Result<Figures, Error> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut figures = Figures { cores, ..Figures::default() };
    let (rounds, seconds) = if args.quick { (1, 1) } else { (3, args.seconds) };
    let accounts = Accounts::fresh(args.accounts);
    let phases = Phases { rounds, length: Duration::from_secs(seconds), accounts };
    let connections = args.connections.iter().map(|connections| usize::from(*connections).max(1));
    let connections: Vec<usize> = connections.collect();
    if let Some(store) = &args.store {
        let is_embedded = |part: &Part| {
            matches!(
                part,
                Part::Bounds | Part::Replay | Part::Payouts | Part::Holds | Part::Backlog | Part::Standing
            )
        };
        if args.only.iter().any(is_embedded) {
            return Err("over an event store bounds, payouts, holds, a backlog, a standing ledger and a replay are not \
                        measured here; `bookonce replay --store` replays one"
                .into());
        }
        let run = store::run::Run { store, phases, connections: &connections, folder, only: &args.only };
        let (measured, neighbours) = run.measure(&mut figures.index_lag).await?;
        (figures.store, figures.neighbours) = (Some(measured), neighbours);
        return Ok(figures);
    }
    if wants(&args.only, Part::Http) {
        http(phases, &connections, folder, &mut figures).await?;
    }
    let large = [Part::Batch, Part::Start, Part::Bounds, Part::Replay];
    if large.into_iter().any(|part| wants(&args.only, part)) {
        filled(args, phases, folder, &mut figures).await?;
    }
    if wants(&args.only, Part::Transfers) || wants(&args.only, Part::Holds) {
        in_several_steps(args, phases, &connections, folder, &mut figures).await?;
    }
    if wants(&args.only, Part::Payouts) {
        figures.payouts = payouts::measure_each(phases, &connections, folder).await?;
    }
    if wants(&args.only, Part::Backlog) {
        figures.backlogs = backlog::measure_each(phases, folder).await?;
    }
    if wants(&args.only, Part::Standing) {
        figures.standing = Some(standing::measure(phases, folder).await?);
    }
    if wants(&args.only, Part::Neighbour) {
        let service = prepared(phases.accounts, &folder.join("neighbour")).await?;
        figures.neighbours = neighbour::measure_each(service.address, phases, &connections).await?;
        service.stop().await?;
    }
    Ok(figures)
}

async fn http(
    phases: Phases,
    connections: &[usize],
    folder: &Path,
    figures: &mut Figures,
) -> Result<(), Error> {
    let ledger = prepared(phases.accounts, &folder.join("http")).await?;
    let idle =
        Service::listening(&["bench".as_ref(), "--idle-handler".as_ref()], &folder.join("idle.log")).await?;
    for connections in connections.iter().copied() {
        let folder = folder.to_owned();
        let (idle, ledger) = (idle.address, ledger.address);
        let found = blocking(move || Ok(phases.compare(idle, ledger, connections, &folder)?)).await?;
        figures.http.push(found);
        figures.index_lag.push(lag(ledger, &format!("singles at {connections}")).await?);
    }
    ledger.stop().await?;
    Ok(())
}

/// Measures money that moves in several steps: transfers, and holds with their captures.
async fn in_several_steps(
    args: &Args,
    phases: Phases,
    connections: &[usize],
    folder: &Path,
    figures: &mut Figures,
) -> Result<(), Error> {
    let service = prepared(phases.accounts, &folder.join("steps")).await?;
    let (address, connections) = (service.address, connections.to_owned());
    if wants(&args.only, Part::Transfers) {
        let found = blocking(move || Ok(transfers::measure_each(address, phases, &connections)?)).await?;
        figures.transfers = found;
    }
    if wants(&args.only, Part::Holds) {
        figures.holds = Some(blocking(move || Ok(holds::measure(address, phases)?)).await?);
    }
    figures.index_lag.push(lag(address, "transfers and holds").await?);
    service.stop().await?;
    Ok(())
}

async fn filled(args: &Args, phases: Phases, folder: &Path, figures: &mut Figures) -> Result<(), Error> {
    let data = folder.join("batch");
    let mut service = prepared(phases.accounts, &data).await?;
    let commands = if args.quick { args.batch_total / 10 } else { args.batch_total };
    let (address, accounts) = (service.address, phases.accounts);
    let connections = usize::from(args.batch_connections);
    let batch = blocking(move || Ok(batch::fill(address, accounts, commands, connections)?)).await?;
    figures.batch = Some(batch);
    figures.index_lag.push(lag(address, "batches").await?);
    if wants(&args.only, Part::Start) {
        let empty = prepared(phases.accounts, &folder.join("empty")).await?;
        let (again, start, lag) = large::restart(service, &data, &empty, phases).await?;
        figures.start = Some(start);
        figures.index_lag.push(lag);
        service = again;
    }
    let address = service.address;
    if wants(&args.only, Part::Bounds) {
        let found = blocking(move || Ok(bounds::measure(address, phases, large::head(address)?)?)).await?;
        figures.bounds = Some(bounds::Bounds { peak_mb: large::memory_mb(&service, "VmHWM:")?, ..found });
    }
    let events = blocking(move || large::head(address)).await?;
    service.stop().await?;
    if wants(&args.only, Part::Replay) {
        figures.replay = Some(large::replay(&data, events).await?);
    }
    Ok(())
}

/// Starts a service on a fresh ledger, and opens the load's accounts in it.
async fn prepared(accounts: Accounts, data: &Path) -> Result<Service, Error> {
    let service = Service::serve(data, "127.0.0.1:0", None).await?;
    let address = service.address;
    blocking(move || Ok(batch::prepare(address, accounts)?)).await?;
    Ok(service)
}

async fn lag(address: std::net::SocketAddr, after: &str) -> Result<Lag, Error> {
    let after = after.to_owned();
    blocking(move || catch_up(address, &after)).await
}
