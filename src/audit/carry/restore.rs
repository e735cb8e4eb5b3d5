//! To restore is to make a new data folder from an export, which is verified first.
//!
//! A new folder is written under another name beside its place, made durable, and then renamed. Into one that is there and
//! empty (a volume, a link, `.`), which can't be renamed away, the files are moved one by one, `FORMAT` last: without it a
//! folder is none. Whatever happens before that leaves nothing that looks like a finished folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::audit::error::Error;
use crate::audit::parse::read_block::{Block, last_hash};
use crate::audit::run::audited::Audited;
use crate::audit::run::auditor::audit;
use crate::audit::run::options::Options;
use crate::audit::source::folder::{FORMAT, JOURNAL};
use crate::audit::source::parts::open_files;
use crate::audit::values::chain::Chain;
use crate::audit::values::finding::{Finding, Flaw, Place};
use crate::pause_mark::PauseMark;

/// A row has at most this many bytes, or a single line.
const ROW_BYTES: usize = 64 * 1024;

/// A restore error says why there is no new folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    /// The export can't be read, or the folder can't be written.
    #[error(transparent)]
    Audit(#[from] Error),
    /// There is a folder already, and something in it.
    #[error("{} is there already and is not empty: a journal is only ever restored into a new folder", .0.display())]
    Exists(PathBuf),
    /// The export's hashes could not stay the same.
    #[error(
        "the export is of a journal on EventStoreDB, chained along its streams: a data folder is chained along the journal, \
         so that every hash would become another, and none that was noted would be found again. What can be done: \
         `bookonce verify FILE` and `bookonce replay FILE` take it as it is. To have that ledger again, restore a backup \
         of the cluster's own (docs/cluster.md, Backup and restore), and let `bookonce serve --store` build its index from it"
    )]
    Streams,
    /// A newer version of this program wrote the export, so that it can't be verified.
    #[error("the export can't be restored by this program: {0}")]
    Newer(Finding),
    /// The export is wrong.
    #[error("the export can't be restored: {0}")]
    Bad(Finding),
}

/// An `Exported` is an export, and the parts that were made after it, in their order.
pub(crate) type Exported<'a> = (&'a Path, &'a [PathBuf]);

/// Verifies an export with its parts, and makes one data folder of them: same journal id, same lines byte for byte.
///
/// # Errors
/// Fails when the folder has something in it, the export is not whole and right, its parts do not follow each other, or
/// one of them can't be read or written.
pub(crate) fn restore(
    export: Exported<'_>,
    folder: &Path,
    progress: &dyn Fn(u64),
) -> Result<Audited, RestoreError> {
    refuse_existing(folder)?;
    let source = open_files(export.0, export.1)?;
    if source.info().chain == Chain::Streams {
        return Err(RestoreError::Streams);
    }
    let audited = audit(source, Options { progress: Some(progress), ..Options::default() })?;
    let bad = |place, flaw| Err(RestoreError::Bad(Finding { place, flaw }));
    if let Some(finding) = audited.finding {
        if audited.findings.are_only_newer() {
            return Err(RestoreError::Newer(finding));
        }
        return Err(RestoreError::Bad(finding));
    }
    if audited.from != 1 {
        return bad(Place::Position(1), Flaw::NotWhole(audited.from));
    }
    if !audited.whole {
        return bad(Place::Manifest, Flaw::NoManifest);
    }
    write_folder(export, folder, &audited, progress)?;
    Ok(audited)
}

/// Refuses a folder that has something in it. A file system's own `lost+found` is nothing.
fn refuse_existing(folder: &Path) -> Result<(), RestoreError> {
    let failed = |source| Error::Open { path: folder.into(), source };
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                if entry.map_err(failed)?.file_name() != "lost+found" {
                    return Err(RestoreError::Exists(folder.into()));
                }
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(failed(source).into()),
    }
}

fn write_folder(
    export: Exported<'_>,
    folder: &Path,
    audited: &Audited,
    progress: &dyn Fn(u64),
) -> Result<(), RestoreError> {
    let failed = |source| Error::Write { path: folder.into(), source };
    let sync = |path: &Path| fs::File::open(path).and_then(|file| file.sync_all()).map_err(failed);
    let is_there = folder.is_dir();
    let parent = match folder.parent() {
        _ if is_there => folder,
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(failed)?;
    let unfinished = tempfile::Builder::new().prefix(".restoring-").tempdir_in(parent).map_err(failed)?;
    let journal = unfinished.path().join(JOURNAL);
    write_journal(export, &journal, audited, progress)?;
    let format = unfinished.path().join("FORMAT");
    fs::write(&format, FORMAT).map_err(failed)?;
    PauseMark::restored().write(unfinished.path()).map_err(failed)?;
    let mark = unfinished.path().join(PauseMark::file());
    for path in [&*journal, &*format, unfinished.path()] {
        sync(path)?;
    }
    if is_there {
        // What came into it meanwhile is not written over.
        for (from, name) in [(&mark, PauseMark::file()), (&journal, JOURNAL), (&format, "FORMAT")] {
            place(from, &folder.join(name)).map_err(failed)?;
            sync(folder)?;
        }
        unfinished.close().map_err(failed)?;
    } else {
        // An empty folder in this place is replaced; one that was filled meanwhile makes this fail.
        fs::rename(unfinished.path(), folder).map_err(failed)?;
        let _renamed = unfinished.keep();
    }
    sync(parent)?;
    Ok(())
}

/// Gives a finished file its name. Where there are no links, as on some volumes, the file is renamed.
fn place(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !to.exists() => fs::rename(from, to),
        linked => linked,
    }
}

fn write_journal(
    export: Exported<'_>,
    journal: &Path,
    audited: &Audited,
    progress: &dyn Fn(u64),
) -> Result<(), RestoreError> {
    let failed = |source| Error::Database { path: journal.into(), source };
    let mut database = create(journal, audited).map_err(failed)?;
    let mut source = open_files(export.0, export.1)?;
    let mut next = 1;
    let mut hash = None;
    let mut block = Block::default();
    let mut more = true;
    while more {
        block.clear();
        more = source.fill(&mut block)?;
        next = insert(&mut database, &block.bytes, next).map_err(failed)?;
        hash = last_hash(&block.bytes).or(hash);
        progress(before(next));
    }
    // The export was read twice: what was written must be what was verified.
    let written = before(next);
    if (written, hash.or(audited.hash)) != (audited.position, audited.hash) {
        return Err(RestoreError::Bad(Finding {
            place: Place::Position(written.saturating_add(1)),
            flaw: Flaw::Cut,
        }));
    }
    database.pragma_update(None, "wal_checkpoint", "TRUNCATE").map_err(failed)?;
    database.close().map_err(|(_, source)| failed(source))?;
    Ok(())
}

/// Creates a journal without rows.
fn create(journal: &Path, audited: &Audited) -> rusqlite::Result<Connection> {
    let database = Connection::open(journal)?;
    database.pragma_update(None, "page_size", 4_096)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch(
        "CREATE TABLE journal(key TEXT PRIMARY KEY, value TEXT);
         CREATE TABLE commits(
             first INTEGER PRIMARY KEY, count INTEGER NOT NULL, recorded_at TEXT NOT NULL, events BLOB NOT NULL);",
    )?;
    let id = audited.journal_id.unwrap_or_default().hyphenated().to_string();
    database.execute("INSERT INTO journal(key, value) VALUES ('journal_id', ?1)", [id])?;
    Ok(database)
}

/// Adds lines as rows. Gives the position after them.
fn insert(database: &mut Connection, lines: &[u8], mut next: i64) -> rusqlite::Result<i64> {
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO commits(first, count, recorded_at, events) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let mut rest = lines;
        while !rest.is_empty() {
            let (row, count, recorded_at) = row(rest);
            rest = rest.get(row.len()..).unwrap_or_default();
            statement.execute((next, count, recorded_at, row))?;
            next = next.saturating_add(count);
        }
    }
    transaction.commit()?;
    Ok(next)
}

/// Gives the position before this one.
fn before(position: i64) -> u64 {
    u64::try_from(position.saturating_sub(1)).unwrap_or_default()
}

/// Cuts off the lines of the next row. Gives them, their number, and the time of the first one.
fn row(lines: &[u8]) -> (&[u8], i64, &str) {
    let (mut end, mut count) = (0_usize, 0_i64);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let longer = end.saturating_add(line.len());
        if count > 0 && longer > ROW_BYTES {
            break;
        }
        (end, count) = (longer, count.saturating_add(1));
    }
    (lines.get(..end).unwrap_or_default(), count, recorded_at(lines).unwrap_or_default())
}

/// Reads the time of the first line.
fn recorded_at(lines: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"\"recorded_at\":\"";
    // No name before it can have a quote, so the first one is the key.
    let key = memchr::memmem::find(lines, KEY)?;
    let time: &[u8; 27] = lines.get(key..)?.strip_prefix(KEY)?.first_chunk()?;
    std::str::from_utf8(time).ok()
}
