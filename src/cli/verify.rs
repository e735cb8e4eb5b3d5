//! `bookonce verify` says whether a journal is right, and if it is not, where it is wrong.

use std::io::Write;
use std::path::PathBuf;

use super::from_store::{Connected, StoreFlag};
use super::out::Unfailing;
use super::outcome::{Exit, Outcome};
use super::piped::Piped;
use super::progress::Progress;
use crate::audit::run::options::Options;
use crate::audit::run::verify::{Extent, verify, verify_store};
use crate::audit::values::chain::{self, Hash};
use crate::config;

/// Check a journal: chain, ids, revisions, entries, every decline and every answer.
///
/// Works on a data folder (beside a running service or without one), on an exported file or on an EventStoreDB, reads only,
/// and has an arithmetic of its own. Lists what is bad, with position and reason: at most 100 findings, and how many more
/// there are. An account with which something is wrong is set aside, and all others are looked at to the end. One
/// transaction ID on two accounts, which a race between two instances on EventStoreDB may leave, is listed (TWICE) and
/// changes nothing about that.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce verify                                   the data folder ./bookonce-data
  bookonce verify /var/lib/bookonce                 another one
  bookonce verify backup.ndjson                     an exported file
  bookonce verify full.ndjson monday.ndjson         an export, and those made after it with --from
  zcat backup.ndjson.gz | bookonce verify -         what comes through a pipe
  bookonce verify --store esdb://localhost:2113     an EventStoreDB, its streams' settings too
  bookonce verify --expect 1200:9f86d081884c7d65…   was anything up to position 1200 changed since I noted this hash?

Exit codes: 0 RIGHT; 1 BAD, something is wrong; 2 wrong usage; 3 it can't be read, or is not an export; 4 UNFINISHED, an
export without its manifest; 5 PART, a part of a journal that begins later: give the export before it, too; 6 NEWER, nothing is
known to be wrong, and a newer version of bookonce wrote events that this one can't read: upgrade it.")]
pub struct Args {
    /// A data folder, or an exported file and the parts that were made after it; `-` for standard input.
    /// Without any the folder in BOOKONCE_DATA, or ./bookonce-data.
    #[arg(value_name = "FILE|DIR", conflicts_with = "store")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    from: StoreFlag,
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
/// Fails when the journal can't be read.
pub(crate) fn run(args: Args) -> Outcome {
    let progress = Progress::new("verifying");
    let show = |position| progress.at(position);
    let options = Options { expect: args.expect, progress: Some(&show), ..Options::default() };
    let verified = match &args.from.store {
        None => {
            let kept = match args.paths.split_first() {
                Some((first, parts)) => Piped::keep(first, parts)?,
                None => Piped::keep(&config::data_folder(None), &[])?,
            };
            verify(&kept.first, &kept.parts, options).map_err(|error| kept.said(error))?
        }
        Some(connection) => {
            let store = Connected::to(connection)?;
            verify_store(Box::new(store.journal()), options, &mut |accounts| store.cut(accounts))?
        }
    };
    progress.done();
    write!(Unfailing(std::io::stdout().lock()), "{verified}")?;
    Ok(match verified.extent {
        _ if verified.needs_newer() => Exit::Newer,
        _ if !verified.is_right() => Exit::Found,
        Extent::Whole => Exit::Ok,
        Extent::Unfinished => Exit::Unfinished,
        Extent::Part => Exit::Part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::history::{everything, export, streams_export};

    fn says(bytes: &[u8], expect: Option<(u64, Hash)>) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        verify(file.path(), &[], Options { expect, ..Options::default() }).unwrap().to_string()
    }

    #[test]
    fn it_says_what_was_found_and_what_can_not_be() {
        let bytes = export(&everything()[..12]);
        insta::assert_snapshot!("right", says(&bytes, None));
        let kept = crate::audit::tests::audited(&export(&everything()[..5])).hash.unwrap();
        insta::assert_snapshot!("expected", says(&bytes, Some((5, kept))));
        let changed = String::from_utf8(bytes).unwrap().replacen("40.00", "41.00", 1);
        insta::assert_snapshot!("bad", says(changed.as_bytes(), None));
        let part = changed.lines().skip(5).take(3).fold(String::new(), |all, line| all + line + "\n");
        insta::assert_snapshot!("part", says(part.as_bytes(), None));
    }

    #[test]
    fn it_says_what_a_chain_along_each_stream_shows_and_what_not() {
        let mut events = everything();
        // carol's account is opened under an ID that alice has used.
        let last = events.len() - 1;
        events[last].id = events[1].id.clone();
        let bytes = streams_export(&events);
        insta::assert_snapshot!("streams", says(&bytes, None));
        let kept = crate::audit::tests::audited(&bytes);
        insta::assert_snapshot!(
            "streams_expected",
            says(&bytes, kept.hash.map(|hash| (kept.position, hash)))
        );
    }

    #[test]
    fn an_expectation_is_a_position_and_a_hash() {
        let hash = "9f".repeat(32);
        assert_eq!(expectation(&format!("17:{hash}")), Ok((17, [0x9f; 32])));
        assert_eq!(expectation(&format!("17:{}", hash.to_uppercase())), Ok((17, [0x9f; 32])));
        for text in ["", "17", "17:", "0:9f", "x:9f", &format!("0:{hash}"), &format!("17:{hash}0")] {
            assert!(expectation(text).is_err(), "{text}");
        }
    }
}
