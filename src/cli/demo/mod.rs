//! `bookonce demo` tries the guarantee on the real service, and shows the proof.
//!
//! Two ledgers go through the same storm side by side. The clients of the one repeat a request under its ID; the clients of
//! the other make a fresh ID for each attempt, as clients do where IDs are not known. The demonstration speaks to the
//! services over HTTP only, through `client`; it starts, kills and stops them as `child` processes. It must not look into a
//! ledger in any other way. Down the way are `child` and `client`. Up the way is `cli`.

pub(crate) mod cents;
mod guarantees;
mod proof;
mod report;
mod storm;
mod teller;
mod till;

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::child::{self, Service};
use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome};
use crate::cli::told_to_stop::told_to_stop;
use crate::config::ConnectionString;

use proof::Proof;
use storm::{Storm, StormResult};
use teller::Habit;

/// Shows the guarantee: a storm of faults and kills, and then the books.
///
/// Starts the real service on a temporary folder and sends deposits, withdrawals, reversals, corrections, holds, transfers
/// and payouts from many clients, over a network that loses requests, loses answers, sends twice and delays, while the
/// service is killed with SIGKILL and started again. The payouts go to two providers, which lose requests and replies, come
/// late and decline, and count what they pay. Then holds what the clients were told against the ledger, to the cent, and
/// runs `bookonce verify`. Beside it the same storm hits clients that make a fresh ID for each attempt: what they book twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce demo                  about a minute
  bookonce demo --seconds 10     a short one
  bookonce demo --keep           go on serving afterwards, to look around
  bookonce demo --guarantees     messages to three destinations, one for each guarantee
  bookonce demo --store esdb://localhost:2113?tls=false   two services over one event store, which must be empty

The same seed draws the same wishes, IDs and faults; when the machine does what it does stays its own affair.
Exit codes: 0 the proof holds; 1 it does not; 3 the demonstration could not be carried out.")]
pub struct Args {
    /// How long the storm rages, in seconds.
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub(crate) seconds: u64,
    /// What wishes, IDs and faults are drawn from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// An event store, esdb://…, with nothing in it: the first ledger is kept there, by two services that are killed in
    /// turn.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<ConnectionString>,
    /// Keep the two ledgers in this new or empty folder; else they are on a temporary one, removed in the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Send messages to three destinations, one for each guarantee, and count what is lost and what is doubled.
    #[arg(long, conflicts_with_all = ["store", "keep"])]
    pub(crate) guarantees: bool,
    /// Go on serving the ledger afterwards, until Ctrl-C.
    #[arg(long)]
    pub(crate) keep: bool,
}

/// Runs the command. Ctrl-C ends it at once: the services are killed and the temporary folder is removed.
///
/// # Errors
/// Fails when the services can't be started, killed or read.
pub(crate) fn run(args: Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let temporary = tempfile::Builder::new().prefix("bookonce-demo-").tempdir()?;
    let folder = args.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let outcome = runtime.block_on(async {
        let told = told_to_stop()?;
        tokio::select! {
            outcome = demonstrate(&args, &folder) => outcome,
            () = told => Err("interrupted".into()),
        }
    });
    // The children die with the futures that hold them; the folder goes after them.
    drop(runtime);
    temporary.close()?;
    outcome
}

async fn demonstrate(args: &Args, folder: &Path) -> Outcome {
    let storm = |habit, names: &[&str], store: Option<&ConnectionString>| Storm {
        habit,
        folders: names.iter().map(|name| folder.join(name)).collect(),
        store: store.cloned(),
        length: Duration::from_secs(args.seconds),
        seed: args.seed,
    };
    untouched(folder)?;
    if args.guarantees {
        return guarantees::demonstrate(folder, args.seconds, args.seed).await;
    }
    let instances = if args.store.is_some() { &["ledger", "ledger-2"][..] } else { &["ledger"] };
    let once = storm(Habit::SameId, instances, args.store.as_ref());
    let naive = storm(Habit::FreshId, &["naive"], None);
    let (data, naive_data) = (folder.join("ledger"), folder.join("naive"));
    out::line(report::opening(args.seconds))?;
    let bar = clock(args.seconds);
    let (once, naive) = tokio::try_join!(once.run(), naive.run())?;
    bar.finish_and_clear();
    let held = examine("With one ID for all attempts", once, &data, args.store.as_ref()).await?;
    examine("With a fresh ID for each attempt", naive, &naive_data, None).await?;
    out::line(report::verdict(held))?;
    if args.keep {
        keep(&data, args.store.as_ref()).await?;
    }
    Ok(if held { Exit::Ok } else { Exit::Found })
}

/// Refuses a folder with something in it: it may be a ledger's, which is no place for a demonstration.
fn untouched(folder: &Path) -> Result<(), Error> {
    let is_taken = |entry: &std::io::Result<std::fs::DirEntry>| {
        // A file system's own folder on a new volume is nothing.
        entry.as_ref().map_or(true, |entry| entry.file_name() != "lost+found")
    };
    match std::fs::read_dir(folder)?.find(is_taken) {
        Some(taken) => {
            let taken = taken?.path();
            Err(format!("{} is already there; name a new or an empty folder", taken.display()).into())
        }
        None => Ok(()),
    }
}

/// Gathers the proof, stops the services, verifies the ledger, and prints all of it.
async fn examine(
    title: &str,
    storm: StormResult,
    data: &Path,
    store: Option<&ConnectionString>,
) -> Result<bool, Error> {
    let proof = Proof::gather(&storm).await?;
    let counted = report::Counted::of(&storm);
    let agreed = counted.disagreed == 0;
    for service in storm.services {
        service.stop().await?;
    }
    let (verified, said) = child::verify(data, store).await?;
    out::line(report::ledger(title, &counted, &proof, verified, &said))?;
    Ok(proof.holds() && verified && agreed)
}

async fn keep(data: &Path, store: Option<&ConnectionString>) -> Result<(), Error> {
    let mut service = Service::serve(data, "127.0.0.1:0", store).await?;
    out::line(format_args!("\nServing the first ledger on http://{} until Ctrl-C.", service.address))?;
    service.ended().await?;
    Err("the service has ended".into())
}

fn clock(seconds: u64) -> ProgressBar {
    let bar = ProgressBar::new(seconds);
    if let Ok(style) = ProgressStyle::with_template("{spinner} the storm rages: {elapsed} of {len} s") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
