//! A still database is a SQLite file that nobody writes: it is read without a trace beside it.
//!
//! SQLite makes `-wal` and `-shm` files beside a database even to read it, and needs to write for that. A folder that is
//! evidence must stay as it is, and may be on a volume that can't be written. So, while no service holds the folder, its
//! database is read as a file that does not change, and a WAL that a killed service has left is read with an index that is in
//! memory only. While a service holds the folder, its database is read through SQLite's own locks, beside the `-shm` file that
//! is there already.
//!
//! Whether a service took the folder meanwhile is asked after each piece that was read, by the times and sizes of the files.
//! The lock itself is only tried once, for some microseconds, so that an audit keeps no service from starting.

use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// This is the file in a data folder whose lock the service holds.
const LOCK: &str = "lock";

/// A `StillDatabase` is a database that is read without a trace, as long as no service holds its folder.
#[derive(Debug)]
pub(crate) struct StillDatabase {
    connection: Connection,
    folder: PathBuf,
    path: PathBuf,
    /// This is what the files were like when it was opened. There is none when a service holds them.
    seen: Option<Seen>,
}

/// A `Seen` is what was seen of the files that change when a service takes the folder: the database, its WAL, and the lock.
type Seen = [Option<(u64, u64, i64, i64)>; 3];

impl StillDatabase {
    /// Opens a database in this data folder.
    ///
    /// # Errors
    /// Fails when it is not there or can't be read.
    pub(crate) fn open(folder: &Path, path: &Path) -> rusqlite::Result<Self> {
        let seen = (!is_held(folder)).then(|| look(folder, path));
        let connection = match &seen {
            Some([_, wal, _]) => connect_still(path, wal.is_some_and(|(_, size, ..)| size > 0))?,
            None => connect_beside(path)?,
        };
        Ok(Self { connection, folder: folder.into(), path: path.into(), seen })
    }

    /// Reads, and reads again where a service took the folder meanwhile.
    ///
    /// # Errors
    /// Fails when the database can't be read, or what `read` returns.
    pub(crate) fn read<T, E: From<rusqlite::Error>>(
        &mut self,
        mut read: impl FnMut(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let result = read(&self.connection);
        if self.seen.as_ref().is_none_or(|seen| *seen == look(&self.folder, &self.path)) {
            return result;
        }
        // From now on SQLite's locks keep what is read in one state.
        self.connection = connect_beside(&self.path)?;
        self.seen = None;
        read(&self.connection)
    }
}

/// Says whether a service holds the folder. Where that can't be found out it is taken as held: that is never wrong.
fn is_held(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock_shared().is_err(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

fn look(folder: &Path, path: &Path) -> Seen {
    let of = |found: Metadata| (found.ino(), found.size(), found.mtime(), found.mtime_nsec());
    [path.to_owned(), wal_of(path), folder.join(LOCK)].map(|path| path.metadata().ok().map(of))
}

fn wal_of(path: &Path) -> PathBuf {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    wal.into()
}

/// Connects to a database that nobody writes.
fn connect_still(path: &Path, has_wal: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !has_wal {
        let address = format!("file:{}?immutable=1", in_address(path));
        return finish(Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI)?);
    }
    // Without locks and with the database to itself, SQLite keeps the WAL's index in memory and makes no `-shm` file.
    let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix-none")?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    finish(connection)
}

/// Connects to a database that a service writes.
fn connect_beside(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    finish(connection)
}

/// Closing must not move the WAL into the database.
fn finish(connection: Connection) -> rusqlite::Result<Connection> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// Writes a path as an address has it: every byte that may mean something else is written as `%` and two digits.
fn in_address(path: &Path) -> String {
    let mut address = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                address.push(char::from(*byte))
            }
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    // Two slashes at the beginning would begin the name of a host.
    if address.starts_with("//") { format!("//{address}") } else { address }
}
