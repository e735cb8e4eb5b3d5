//! `bookonce verify`: is this journal right, and if not, where first?

use std::io::Write;
use std::path::PathBuf;

use super::progress::Progress;
use super::{Exit, Outcome};
use crate::audit::chain::{self, Hash};
use crate::audit::run::Options;
use crate::audit::verify::verify;

/// Check a journal: chain, ids, revisions, entries, every decline and every answer.
///
/// Works on a data folder (beside a running service or without one) or on an exported file, reads only, and has an
/// arithmetic of its own. Names the first bad position and why. Ends with 0 when everything is right, 1 when something is
/// wrong, 3 when it can't be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce verify                                   the data folder ./bookonce-data
  bookonce verify /var/lib/bookonce                 another one
  bookonce verify backup.ndjson                     an exported file
  bookonce verify --expect 1200:9f86d081884c7d65…   was anything up to position 1200 changed since I noted this hash?")]
pub struct Args {
    /// A data folder or an exported file.
    #[arg(value_name = "FILE|DIR", default_value = "./bookonce-data")]
    path: PathBuf,
    /// A hash that was kept elsewhere, and the position it belongs to.
    #[arg(long, value_name = "POSITION:HASH", value_parser = expectation)]
    expect: Option<(u64, Hash)>,
}

fn expectation(text: &str) -> Result<(u64, Hash), String> {
    let (position, hash) = text.split_once(':').ok_or("needs a position, a colon and a hash")?;
    let position =
        position.parse().ok().filter(|position| *position > 0).ok_or("needs a position from 1 on")?;
    let hash =
        chain::read(hash.to_ascii_lowercase().as_bytes()).ok_or("needs a hash of 64 hexadecimal digits")?;
    Ok((position, hash))
}

/// Runs the command.
///
/// # Errors
/// When the journal can't be read.
pub fn run(args: Args) -> Outcome {
    let progress = Progress::new("verifying");
    let show = |position| progress.at(position);
    let verdict =
        verify(&args.path, Options { expect: args.expect, progress: Some(&show), ..Options::default() })?;
    progress.done();
    write!(std::io::stdout().lock(), "{verdict}")?;
    Ok(if verdict.is_right() { Exit::Ok } else { Exit::Found })
}
