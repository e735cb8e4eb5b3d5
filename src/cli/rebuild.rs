//! `bookonce rebuild` throws the index away and builds it anew from the journal.

use std::path::PathBuf;

use crate::config;
use crate::ledger::{Ledger, ReadLimits};
use crate::store::embedded::folder::{Folder, JOURNAL};

use super::outcome::{Exit, Outcome};
use super::{open, out};

/// Throw the index away and build it anew from the journal
///
/// The journal is not touched. Needed when the service says that the index can't be used: after a backup was put
/// back, a file was damaged, or folders were mixed up. The service must not be running on the folder. In a folder that holds
/// only the index of an event store the index is deleted; the next `serve --store` builds it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bookonce rebuild\n  bookonce rebuild --data /srv/ledger")]
pub struct Args {
    /// The data folder
    #[arg(long, env = "BOOKONCE_DATA", default_value = config::DATA, value_name = "DIR")]
    data: PathBuf,
    /// Over an event store: go on although the store lacks events, whose IDs may then be booked again
    #[arg(long)]
    accept_missing: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails when the folder can't be used, or the journal is damaged.
pub(crate) fn run(args: &Args) -> Outcome {
    if Folder::format(&args.data)?.is_none() {
        return Err(format!("{} is not a bookonce data folder", args.data.display()).into());
    }
    let embedded = args.data.join(JOURNAL).exists();
    if embedded && args.accept_missing {
        return Err(
            "--accept-missing is for the index of an event store; this folder has a journal of its own"
                .into(),
        );
    }
    Ledger::forget_index(&args.data, args.accept_missing)?;
    if !embedded {
        let data = args.data.display();
        out::line(format!(
            "{data} has no journal of its own. Its index is deleted; `bookonce serve --store` builds it anew."
        ))?;
        return Ok(Exit::Ok);
    }
    let ledger = open::ledger(&args.data, ReadLimits::default(), true, open::Ordered::default())?;
    let head = ledger.head();
    ledger.stop()?;
    out::line(format!("The index knows all {} events of journal {}.", head.position, head.journal_id))?;
    Ok(Exit::Ok)
}
