//! `bookonce export` writes the journal as lines, to be kept, verified or restored.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::from_store::{Connected, StoreFlag};
use super::outcome::{Error, Exit, Outcome, complain};
use super::progress::Progress;
use crate::audit;
use crate::audit::carry::export::{ExportError, from_folder};
use crate::audit::carry::export_streams::from_streams;
use crate::audit::carry::remote_export::{RemoteError, from_url};
use crate::config;

/// Write the journal to standard output: one event a line as it is stored, and a manifest as the last line.
///
/// Runs beside the service or without it. The same journal gives the same bytes. Everything else goes to standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce export > backup.ndjson                               the data folder ./bookonce-data
  bookonce export --data /var/lib/bookonce --from 1001          only what is new since position 1000
  bookonce export --store esdb://localhost:2113 > backup.ndjson  an EventStoreDB
  bookonce export --url https://ledger.example --key \"$KEY\" > backup.ndjson
  bookonce export > backup.ndjson && bookonce verify backup.ndjson")]
pub struct Args {
    /// The data folder. Without it the one in BOOKONCE_DATA, or ./bookonce-data.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "store"])]
    data: Option<PathBuf>,
    /// A running service, in place of a data folder.
    #[arg(long, conflicts_with = "store")]
    url: Option<String>,
    #[command(flatten)]
    from_store: StoreFlag,
    /// The service's API key (of an auditor or an operator).
    #[arg(long, env = "BOOKONCE_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The first position.
    #[arg(long, value_name = "POSITION")]
    from: Option<u64>,
    /// The last position [default: the head when this begins].
    #[arg(long, value_name = "POSITION")]
    to: Option<u64>,
}

/// Runs the command.
///
/// # Errors
/// Fails when the journal can't be read, or the export can't be written to its end.
pub(crate) fn run(args: Args) -> Outcome {
    let out = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
    let progress = Progress::new("exporting");
    let result = export(&args, out, &|position| progress.at(position));
    progress.done();
    match result {
        Ok(note) => {
            writeln!(std::io::stderr().lock(), "{note}")?;
            Ok(Exit::Ok)
        }
        Err(error) if needs_newer(&error) => {
            complain(&error);
            Ok(Exit::Newer)
        }
        Err(error) => Err(error.into()),
    }
}

/// Says whether the export lacks nothing but events that only a newer version of this program can read.
fn needs_newer(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Export(ExportError::Bad(findings)) if findings.are_only_newer())
}

fn export(args: &Args, out: impl Write, progress: &dyn Fn(u64)) -> Result<String, RemoteError> {
    let range = (args.from, args.to);
    let manifest = match (&args.url, &args.from_store.store) {
        (_, Some(connection)) => {
            let store =
                Connected::to(connection).map_err(audit::error::Error::Store).map_err(ExportError::from)?;
            from_streams(&mut store.journal(), range, out, progress)?
        }
        (None, None) => from_folder(&config::data_folder(args.data.as_deref()), range, out, progress)?,
        (Some(url), None) => runtime()
            .map_err(|source| RemoteError::Connection { url: url.clone(), source })?
            .block_on(from_url(url, args.key.as_deref(), range, out, progress))?,
    };
    let (from, to, count) = (manifest.from, manifest.to, manifest.count);
    Ok(format!("exported {count} events (positions {from} to {to}) of journal {}", manifest.journal_id))
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
