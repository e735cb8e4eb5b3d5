//! A `Changing` is one change of the file under way: whole and durable when it is committed, and nothing before.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Params, Transaction, TransactionBehavior, named_params};

use super::error::Error;
use super::order::Order;
use super::row::{Message, select};
use super::state::State;
use crate::domain::ids::TransactionId;
use crate::domain::time::Timestamp;

/// The place of a message in the lines of its accounts, and what it has to do with another one.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// It comes after all that are there.
    Last,
    /// It goes before the message with this ID and place, and rules it out.
    Before(TransactionId, i64),
    /// It goes in the place of the message with this ID and place.
    InPlaceOf(TransactionId, i64),
}

/// A `Span` is a time from now on, as it is stored.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// It begins now.
    pub(super) now: Timestamp,
    /// It is so long.
    pub(super) length: Duration,
}

impl Span {
    /// Returns its length in milliseconds.
    pub(super) fn millis(self) -> i64 {
        i64::try_from(self.length.as_millis()).unwrap_or(i64::MAX)
    }

    /// Returns its end by the wall clock, in microseconds.
    pub(super) fn ends(self) -> i64 {
        let micros = i64::try_from(self.length.as_micros()).unwrap_or(i64::MAX);
        self.now.micros().saturating_add(micros)
    }
}

/// A change of the file that is under way.
pub(super) struct Changing<'a> {
    transaction: Transaction<'a>,
    path: &'a Path,
    /// This is its number.
    pub(super) number: i64,
}

impl<'a> Changing<'a> {
    /// Begins a change. It waits for another process's, and no other comes before it ends.
    pub(super) fn begin(connection: &'a mut Connection, path: &'a Path) -> Result<Self, Error> {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::of(path))?;
        let count = "UPDATE changes SET number = number + 1 RETURNING number";
        let number = transaction.query_row(count, [], |row| row.get(0)).map_err(Error::of(path))?;
        Ok(Self { transaction, path, number })
    }

    /// Makes it durable.
    pub(super) fn commit(self) -> Result<(), Error> {
        self.transaction.commit().map_err(Error::of(self.path))
    }

    pub(super) fn execute(&self, statement: &str, parameters: impl Params) -> Result<(), Error> {
        let changed = self.transaction.prepare_cached(statement).and_then(|mut it| it.execute(parameters));
        changed.map(drop).map_err(Error::of(self.path))
    }

    /// Returns the message with this ID, if there is one.
    pub(super) fn find(&self, id: TransactionId) -> Result<Option<Message>, Error> {
        let found = select(&self.transaction, self.path, "WHERE id = ?1", [id.to_string()])?;
        Ok(found.into_iter().next())
    }

    /// Returns the message with this ID.
    pub(super) fn known(&self, id: TransactionId) -> Result<Message, Error> {
        self.find(id)?.ok_or(Error::Unknown(id))
    }

    /// Returns the message with this number, if it is still there.
    pub(super) fn numbered(&self, number: i64) -> Result<Option<Message>, Error> {
        let found = select(&self.transaction, self.path, "WHERE number = ?1", [number])?;
        Ok(found.into_iter().next())
    }

    /// Returns the order that rules this message out, if there is one.
    pub(super) fn ruling_out(&self, id: TransactionId) -> Result<Option<Message>, Error> {
        let found = select(&self.transaction, self.path, "WHERE rules_out = ?1", [id.to_string()])?;
        Ok(found.into_iter().next())
    }

    /// Writes the state of a message.
    pub(super) fn set_state(&self, message: &Message, state: State) -> Result<(), Error> {
        let set = "UPDATE messages SET state = ?2, change = ?3 WHERE number = ?1";
        self.execute(set, (message.number, state.name(), self.number))
    }

    /// Writes a new message, which waits for its turn.
    pub(super) fn insert(&self, order: &Order, place: Place, deadline: Span) -> Result<(), Error> {
        let (rank, rules_out, replaces, at) = match place {
            Place::Last => (1, None, None, None),
            Place::Before(id, at) => (0, Some(id.to_string()), None, Some(at)),
            Place::InPlaceOf(id, at) => (1, None, Some(id.to_string()), Some(at)),
        };
        let body = String::from_utf8_lossy(&order.request.body);
        self.execute(
            "INSERT INTO messages(id, op, line, path, body, digest, accounts, place, rank, state, stored_at, next_at, step_ms,
                 deadline_at, deadline_ms, rules_out, replaces, change)
             VALUES (:id, :op, :line, :path, :body, :digest, :accounts,
                 coalesce(:place, (SELECT coalesce(max(place), 0) + 1 FROM messages)), :rank, :state, :now, :now, 0,
                 :ends, :length, :rules_out, :replaces, :change)",
            named_params! {
                ":id": order.id().to_string(), ":op": order.op, ":line": order.line, ":path": order.request.path,
                ":body": body, ":digest": Order::digest(&order.request), ":accounts": order.accounts.join(" "),
                ":place": at, ":rank": rank, ":state": State::Pending.name(), ":now": deadline.now.micros(),
                ":ends": deadline.ends(), ":length": deadline.millis(), ":rules_out": rules_out,
                ":replaces": replaces, ":change": self.number,
            },
        )
    }
}
