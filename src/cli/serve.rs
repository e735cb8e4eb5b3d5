//! `bookonce serve` runs the service, from the first lock on the folder to the last write of the journal.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::config::{Given, Settings};
use crate::domain::ids::CounterAccount;
use crate::domain::time::system_clock;
use crate::http::{self, App, Limits};
use crate::keys::Ring;
use crate::ledger::{DriveOrder, Ledger, ReadLimits};
use crate::payouts::{Providers, providers};
use crate::sagas;
use crate::store::eventstoredb::prepare_tls;
use crate::telemetry::{self, LogFormat};
use crate::with_causes::with_causes;

use super::greeting::Greeting;
use super::outcome::{Error, Exit, Outcome, complain};
use super::sending::Sending;
use super::told_to_stop::told_to_stop;
use super::{open, out, sending};

/// Run the ledger
///
/// Takes commands and questions over HTTP and keeps the ledger in a data folder. Nothing else is needed: no database,
/// no set-up. SIGTERM or Ctrl-C finishes what is in hand and stops; a kill at any moment loses nothing that was
/// answered.
///
/// Settings come from flags, then from the environment, then from the file, then from the defaults.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bookonce serve
  bookonce serve --data /srv/ledger --listen 127.0.0.1:8080
  bookonce serve --listen 0.0.0.0:7443 --tls-cert chain.pem --tls-key key.pem
  bookonce serve --keys /srv/keys
  bookonce serve --config bookonce.toml --log json")]
pub struct Args {
    #[command(flatten)]
    given: Given,
    /// A TOML file with settings, named as the flags are, with underscores
    #[arg(long, env = "BOOKONCE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The machine's clock is right, though it is more than an hour behind the last event: take commands
    #[arg(long)]
    accept_clock: bool,
    /// Drive no transfers and book no expiries from now on, also after a restart: for a copy of a ledger whose original may
    /// have gone on
    #[arg(long, conflicts_with = "resume_transfers")]
    pause_transfers: bool,
    /// Drive transfers again, in a folder that was restored or paused
    #[arg(long)]
    resume_transfers: bool,
    /// Send nothing to any destination this time: for a copy that can't be told from its original, as a cloned machine
    #[arg(long)]
    pause_messages: bool,
}

impl Args {
    fn ordered(&self) -> open::Ordered {
        let drive = match (self.pause_transfers, self.resume_transfers) {
            (true, _) => DriveOrder::Pause,
            (false, true) => DriveOrder::Resume,
            (false, false) => DriveOrder::AsBefore,
        };
        open::Ordered { accept_clock: self.accept_clock, drive }
    }
}

/// Runs the command until it is told to stop.
///
/// # Errors
/// Fails when the service can't start, or can't stop cleanly.
pub(crate) fn run(args: Args) -> Outcome {
    let (ordered, is_paused) = (args.ordered(), args.pause_messages);
    let read = Settings::gather(args.given, args.config.as_deref());
    let sending = |read: &Settings| {
        let (given, generation) = (read.destinations()?, read.generation()?);
        Ok(Sending { given, generation, is_paused })
    };
    let (settings, sending) = match read.and_then(|read| Ok((sending(&read)?, read))) {
        Ok((sending, read)) => (read, sending),
        Err(error) => {
            complain(&error);
            return Ok(Exit::Usage);
        }
    };
    telemetry::start(settings.log, &settings.log_filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = settings.log;
    match runtime.block_on(serve(settings, ordered, sending)) {
        Err(error) if sending::is_of_settings(&error) => {
            complain(error.as_ref());
            Ok(Exit::Usage)
        }
        // Where each line is to be JSON, so is the last one.
        Err(error) if log == LogFormat::Json => {
            tracing::error!(error = with_causes(error.as_ref()), "the service can't go on");
            Ok(Exit::Failed)
        }
        outcome => outcome,
    }
}

async fn serve(settings: Settings, ordered: open::Ordered, sending: Sending) -> Outcome {
    if settings.store.is_some() {
        // This comes before anything else touches TLS.
        prepare_tls().await;
    }
    let counter_accounts = settings.counter_accounts.as_deref().map(own_accounts).transpose()?;
    let providers = providers(&settings.providers)?;
    let tls = settings.tls.as_ref().map(|(chain, key)| http::tls::config(chain, key)).transpose()?;
    let keys = Ring::open(&settings.keys, system_clock())?;
    admissible(&settings, &keys)?;
    let data = settings.data.clone();
    let long_within = Duration::from_secs(settings.long_read_seconds);
    let reads = ReadLimits { long_within, ..ReadLimits::default() };
    let ledger = match &settings.store {
        Some(store) => open::over_store(&data, store, reads, ordered).await?,
        None => tokio::task::spawn_blocking(move || open::ledger(&data, reads, true, ordered)).await??,
    };
    let outward = Outward { counter_accounts, providers, sending };
    let served = listen(&settings, tls, keys, outward, &ledger).await;
    // This is done also when nothing was served: the folder is left as a service leaves it.
    tokio::task::spawn_blocking(move || ledger.stop()).await??;
    served?;
    tracing::info!("stopped");
    Ok(Exit::Ok)
}

/// Reads the names of the ledger's own accounts that clients may name.
fn own_accounts(names: &[String]) -> Result<BTreeSet<CounterAccount>, Error> {
    let read = |name: &String| {
        let problem = || format!("--counter-accounts: {name:?} must begin with @, and may not be @transit");
        CounterAccount::parse_requested(name).ok_or_else(problem)
    };
    Ok(names.iter().map(read).collect::<Result<_, _>>()?)
}

/// Checks whether the service may listen at its address. This is done before anything is touched.
fn admissible(settings: &Settings, keys: &Ring) -> Result<(), Error> {
    let listen = settings.listen;
    if listen.ip().is_loopback() {
        return Ok(());
    }
    if keys.is_unused() {
        return Err(format!(
            "{listen} is no loopback address, and no key has been made: everybody would be an operator. Make one with \
             `bookonce keys create --role operator --keys {}`",
            settings.keys.display()
        )
        .into());
    }
    if settings.tls.is_none() && !settings.insecure {
        return Err(format!(
            "{listen} is no loopback address, and without TLS keys would travel in the clear. Give --tls-cert and \
             --tls-key, or say --insecure if something in front does it"
        )
        .into());
    }
    Ok(())
}

/// `Outward` is what the settings say of the world outside the ledger.
struct Outward {
    counter_accounts: Option<BTreeSet<CounterAccount>>,
    providers: Providers,
    sending: Sending,
}

/// Serves until it is told to stop and what was under way has ended.
async fn listen(
    settings: &Settings,
    tls: Option<Arc<rustls::ServerConfig>>,
    keys: Ring,
    outward: Outward,
    ledger: &Ledger,
) -> Result<(), Error> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", settings.listen))?;
    let told = told_to_stop()?;
    let (watched, mut failed) = (ledger.clone(), None);
    let address = listener.local_addr()?;
    let greeting = Greeting::new(settings, &keys, address, ledger.pause_reason());
    let config = http::Config {
        write_wait: Duration::from_secs(settings.write_wait_seconds),
        ..http::Config::default()
    };
    let deliveries = sending::begin(outward.sending, ledger).await?;
    let contradicted = sending::contradicted(deliveries.clone(), ledger.clone());
    let stop = async {
        tokio::select! {
            () = told => {}
            why = watched.folder_replaced() => {
                failed = Some(format!("{why}; nothing is served from another folder").into());
            }
            error = contradicted => failed = Some(error),
        }
    };
    let app = App::new(ledger.clone(), keys, config)
        .naming_only(outward.counter_accounts)
        .paying_through(outward.providers)
        .sending_through(deliveries.clone());
    sagas::start(app.sagas());
    let limits = Limits { connections: settings.max_connections, ..Limits::default() };
    out::line(greeting.show(settings.log))?;
    tracing::info!(%address, position = ledger.head().position, "listening");
    http::serve(listener, tls, http::router(app), limits, stop).await;
    tracing::info!("no more requests; finishing what is in hand");
    deliveries.stop().await;
    failed.map_or(Ok(()), Err)
}
