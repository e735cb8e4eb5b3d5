//! A data folder is a source: the journal in it is read beside a running service, or without one.
//!
//! The database is read without a trace while no service holds the folder ([`StillDatabase`]), and never checkpointed: the
//! service's own connection does that. Each block is read in a transaction of its own, so that a long audit does not keep the
//! service's WAL from being emptied; that is safe because rows are only ever added, and the last one to be read is fixed at
//! the start.

use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row as Record};
use uuid::Uuid;

use crate::audit::error::Error;
use crate::audit::parse::read_block::{Block, Row, RowClaim};
use crate::audit::source::interface::{BLOCK_BYTES, Source, SourceInfo};
use crate::audit::values::chain::{self, Chain};
use crate::audit::values::finding::Flaw;
use crate::still::StillDatabase;

/// The folder's `FORMAT` file must have exactly this text.
pub(crate) const FORMAT: &str = "bookonce data folder, format 1\n";
/// This is the file in the folder that has the journal.
pub(crate) const JOURNAL: &str = "journal.db";
/// SQLite must have at least this version: before 3.51.3 it may lose frames of a WAL that starts over.
const OLDEST_SQLITE: i32 = 3_051_003;
/// A query reads at most this many rows.
const ROWS: i64 = 1_024;

const NEXT: &str = "SELECT first, count, recorded_at, events FROM commits WHERE first > ?1 AND first <= ?2 \
                    ORDER BY first LIMIT ?3";

/// A folder source reads the journal of a data folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    database: StillDatabase,
    info: SourceInfo,
    /// This is the first position of the row that was read last.
    at: i64,
    /// This is the first position of the last row that is to be read.
    last: i64,
}

impl Folder {
    /// Opens the folder's journal. What is added to it afterwards is not read.
    ///
    /// # Errors
    /// Fails when it is no data folder, one of another format, or can't be read.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let (path, mut database) = connect(folder)?;
        let begun = database.read(begin).map_err(|source| failed(&path, source))?;
        let journal_id = begun.journal_id.ok_or_else(|| Error::Damaged {
            path: path.clone(),
            why: "it does not say its journal's id".into(),
        })?;
        let (last, count) = begun.end.unwrap_or((i64::MIN, 0));
        let info = SourceInfo {
            journal_id: Some(journal_id),
            previous: Some(chain::genesis(journal_id)),
            last: begun.end.and_then(|_| u64::try_from(last.checked_add(count)?.checked_sub(1)?).ok()),
            ..SourceInfo::unknown(Chain::Journal, begun.bytes)
        };
        Ok(Self { path, database, info, at: i64::MIN, last })
    }

    /// Reads on with the row that has this position, so that the lines before it are not read.
    ///
    /// # Errors
    /// Fails when the row can't be looked up.
    pub(crate) fn skip_to(&mut self, position: u64) -> Result<(), Error> {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let sql = "SELECT first FROM commits WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
        let first = self
            .database
            .read(|database| database.query_row(sql, [position], |row| row.get::<_, i64>(0)).optional());
        let first = first.map_err(|source| failed(&self.path, source))?;
        self.at = first.map_or(i64::MIN, |first| first.saturating_sub(1));
        Ok(())
    }
}

impl Source for Folder {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn fill(&mut self, block: &mut Block) -> Result<bool, Error> {
        let (begin, last) = (self.at, self.last);
        let read = self.database.read(|database| {
            block.clear();
            rows(database, block, begin, last)
        });
        match read {
            Ok(at) => {
                self.at = at;
                Ok(at < last && at > begin)
            }
            Err(source) if shows_damage(&source) => {
                block.broken = Some(Flaw::Database(source.to_string()));
                Ok(false)
            }
            Err(source) => Err(failed(&self.path, source)),
        }
    }
}

/// A `Begun` is what a folder's journal says before its first row.
struct Begun {
    journal_id: Option<Uuid>,
    /// This is where the last row begins, and how many events it says it has.
    end: Option<(i64, i64)>,
    bytes: u64,
}

fn begin(database: &Connection) -> rusqlite::Result<Begun> {
    let id: Option<String> = database
        .query_row("SELECT value FROM journal WHERE key = 'journal_id'", [], |row| row.get(0))
        .optional()?;
    let id = id.and_then(|id| chain::read_uuid(id.as_bytes().try_into().ok()?)).map(Uuid::from_u128);
    let end = database
        .query_row("SELECT first, count FROM commits ORDER BY first DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(Begun { journal_id: id, end, bytes: pages(database)? })
}

/// Adds the rows behind this one to the block, up to the last that is wanted. Gives the first position of the row that was
/// read last.
fn rows(database: &Connection, block: &mut Block, mut at: i64, last: i64) -> rusqlite::Result<i64> {
    let mut query = database.prepare_cached(NEXT)?;
    let mut rows = query.query((at, last, ROWS))?;
    while let Some(row) = rows.next()? {
        let claim = match claim(row) {
            Ok(claim) => claim,
            Err(why) => {
                block.broken = Some(Flaw::Row(why));
                // The rows behind it are read as the next block, where it is known where they begin.
                return Ok(row.get::<_, i64>(0).unwrap_or(at));
            }
        };
        at = claim.first;
        let ValueRef::Blob(events) = row.get_ref(3)? else {
            block.broken = Some(Flaw::Row("its events are no bytes"));
            return Ok(at);
        };
        block.bytes.extend_from_slice(events);
        block.rows.push(Row { claim: Some(claim), end: block.bytes.len() });
        if block.bytes.len() >= BLOCK_BYTES || at >= last {
            break;
        }
    }
    Ok(at)
}

/// Gives the database's size in bytes, its WAL included.
fn pages(database: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma| database.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    Ok(u64::try_from(number("page_count")?.saturating_mul(number("page_size")?)).unwrap_or_default())
}

fn claim(row: &Record<'_>) -> Result<RowClaim, &'static str> {
    let integer = |column: usize| match row.get_ref(column) {
        Ok(ValueRef::Integer(value)) => Some(value),
        Ok(ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_)) | Err(_) => None,
    };
    let first = integer(0).ok_or("its first position is no number")?;
    let count = integer(1).ok_or("its count is no number")?;
    let Ok(ValueRef::Text(time)) = row.get_ref(2) else { return Err("its time is no text") };
    Ok(RowClaim { first, count, recorded_at: time.to_vec() })
}

/// Checks the database's own structure: every page must be in its place, and none may be lost. The lines of the journal can all
/// be right while a page that should follow the last of them was cut out of the tree.
///
/// # Errors
/// Fails when the database can't be read.
pub(crate) fn structure(folder: &Path) -> Result<Option<Flaw>, Error> {
    let (path, mut database) = connect(folder)?;
    let found = database
        .read(|database| database.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
    match found.map_err(|source| failed(&path, source)) {
        Ok(text) if text == "ok" => Ok(None),
        Ok(text) => Ok(Some(Flaw::Database(text.replace('\n', ": ")))),
        Err(Error::Damaged { why, .. }) => Ok(Some(Flaw::Database(why))),
        Err(error) => Err(error),
    }
}

/// Checks the folder's format, and connects to its journal for reading.
fn connect(folder: &Path) -> Result<(PathBuf, StillDatabase), Error> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::OldSqlite(rusqlite::version()));
    }
    let format = folder.join("FORMAT");
    match std::fs::read_to_string(&format) {
        // An editor or a copy may have ended the line in another way: the service does not mind, either.
        Ok(text) if text.trim_end() == FORMAT.trim_end() => {}
        Ok(text) => {
            return Err(Error::Format { path: folder.into(), says: text.trim().chars().take(80).collect() });
        }
        Err(source) => return Err(Error::NoFolder { path: folder.into(), source }),
    }
    let path = folder.join(JOURNAL);
    let database = StillDatabase::open(folder, &path).map_err(|source| failed(&path, source))?;
    Ok((path, database))
}

/// Says whether this error shows that the database is damaged. When it does not, the database can't be read.
fn shows_damage(source: &rusqlite::Error) -> bool {
    let code = source.sqlite_error_code();
    let misshapen = matches!(
        source,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::Utf8Error(..)
    );
    let missing = code == Some(ErrorCode::Unknown) && source.to_string().contains("no such");
    misshapen || missing || matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn failed(path: &Path, source: rusqlite::Error) -> Error {
    if shows_damage(&source) {
        Error::Damaged { path: path.into(), why: source.to_string() }
    } else {
        Error::Database { path: path.into(), source }
    }
}
