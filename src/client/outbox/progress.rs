//! What the sender writes into the file is here: that an attempt begins, what was heard of it, and that a deadline has
//! passed. It also reads what other processes have changed since.

use std::time::Duration;

use super::changing::{Changing, Span};
use super::error::Error;
use super::file::{Outbox, Point};
use super::heard::Heard;
use super::row::{Message, select};
use super::state::{Change, State};

/// An `Outcome` is what an attempt has brought, with what a person may look at.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// This is what it means.
    pub(super) heard: Heard,
    /// This is the status and body of the answer.
    pub(super) answer: Option<(u16, Vec<u8>)>,
    /// This is why there was no answer.
    pub(super) trouble: Option<String>,
}

/// The `Changes` are what has changed in the file.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// These messages are new or other than before.
    pub(super) messages: Vec<Message>,
    /// These numbers are gone.
    pub(super) dropped: Vec<i64>,
    /// All up to this change were read.
    pub(super) up_to: i64,
}

impl Outbox {
    /// Reads what has changed after this change: everything that is not final after change 0.
    pub(super) fn changes_after(&self, change: i64) -> Result<Changes, Error> {
        let read = || {
            // One look at the file, so that nothing falls between the three.
            let look = self.connection.unchecked_transaction()?;
            let up_to = look.query_row("SELECT number FROM changes", [], |row| row.get(0))?;
            let mut query = look.prepare_cached("SELECT number FROM dropped WHERE change > ?1")?;
            let dropped: Result<Vec<i64>, _> = query.query_map([change], |row| row.get(0))?.collect();
            drop(query);
            Ok((look, up_to, dropped?))
        };
        let (look, up_to, dropped) = read().map_err(Error::of(&self.path))?;
        if up_to == change {
            return Ok(Changes { up_to, ..Changes::default() });
        }
        let since_begin = "WHERE state NOT IN ('confirmed', 'declined', 'ruled_out', 'replaced')";
        let which = if change == 0 { since_begin } else { "WHERE change > ?1" };
        let messages = if change == 0 {
            select(&look, &self.path, which, [])?
        } else {
            select(&look, &self.path, which, [change])?
        };
        Ok(Changes { messages, dropped, up_to })
    }

    /// Writes that an attempt to send each of these messages begins, in one change: a sync of the disk takes as long for one
    /// as for many. Returns the messages as they are in the file, without those that are not to be sent any more.
    pub(super) fn begin_attempts(&mut self, numbers: &[i64]) -> Result<Vec<Message>, Error> {
        let change = Changing::begin(&mut self.connection, &self.path)?;
        let mut begun = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(message) = change.numbered(*number)? else { continue };
            let Some(state) = message.state.after(Change::Begun) else { continue };
            change.execute(
                "UPDATE messages SET state = ?2, attempts = attempts + 1, change = ?3 WHERE number = ?1",
                (number, state.name(), change.number),
            )?;
            begun.push(message);
        }
        change.commit()?;
        (self.observer)(Point::BeforeSend);
        Ok(begun)
    }

    /// Writes what was heard of these attempts, each with the wait before its next one, in one change. What a reversal rules
    /// out is ruled out in the same change.
    pub(super) fn write_outcomes(&mut self, outcomes: &[(i64, Outcome, Duration)]) -> Result<(), Error> {
        (self.observer)(Point::Answered);
        let now = self.now();
        let change = Changing::begin(&mut self.connection, &self.path)?;
        for (number, outcome, wait) in outcomes {
            write_outcome(&change, *number, outcome, Span { now, length: *wait })?;
        }
        (self.observer)(Point::BeforeConfirmation);
        change.commit()
    }

    /// Writes that the deadline of this message has passed.
    pub(super) fn expire(&mut self, number: i64) -> Result<(), Error> {
        let change = Changing::begin(&mut self.connection, &self.path)?;
        if let Some(message) = change.numbered(number)?
            && let Some(state) = message.state.after(Change::DeadlinePassed)
        {
            change.set_state(&message, state)?;
            change.commit()?;
        }
        Ok(())
    }
}

fn write_outcome(change: &Changing<'_>, number: i64, outcome: &Outcome, next: Span) -> Result<(), Error> {
    let Some(message) = change.numbered(number)? else { return Ok(()) };
    let Some(state) = message.state.after(Change::Heard(outcome.heard)) else { return Ok(()) };
    change.execute(
        "UPDATE messages SET state = ?2, next_at = ?3, step_ms = ?4, trouble = ?5, change = ?6 WHERE number = ?1",
        (number, state.name(), next.ends(), next.millis(), &outcome.trouble, change.number),
    )?;
    if let Some((status, body)) = &outcome.answer {
        change.execute(
            "UPDATE messages SET answered_at = ?2, status = ?3, answer = ?4 WHERE number = ?1",
            (number, next.now.micros(), status, body),
        )?;
    }
    if let (State::Confirmed, Some(named)) = (state, message.rules_out)
        && let Some(named) = change.find(named)?
        && let Some(state) = named.state.after(Change::RuledOut)
    {
        change.set_state(&named, state)?;
    }
    Ok(())
}
