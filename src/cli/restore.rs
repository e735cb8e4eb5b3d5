//! `bookonce restore` makes a data folder from an export.

use std::io::Write;
use std::path::PathBuf;

use super::out;
use super::outcome::{Exit, Outcome};
use super::piped::Piped;
use super::progress::Progress;
use crate::audit::carry::restore::{RestoreError, restore};
use crate::audit::values::chain;

/// Make a new data folder from an export, which is verified first.
///
/// The folder has the same journal id and the same events byte for byte, so that every transaction ID ever seen gets its
/// first answer again. API keys are not in an export: make new ones. Ends with 1 when the export is not whole and right.
/// Parts are given behind the export that they follow, in their order.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce restore backup.ndjson --data ./restored
  bookonce restore full.ndjson monday.ndjson --data ./restored    an export, and those made after it with --from
  zstdcat backup.ndjson.zst | bookonce restore - --data ./restored
  bookonce serve --data ./restored")]
pub struct Args {
    /// The export, and the parts that were made after it; `-` for standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The new data folder. It must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Fails when the export can't be read, or the folder can't be written.
pub(crate) fn run(args: Args) -> Outcome {
    let (first, parts) = args.files.split_first().ok_or("there is nothing to restore")?;
    let kept = Piped::keep(first, parts)?;
    let progress = Progress::new("restoring");
    let restored = restore((&kept.first, &kept.parts), &args.data, &|position| progress.at(position));
    progress.done();
    match restored {
        Ok(audited) => {
            let hash = audited.hash.as_ref().map(chain::show).unwrap_or_default();
            let (data, position) = (args.data.display(), audited.position);
            out::line(format!("restored into {data}: head {position}:{hash}"))?;
            out::line(format!(
                "It has no API keys, because an export has none. Until one is made, everybody on the machine that serves it is \
                 an operator: `bookonce keys create --role operator --data {data}`."
            ))?;
            out::line(
                "Its transfers are paused, because the original may have gone on since. When the original is stopped for good, \
                 `bookonce serve --resume-transfers` goes on with them.",
            )?;
            Ok(Exit::Ok)
        }
        Err(error @ (RestoreError::Bad(_) | RestoreError::Newer(_))) => {
            writeln!(std::io::stderr().lock(), "bookonce: {error}")?;
            Ok(if matches!(error, RestoreError::Newer(_)) { Exit::Newer } else { Exit::Found })
        }
        Err(error) => Err(kept.said(error)),
    }
}
