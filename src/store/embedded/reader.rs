//! The reader of the journal returns lines from a position on, or the line at a position. Any number of readers may
//! work beside the writer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use crate::store::codec::{self, Line};
use crate::store::{Journal, ReadError, lines_of};

use super::{Error, database};

const KEPT: usize = 8;

/// A `Reader` reads the journal. It is cheap to clone, and keeps connections that nobody is using.
#[derive(Clone, Debug)]
pub struct Reader {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Journal for Reader {
    fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, ReadError> {
        Ok(self.lines(after, limit)?)
    }

    fn event(&self, position: u64) -> Result<Line, ReadError> {
        Ok(self.event(position)?)
    }

    fn events(&self, positions: &[u64]) -> Result<Vec<Line>, ReadError> {
        Ok(self.events(positions)?)
    }

    fn close(&self) {
        self.idle.lock().clear();
    }
}

/// A `Row` is a row of the table `commits`.
#[derive(Clone, Debug)]
pub struct Row {
    /// This is the position of its first event.
    pub first: u64,
    /// This is how many events it says it holds.
    pub count: u64,
    /// These are its lines, each with its line feed.
    pub events: Vec<u8>,
}

impl Reader {
    /// Makes a reader of this database.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Arc::default() }
    }

    /// Returns the journal's id.
    ///
    /// # Errors
    /// Fails when it can't be read.
    pub fn journal_id(&self) -> Result<Option<Uuid>, Error> {
        self.with(database::read_journal_id)
    }

    /// Returns the last position; 0 when there is none.
    ///
    /// # Errors
    /// Fails when it can't be read.
    pub fn last_position(&self) -> Result<u64, Error> {
        self.with(|connection| {
            let sql = "SELECT first, count FROM commits ORDER BY first DESC LIMIT 1";
            let last: Option<(u64, u64)> = connection
                .prepare_cached(sql)?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(last.map_or(0, |(first, count)| (first + count).saturating_sub(1)))
        })
    }

    /// Returns up to `limit` lines after a position, each with its line feed.
    ///
    /// # Errors
    /// Fails when they can't be read.
    pub fn lines(&self, after: u64, limit: usize) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let mut left = limit;
        let mut next = after.saturating_add(1);
        while left > 0 {
            let Some(row) = self.row_with(next)? else { break };
            let skip = usize::try_from(next - row.first).unwrap_or(usize::MAX);
            let taken = lines_of(&row.events).skip(skip).take(left);
            let mut count = 0;
            for line in taken {
                out.extend_from_slice(line);
                out.push(b'\n');
                count += 1;
            }
            if count == 0 {
                return Err(Error::Damaged(format!("the commit at {} holds less than it says", row.first)));
            }
            left -= count;
            next += count as u64;
        }
        Ok(out)
    }

    /// Returns the event at a position.
    ///
    /// # Errors
    /// Fails when it is not there, or is no event.
    pub fn event(&self, position: u64) -> Result<Line, Error> {
        let line = self.lines(position.saturating_sub(1), 1)?;
        decode(position, line.strip_suffix(b"\n").unwrap_or(&line))
    }

    /// Returns the events at these positions, in their order. A row that holds several of them one after the other is
    /// read once.
    ///
    /// # Errors
    /// Fails when one is not there, or is no event.
    pub fn events(&self, positions: &[u64]) -> Result<Vec<Line>, Error> {
        let mut read: Option<(u64, u64, Row, Vec<usize>)> = None;
        let mut found = Vec::with_capacity(positions.len());
        for position in positions.iter().copied() {
            if !read.as_ref().is_some_and(|(first, end, ..)| (*first..*end).contains(&position)) {
                let row = self.row_with(position)?;
                let row = row.ok_or_else(|| Error::Damaged(format!("position {position} is missing")))?;
                let ends = memchr::memchr_iter(b'\n', &row.events).collect();
                read = Some((row.first, row.first.saturating_add(row.count), row, ends));
            }
            let line = read.as_ref().and_then(|(first, _, row, ends)| {
                let nth = usize::try_from(position - first).ok()?;
                let start = nth.checked_sub(1).map_or(Some(0), |before| Some(ends.get(before)? + 1))?;
                row.events.get(start..*ends.get(nth)?)
            });
            let line = line.ok_or_else(|| {
                Error::Damaged(format!("the commit with position {position} holds less than it says"))
            })?;
            found.push(decode(position, line)?);
        }
        Ok(found)
    }

    /// Returns the row that holds a position; `None` past the end.
    ///
    /// # Errors
    /// Fails when it can't be read.
    pub fn row_with(&self, position: u64) -> Result<Option<Row>, Error> {
        // SQLite's integers end below 2^63, and no journal is that long.
        let Ok(position) = i64::try_from(position) else { return Ok(None) };
        let position = position.cast_unsigned();
        self.with(|connection| {
            if let Some(row) = read_row(connection, position)? {
                return Ok(Some(row));
            }
            // The position may be past the end or in a hole. Both looks are one transaction, else a commit between them
            // would seem to be a hole.
            let both = connection.unchecked_transaction()?;
            let row = read_row(&both, position)?;
            if row.is_none() && position > 0 && has_later(&both, position)? {
                return Err(hole(position));
            }
            Ok(row)
        })
    }

    /// Compares where rows begin with where the rows before them end: for the first row, and for the last `rows`. A
    /// live folder that was copied file by file has its hole near the end. To check all rows would take as long as to
    /// read them.
    ///
    /// # Errors
    /// Fails when positions are missing between two rows, or before the first.
    pub(crate) fn check_positions(&self, rows: u32) -> Result<(), Error> {
        self.with(|connection| {
            let first: Option<u64> =
                connection.query_row("SELECT min(first) FROM commits", [], |row| row.get(0))?;
            if first.is_some_and(|first| first != 1) {
                return Err(hole(1));
            }
            let sql = "SELECT first, count FROM commits ORDER BY first DESC LIMIT ?1";
            let mut statement = connection.prepare(sql)?;
            let mut found = statement.query([rows])?;
            let mut next: Option<u64> = None;
            while let Some(row) = found.next()? {
                let (first, count): (u64, u64) = (row.get(0)?, row.get(1)?);
                let end = first.saturating_add(count);
                if count == 0 || next.is_some_and(|next| end != next) {
                    return Err(hole(end));
                }
                next = Some(first);
            }
            Ok(())
        })
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => database::open_to_read(&self.path)?,
        };
        let result = work(&connection);
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        result
    }
}

/// Returns the event at a position, from its line.
fn decode(position: u64, line: &[u8]) -> Result<Line, Error> {
    let decoded = codec::decode_proven(line)
        .map_err(|error| Error::Damaged(format!("position {position}: {error}")))?;
    if decoded.position == position {
        Ok(decoded)
    } else {
        Err(Error::Damaged(format!("position {} stands where {position} should", decoded.position)))
    }
}

/// Reads the row that holds a position, if there is one.
fn read_row(connection: &Connection, position: u64) -> Result<Option<Row>, Error> {
    let sql = "SELECT first, count, events FROM commits WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
    let row = connection
        .prepare_cached(sql)?
        .query_row([position], |row| Ok(Row { first: row.get(0)?, count: row.get(1)?, events: row.get(2)? }))
        .optional()?;
    Ok(row.filter(|row| row.first + row.count > position))
}

/// Says whether a row begins behind a position.
fn has_later(connection: &Connection, position: u64) -> Result<bool, Error> {
    Ok(connection.prepare_cached("SELECT 1 FROM commits WHERE first > ?1 LIMIT 1")?.exists([position])?)
}

fn hole(position: u64) -> Error {
    Error::Damaged(format!(
        "position {position} is missing, and something stands behind it. A data folder that is copied file by file while a \
         service writes it has such holes: take it from the original, or from an export"
    ))
}
