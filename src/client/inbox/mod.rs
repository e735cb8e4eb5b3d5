//! The inbox is the receiver's half of a delivery: it says of each message whether its effect is still to come, in the same
//! transaction of the receiver's database as the effect.
//!
//! A message may come again, late, and in another order than its fellows. An [`Inbox`] keeps what has come in tables beside the
//! receiver's own, so that both are there or neither is: a crash before the commit leaves a message that comes again and is
//! [`Accepted::Fresh`] again. Nothing expires, because nobody can say how late a message may be.
//!
//! What is kept is the receiver's choice, see [`Keeps`]. By [`Keeps::Revisions`] it is a row for each account, and one for each
//! stretch of revisions that was passed over: a header that says that a message is late is not needed, since what has come is
//! known exactly. The lengths of a journal's streams bound it.
//!
//! [`message`] reads a message, [`marks`] keeps the revisions. It must not know the service. It knows SQLite, and the
//! documents have the same for PostgreSQL. Down the way is the receiver's database.

mod accepted;
mod marks;
pub mod message;

use rusqlite::{Connection, Transaction};

pub use crate::signature::{NotGenuine, Secret, verify};
pub use accepted::{Accepted, InboxError};
pub use message::{BadMessage, Message};

use accepted::fresh_if;

/// The tables of an inbox stand among the receiver's own.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS inbox_keeps (one INTEGER PRIMARY KEY CHECK (one = 1), what TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS inbox_key (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS inbox_mark (sender TEXT, subject TEXT, revision INTEGER NOT NULL, id TEXT NOT NULL,
        time TEXT NOT NULL, PRIMARY KEY (sender, subject)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS inbox_gap (sender TEXT, subject TEXT, first INTEGER, last INTEGER NOT NULL,
        PRIMARY KEY (sender, subject, first)) STRICT, WITHOUT ROWID;";

/// `Keeps` says what an inbox keeps of the messages that have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// It keeps the newest revision of each account, and the stretches before it that have not come. That is little where a
    /// destination selects everything. A ledger that was put back from an older copy is noticed, and refused.
    Revisions,
    /// It keeps each message's id: a row for each message.
    Ids,
    /// It keeps the transaction and the type of each message: a row for each. The effect is once even where the ledger itself
    /// was put back from yesterday and its clients have booked the same transactions again.
    Transactions,
}

impl Keeps {
    const fn name(self) -> &'static str {
        match self {
            Self::Revisions => "revisions",
            Self::Ids => "ids",
            Self::Transactions => "transactions",
        }
    }
}

/// An `Inbox` knows what has come. It has no state of its own: everything is in the receiver's database.
#[derive(Clone, Copy, Debug)]
pub struct Inbox {
    keeps: Keeps,
}

impl Inbox {
    /// Opens the inbox of a database, and makes its tables where there are none.
    ///
    /// # Errors
    /// Fails when the database has an inbox that keeps something else, or can't be used.
    pub fn open(connection: &Connection, keeps: Keeps) -> Result<Self, InboxError> {
        connection.execute_batch(TABLES)?;
        let sql = "INSERT INTO inbox_keeps (one, what) VALUES (1, ?1) ON CONFLICT DO NOTHING";
        connection.execute(sql, [keeps.name()])?;
        let kept: String = connection.query_one("SELECT what FROM inbox_keeps", [], |row| row.get(0))?;
        if kept == keeps.name() { Ok(Self { keeps }) } else { Err(InboxError::KeepsOther(kept)) }
    }

    /// Takes a message into the inbox, within a transaction that has the message's effect, too. Where it is
    /// [fresh](Accepted::Fresh), the caller makes the effect and commits; where it was seen, there is nothing to do.
    ///
    /// The transaction should have begun as `IMMEDIATE`, so that it does not fail where another one writes meanwhile. A message
    /// without a revision, such as a test, is kept by its id; so is one without a transaction where these are kept.
    ///
    /// # Errors
    /// Fails when it can't be told whether the message has come before.
    pub fn accept(&self, transaction: &Transaction<'_>, message: &Message) -> Result<Accepted, InboxError> {
        match (self.keeps, message.revision, &message.transaction) {
            (Keeps::Revisions, Some(revision), _) => marks::accept(transaction, message, revision),
            (Keeps::Transactions, _, Some(id)) => keep(transaction, &format!("{id} {}", message.kind)),
            (Keeps::Ids, _, _) | (Keeps::Revisions, None, _) | (Keeps::Transactions, _, None) => {
                keep(transaction, &message.id)
            }
        }
    }
}

/// Keeps a key, and says whether it is new.
fn keep(transaction: &Transaction<'_>, key: &str) -> Result<Accepted, InboxError> {
    let sql = "INSERT INTO inbox_key (key) VALUES (?1) ON CONFLICT DO NOTHING";
    Ok(fresh_if(transaction.prepare_cached(sql)?.execute([key])? == 1))
}
