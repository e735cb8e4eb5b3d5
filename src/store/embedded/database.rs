//! This file opens the journal's database, and makes its two tables.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use uuid::Uuid;

use super::Error;

/// This is the oldest SQLite that is accepted. Version 3.51.3 mended a fault by which a WAL could be reset while it was
/// still needed.
const OLDEST_SQLITE: i32 = 3_051_003;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS journal(key TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS commits(
        first INTEGER PRIMARY KEY,  -- the position of its first event
        count INTEGER NOT NULL,     -- how many events it holds
        recorded_at TEXT NOT NULL,  -- when the first of them was recorded
        events BLOB NOT NULL        -- the events, a line of JSON each
    );";

/// Opens the database to write it, and makes its tables when it is new.
///
/// # Errors
/// Fails when it can't be opened or written.
pub fn open(path: &Path) -> Result<Connection, Error> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Error::OldSqlite(rusqlite::version()));
    }
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_prepared_statement_cache_capacity(16);
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Opens the database to read it, beside whoever writes it.
///
/// # Errors
/// Fails when it is not there or can't be opened.
pub fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    // Closing must not move the WAL into the database: it may be the evidence of a damage.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(connection)
}

/// Returns the journal's id, and makes it from `fresh` when there is none yet.
///
/// # Errors
/// Fails when it can't be read or written.
pub fn journal_id(connection: &Connection, fresh: Uuid) -> Result<Uuid, Error> {
    if let Some(id) = read_journal_id(connection)? {
        return Ok(id);
    }
    connection.execute("INSERT INTO journal(key, value) VALUES ('journal_id', ?1)", [fresh.to_string()])?;
    Ok(fresh)
}

/// Returns the journal's id, if it has one.
///
/// # Errors
/// Fails when it can't be read.
pub fn read_journal_id(connection: &Connection) -> Result<Option<Uuid>, Error> {
    let id = value(connection, "journal_id")?;
    id.map(|id| Uuid::try_parse(&id).map_err(|_| Error::Damaged("its id is no UUID".into()))).transpose()
}

/// Returns the id of the folder that the journal was written in, if it names one. What is no UUID is the id of no folder.
///
/// # Errors
/// Fails when it can't be read.
pub(super) fn read_holder(connection: &Connection) -> Result<Option<Uuid>, Error> {
    Ok(value(connection, "holder")?.map(|id| Uuid::try_parse(&id).unwrap_or_default()))
}

/// Writes the id of the folder, in the place of the one before. It is durable when this returns.
///
/// # Errors
/// Fails when it can't be written.
pub(super) fn write_holder(connection: &Connection, id: Uuid) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO journal(key, value) VALUES ('holder', ?1)";
    connection.execute(sql, [id.to_string()])?;
    Ok(())
}

fn value(connection: &Connection, key: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM journal WHERE key = ?1";
    Ok(connection.query_row(sql, [key], |row| row.get(0)).optional()?)
}

/// Copies the WAL into the database and empties it. This is the last thing that a writer does.
///
/// # Errors
/// Fails when that can't be done; nothing is lost by it.
pub fn empty_wal(connection: &Connection) -> Result<(), Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
