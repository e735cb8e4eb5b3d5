//! A row of the file is read as a message here, and found damaged where it is not what was written.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Row};

use super::error::Error;
use super::order::Order;
use super::state::State;
use crate::client::request::Request;
use crate::domain::ids::TransactionId;
use crate::domain::time::Timestamp;

/// These are the columns that [`Message::read`] reads, in its order.
const COLUMNS: &str = "number, id, op, line, path, body, digest, accounts, place, rank, state, attempts, \
    stored_at, next_at, step_ms, deadline_at, deadline_ms, answered_at, status, answer, trouble, rules_out, replaces, \
    replaced_by, change";

/// A `Message` is a message as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// This is its number in the file.
    pub number: i64,
    /// This is what is sent, the same in every attempt.
    pub request: Request,
    /// This is its name in a batch.
    pub op: String,
    /// This is the line that it was made of.
    pub line: String,
    /// These are the accounts that it touches.
    pub accounts: Vec<Arc<str>>,
    /// This is its place in their lines.
    pub place: i64,
    /// This is 0 for a message that rules out the one at its place.
    pub rank: u8,
    /// This is where it stands.
    pub state: State,
    /// This is how many attempts were begun.
    pub attempts: u32,
    /// This is when it was stored.
    pub stored_at: Timestamp,
    /// It is not sent before.
    pub next_at: Timestamp,
    /// This is the length of the wait until then.
    pub step: Duration,
    /// Without an answer by then, its outcome is unknown.
    pub deadline_at: Timestamp,
    /// This is the length of the wait until then.
    pub deadline_step: Duration,
    /// This is when the last answer came.
    pub answered_at: Option<Timestamp>,
    /// This is the status of the last answer.
    pub status: Option<u16>,
    /// This is the body of the last answer.
    pub answer: Option<Vec<u8>>,
    /// This is why the last attempt had no answer.
    pub trouble: Option<String>,
    /// It rules out the message with this ID.
    pub rules_out: Option<TransactionId>,
    /// It was made of the message with this ID.
    pub replaces: Option<TransactionId>,
    /// The message with this ID was made of it.
    pub replaced_by: Option<TransactionId>,
    /// This is the number of its last change.
    pub change: i64,
}

impl Message {
    /// Reads a row; what is wrong with it, where it is not what was written.
    fn read(row: &Row<'_>) -> Result<Self, String> {
        let id = TransactionId::parse(&text(row, 1)?).ok_or_else(|| "a message has no ID".to_owned())?;
        let request = Request { id, path: text(row, 4)?, body: text(row, 5)?.into_bytes() };
        if Order::digest(&request) != text(row, 6)? {
            return Err(format!("message {id} is not what was stored"));
        }
        let state =
            State::parse(&text(row, 10)?).ok_or_else(|| format!("message {id} has no known state"))?;
        let small = |at| number(row, at).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        let time = |at| number(row, at).map(Timestamp::from_micros);
        let length = |at| number(row, at).map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        let other = |at| {
            row.get::<_, Option<String>>(at).map(|text| text.and_then(|text| TransactionId::parse(&text)))
        };
        let damaged = |error: rusqlite::Error| error.to_string();
        Ok(Self {
            number: number(row, 0)?,
            request,
            op: text(row, 2)?,
            line: text(row, 3)?,
            accounts: text(row, 7)?.split(' ').filter(|name| !name.is_empty()).map(Arc::from).collect(),
            place: number(row, 8)?,
            rank: u8::try_from(small(9)?).unwrap_or(u8::MAX),
            state,
            attempts: small(11)?,
            stored_at: time(12)?,
            next_at: time(13)?,
            step: length(14)?,
            deadline_at: time(15)?,
            deadline_step: length(16)?,
            answered_at: row.get::<_, Option<i64>>(17).map_err(damaged)?.map(Timestamp::from_micros),
            status: row.get(18).map_err(damaged)?,
            answer: row.get(19).map_err(damaged)?,
            trouble: row.get(20).map_err(damaged)?,
            rules_out: other(21).map_err(damaged)?,
            replaces: other(22).map_err(damaged)?,
            replaced_by: other(23).map_err(damaged)?,
            change: number(row, 24)?,
        })
    }

    /// Returns the ID.
    #[must_use]
    pub const fn id(&self) -> TransactionId {
        self.request.id
    }

    /// Makes the order again that it was stored for.
    #[must_use]
    pub fn order(&self) -> Order {
        Order {
            request: self.request.clone(),
            op: self.op.clone(),
            accounts: self.accounts.iter().map(|name| name.as_ref().to_owned()).collect(),
            line: self.line.clone(),
        }
    }
}

fn text(row: &Row<'_>, at: usize) -> Result<String, String> {
    row.get(at).map_err(|error| error.to_string())
}

fn number(row: &Row<'_>, at: usize) -> Result<i64, String> {
    row.get(at).map_err(|error| error.to_string())
}

/// Reads the messages that this end of a query names.
pub(super) fn select(
    connection: &Connection,
    path: &Path,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Message>, Error> {
    let read = || {
        let mut query = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM messages {which}"))?;
        let rows = query.query_map(parameters, |row| Ok(Message::read(row)))?;
        rows.collect::<Result<Vec<_>, _>>()
    };
    let rows = read().map_err(Error::of(path))?;
    let damaged = |what| Error::Damaged { path: path.to_owned(), what };
    rows.into_iter().map(|row| row.map_err(damaged)).collect()
}
