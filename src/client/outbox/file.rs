//! The file is one SQLite database with every message, and each change of it is synced before it counts.
//!
//! Many processes may add to it and change it at once. It keeps a journal of SQLite's own beside it only while a change is
//! written, so that a copy of the one file is a copy of the outbox. It belongs to one service: a message that may be booked
//! there must not be sent to another.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::error::Error;
use super::row::{Message, select};
use crate::domain::ids::TransactionId;
use crate::domain::time::{Clock, Timestamp};

/// This number in the head of the file says that it is an outbox ("bout").
const APPLICATION: i32 = 0x626f_7574;
/// This is the format that this program writes.
const FORMAT: i64 = 1;
/// A process waits this long for another one's change.
const PATIENCE: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
    CREATE TABLE outbox(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    -- It grows with every change, and each row has the number of its last one.
    CREATE TABLE changes(number INTEGER NOT NULL) STRICT;
    INSERT INTO changes(number) VALUES (0);
    CREATE TABLE messages(
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        op TEXT NOT NULL,
        line TEXT NOT NULL,          -- the line of a batch that it was made of
        path TEXT NOT NULL,
        body TEXT NOT NULL,
        digest TEXT NOT NULL,        -- of id, path and body
        accounts TEXT NOT NULL,      -- one or two names, with a space between them
        place INTEGER NOT NULL,      -- its place in the lines of its accounts
        rank INTEGER NOT NULL,       -- 0: it rules out the message at that place
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        stored_at INTEGER NOT NULL,  -- times are microseconds since 1970, lengths are milliseconds
        next_at INTEGER NOT NULL,
        step_ms INTEGER NOT NULL,    -- the length of the wait that ends at next_at
        deadline_at INTEGER NOT NULL,
        deadline_ms INTEGER NOT NULL,
        answered_at INTEGER,
        status INTEGER,              -- of the last answer
        answer BLOB,
        trouble TEXT,                -- why the last attempt had no answer
        rules_out TEXT,
        replaces TEXT,
        replaced_by TEXT,
        change INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX by_place ON messages(place);
    CREATE INDEX by_change ON messages(change);
    CREATE INDEX by_rules_out ON messages(rules_out) WHERE rules_out IS NOT NULL;
    CREATE TABLE dropped(number INTEGER PRIMARY KEY, change INTEGER NOT NULL) STRICT;";

/// A `Point` is a place on the way of a message at which a test lets its process die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The message is about to be written.
    BeforeWrite,
    /// The message is in the file, and nothing was sent.
    Written,
    /// The attempt is in the file, and nothing of it was sent.
    BeforeSend,
    /// The answer has come, and nothing of it is in the file.
    Answered,
    /// The answer is about to be confirmed in the file: it is written there, and not yet durable.
    BeforeConfirmation,
}

/// An observer is told of each point that is passed.
pub type Observer = Arc<dyn Fn(Point) + Send + Sync>;

/// An `Outbox` is an open file of messages.
pub struct Outbox {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) clock: Clock,
    pub(super) observer: Observer,
    service: String,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox")
            .field("path", &self.path)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl Outbox {
    /// Opens the outbox at this path, and makes it for this service where there is none.
    ///
    /// # Errors
    /// Fails when the file can't be made, read or written, is damaged or something else, or belongs to another service.
    pub fn open_or_make(path: &Path, service: &str, clock: Clock) -> Result<Self, Error> {
        let service = address(service)?;
        let flags = OpenFlags::default();
        let mut connection = connect(path, flags)?;
        let change =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::of(path))?;
        if is_empty(&change).map_err(Error::of(path))? {
            let made = change.execute_batch(SCHEMA).and_then(|()| {
                change.pragma_update(None, "application_id", APPLICATION)?;
                change.pragma_update(None, "user_version", FORMAT)?;
                change.execute("INSERT INTO outbox(key, value) VALUES ('service', ?1)", [&service])?;
                change.commit()
            });
            made.map_err(Error::of(path))?;
        } else {
            change.finish().map_err(Error::of(path))?;
        }
        let outbox = Self::checked(connection, path, clock)?;
        outbox.is_for(&service)?;
        Ok(outbox)
    }

    /// Opens the outbox that is at this path.
    ///
    /// # Errors
    /// Fails when there is none, or it can't be read, is damaged or something else.
    pub fn open(path: &Path, clock: Clock) -> Result<Self, Error> {
        if !path.exists() {
            return Err(Error::Missing(path.to_owned()));
        }
        let connection = connect(path, OpenFlags::default() & !OpenFlags::SQLITE_OPEN_CREATE)?;
        Self::checked(connection, path, clock)
    }

    /// Tells this observer of each point that is passed, for tests that let the process die there.
    #[must_use]
    pub fn observed_by(self, observer: Observer) -> Self {
        Self { observer, ..self }
    }

    /// Returns the address of the service that its messages are for.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Checks that its messages are for the service at this address.
    ///
    /// # Errors
    /// Fails when they are for another one.
    pub fn is_for(&self, service: &str) -> Result<(), Error> {
        let asked = address(service)?;
        if asked == self.service {
            return Ok(());
        }
        Err(Error::OtherService { path: self.path.clone(), ours: self.service.clone(), asked })
    }

    /// Returns all messages, in the order in which they go.
    ///
    /// # Errors
    /// Fails when the file can't be read, or is damaged.
    pub fn list(&self) -> Result<Vec<Message>, Error> {
        select(&self.connection, &self.path, "ORDER BY place, rank, number", [])
    }

    /// Returns the message with this ID.
    ///
    /// # Errors
    /// Fails when there is none, or the file can't be read, or is damaged.
    pub fn message(&self, id: TransactionId) -> Result<Message, Error> {
        let found = select(&self.connection, &self.path, "WHERE id = ?1", [id.to_string()])?;
        found.into_iter().next().ok_or(Error::Unknown(id))
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn checked(connection: Connection, path: &Path, clock: Clock) -> Result<Self, Error> {
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (application, format) = number("application_id")
            .and_then(|application| Ok((application, number("user_version")?)))
            .map_err(Error::of(path))?;
        if application != i64::from(APPLICATION) {
            return Err(Error::Foreign(path.to_owned()));
        }
        if format != FORMAT {
            return Err(Error::Newer { path: path.to_owned(), found: format, known: FORMAT });
        }
        let found: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(Error::of(path))?;
        if found != "ok" {
            // SQLite says it in several lines.
            let what = found.lines().collect::<Vec<_>>().join(" ");
            return Err(Error::Damaged { path: path.to_owned(), what });
        }
        let service = connection
            .query_row("SELECT value FROM outbox WHERE key = 'service'", [], |row| row.get(0))
            .map_err(Error::of(path))?;
        Ok(Self { connection, path: path.to_owned(), clock, observer: Arc::new(|_| ()), service })
    }
}

/// Opens the file so that a commit is on the disk, with what names it, before it counts. A database of something else is not
/// opened at all: to open it might change it.
fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    if !is_ours_or_new(path)? {
        return Err(Error::Foreign(path.to_owned()));
    }
    let connection = Connection::open_with_flags(path, flags).map_err(|source| {
        let error = Error::of(path)(source);
        match std::fs::metadata(path) {
            Ok(found) if found.permissions().readonly() => Error::ReadOnly(path.to_owned()),
            Ok(_) | Err(_) => error,
        }
    })?;
    let set = || {
        connection.busy_timeout(PATIENCE)?;
        // The folder is synced, too: a journal that came back after a power cut would take the commit back.
        connection.pragma_update(None, "synchronous", "EXTRA")
    };
    set().map_err(Error::of(path))?;
    Ok(connection)
}

/// Looks at the head of the file alone. Where a change was cut off in it, SQLite's own journal beside it is needed to tell.
fn is_ours_or_new(path: &Path) -> Result<bool, Error> {
    let journal = PathBuf::from(format!("{}-journal", path.display()));
    let mut head = [0; 72];
    match File::open(path).and_then(|file| file.take(72).read(&mut head)) {
        Ok(0) => Ok(true),
        Ok(_) if journal.exists() => Ok(true),
        Ok(72) => Ok(head.starts_with(b"SQLite format 3\0") && head.ends_with(&APPLICATION.to_be_bytes())),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(source) => Err(Error::Io { path: path.to_owned(), source }),
    }
}

/// Says whether there is nothing in the file, so that it may become an outbox.
fn is_empty(change: &Transaction<'_>) -> rusqlite::Result<bool> {
    let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i64 = change.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(tables == 0 && application == 0)
}

/// Returns a service's address in the one form in which it is compared.
fn address(url: &str) -> Result<String, Error> {
    let base = url.trim_end_matches('/');
    let parsed = reqwest::Url::parse(base)
        .map_err(|_| Error::Client(crate::client::sender::Error::Url(url.to_owned())))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(Error::Secret("the address of the service"));
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}
