//! The catalog has the index's one checkpoint, the list of its runs, and the state that is too small for runs.
//!
//! It is one SQLite file, changed in one transaction at a time. Each row of state carries a checksum, and the seal of the
//! checkpoint covers the sums of all of them (`parts`), so that neither a changed nor a missing row is believed.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::domain::digest::EndedSum;
use crate::store::chain::Hash;

use super::error::IndexError;
use super::failure::Failure;
use super::lsm::tree::TreeKind;
use super::rows::Kind;

/// This is the format of the index. An index of another format is built anew from the journal.
pub const FORMAT: i64 = 11;

/// A `Checkpoint` says up to where the index knows the journal, and which journal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// This is the id of the journal.
    pub journal_id: Uuid,
    /// This is the last event that is in the index; 0 for none.
    pub position: u64,
    /// This is the journal's hash there; the genesis hash for none.
    pub hash: Hash,
    /// This is that event's own hash: the same, where the chain runs along the journal.
    pub event: Hash,
}

/// Opens the catalog, and makes it when it is new.
pub fn open(path: &Path) -> Result<Connection, IndexError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS runs(file TEXT PRIMARY KEY, tree TEXT NOT NULL, place INTEGER NOT NULL,
             number INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS state(kind INTEGER, key BLOB, value TEXT NOT NULL, crc INTEGER NOT NULL,
             PRIMARY KEY(kind, key)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS parts(kind INTEGER, first BLOB, rows INTEGER NOT NULL, sum INTEGER NOT NULL,
             PRIMARY KEY(kind, first)) WITHOUT ROWID;",
    )?;
    Ok(connection)
}

/// Does what [`open`] does, but deletes a catalog of an earlier format first, so that the index is built anew from the
/// journal.
pub fn open_current(path: &Path) -> Result<Connection, IndexError> {
    let connection = open(path)?;
    let format = meta(&connection, "format")?.and_then(|text| text.parse::<i64>().ok());
    if format.is_none_or(|format| format >= FORMAT) {
        return Ok(connection);
    }
    drop(connection);
    if let Some(dir) = path.parent() {
        Failure::remove_mark(dir)?;
    }
    tracing::info!(
        format,
        now = FORMAT,
        "the index has an earlier format; it is built anew from the journal"
    );
    // What is not in the catalog any more is removed when the runs are opened. The database goes last: without it there
    // is no index.
    for ending in ["-wal", "-shm", ""] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    open(path)
}

/// Returns a value of `meta`.
pub fn meta(connection: &Connection, key: &str) -> Result<Option<String>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Sets a value of `meta`.
pub fn set_meta(connection: &Connection, key: &str, value: &str) -> Result<(), IndexError> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES (?1, ?2)")?;
    statement.execute([key, value])?;
    Ok(())
}

/// Returns the checkpoint; `None` in a new catalog.
pub fn checkpoint(connection: &Connection) -> Result<Option<Checkpoint>, IndexError> {
    let Some(journal_id) = meta(connection, "journal_id")? else { return Ok(None) };
    let position = meta(connection, "position")?.and_then(|text| text.parse().ok());
    let hash = meta(connection, "hash")?.and_then(|text| Hash::parse(&text));
    match (Uuid::try_parse(&journal_id), position, hash) {
        (Ok(journal_id), Some(position), Some(hash)) => {
            let event = match meta(connection, "event")? {
                Some(text) => {
                    Hash::parse(&text).ok_or_else(|| IndexError::damaged("its checkpoint can't be read"))?
                }
                None => hash,
            };
            Ok(Some(Checkpoint { journal_id, position, hash, event }))
        }
        _ => Err(IndexError::damaged("its checkpoint can't be read")),
    }
}

/// Moves the checkpoint.
pub fn set_checkpoint(connection: &Connection, to: Checkpoint) -> Result<(), IndexError> {
    set_meta(connection, "journal_id", &to.journal_id.to_string())?;
    set_meta(connection, "position", &to.position.to_string())?;
    set_meta(connection, "hash", &to.hash.to_string())?;
    set_meta(connection, "event", &to.event.to_string())
}

/// Returns the sum of the transfers that have ended.
pub(super) fn ended(connection: &Connection) -> Result<EndedSum, IndexError> {
    let Some(text) = meta(connection, "ended")? else { return Ok(EndedSum::default()) };
    EndedSum::parse(&text).ok_or_else(|| IndexError::damaged("its sum of ended transfers can't be read"))
}

/// Sets the sum of the transfers that have ended.
pub(super) fn set_ended(connection: &Connection, sum: EndedSum) -> Result<(), IndexError> {
    set_meta(connection, "ended", &sum.to_string())
}

/// A `NamedRun` is a run as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRun {
    /// This is its file.
    pub file: String,
    /// This is its own number, which stands in each of its blocks.
    pub number: u64,
    /// This is its own checksum: another whole run under the same name is not believed.
    pub sum: u32,
}

/// Returns a tree's runs, oldest first.
pub fn runs(connection: &Connection, tree: TreeKind) -> Result<Vec<NamedRun>, IndexError> {
    let mut statement =
        connection.prepare_cached("SELECT file, number, sum FROM runs WHERE tree = ?1 ORDER BY place")?;
    let named = statement.query_map([tree.name()], |row| {
        let number = row.get::<_, i64>(1)?.cast_unsigned();
        Ok(NamedRun { file: row.get(0)?, number, sum: row.get(2)? })
    })?;
    Ok(named.collect::<Result<_, _>>()?)
}

/// Sets which runs a tree has, oldest first.
pub fn set_runs(connection: &Connection, tree: TreeKind, runs: &[NamedRun]) -> Result<(), IndexError> {
    connection.execute("DELETE FROM runs WHERE tree = ?1", [tree.name()])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO runs(file, tree, place, number, sum) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (place, run) in runs.iter().enumerate() {
        insert.execute(params![run.file, tree.name(), place as i64, run.number.cast_signed(), run.sum])?;
    }
    Ok(())
}

/// Says whether nothing was ever written to it.
pub fn is_new(connection: &Connection) -> Result<bool, IndexError> {
    let sql = "SELECT NOT EXISTS(SELECT 1 FROM meta) AND NOT EXISTS(SELECT 1 FROM runs)
         AND NOT EXISTS(SELECT 1 FROM state)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Returns a checksum over the checkpoint, everything else in `meta`, and the list of runs. Without it a run that is
/// missing from the list could mean a double booking for every ID in it.
fn seal(connection: &Connection) -> Result<String, IndexError> {
    let mut crc = crc32fast::Hasher::new();
    let sql = "SELECT 'meta', key, value, 0, 0, 0 FROM meta WHERE key <> 'seal'
         UNION ALL SELECT 'run', file, tree, place, number, sum FROM runs ORDER BY 1, 2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..3 {
            crc.update(row.get::<_, String>(column)?.as_bytes());
            crc.update(&[0]);
        }
        for column in 3..6 {
            crc.update(&row.get::<_, i64>(column)?.to_le_bytes());
        }
    }
    Ok(crc.finalize().to_string())
}

/// Seals what the transaction changed. This is the last step of a transaction.
pub fn set_seal(connection: &Connection) -> Result<(), IndexError> {
    set_meta(connection, "seal", &seal(connection)?)
}

/// Compares with the seal.
pub fn check_seal(connection: &Connection) -> Result<(), IndexError> {
    if meta(connection, "seal")? == Some(seal(connection)?) {
        Ok(())
    } else {
        Err(IndexError::damaged("its checkpoint or the list of its runs was changed"))
    }
}

/// Returns the checksum of a row of state.
pub(super) fn crc(kind: Kind, key: &[u8], value: &str) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&(kind as i64).to_le_bytes());
    crc.update(key);
    crc.update(b"=");
    crc.update(value.as_bytes());
    crc.finalize()
}

/// Returns one row of state, if it is there and whole.
pub fn state(connection: &Connection, kind: Kind, key: &[u8]) -> Result<Option<String>, IndexError> {
    let mut statement =
        connection.prepare_cached("SELECT value, crc FROM state WHERE kind = ?1 AND key = ?2")?;
    let row: Option<(String, u32)> =
        statement.query_row(params![kind as i64, key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match row {
        Some((value, sum)) if crc(kind, key, &value) == sum => Ok(Some(value)),
        Some(_) => Err(IndexError::damaged("a row of its state was changed")),
        None => Ok(None),
    }
}

/// Says whether any stream has a timer.
pub(super) fn has_timers(connection: &Connection) -> Result<bool, IndexError> {
    let sql = "SELECT EXISTS(SELECT 1 FROM state WHERE kind = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([Kind::Timer as i64], |row| row.get(0))?)
}

/// Returns a row's part in the sum: never zero, so that a missing row shows.
pub(super) fn weight(crc: u32) -> u64 {
    u64::from(crc) << 20 | 1
}

/// Returns the rows of a kind, in the order of their keys, from after `after`.
pub fn states(
    connection: &Connection,
    kind: Kind,
    after: &[u8],
    limit: usize,
) -> Result<Vec<(Vec<u8>, String)>, IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, value, crc FROM state WHERE kind = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![kind as i64, after, limit], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?))
    })?;
    rows.map(|row| {
        let (key, value, sum) = row?;
        if crc(kind, &key, &value) == sum {
            Ok((key, value))
        } else {
            Err(IndexError::damaged("a row of its state was changed"))
        }
    })
    .collect()
}
