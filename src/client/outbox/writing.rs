//! What a person does with an outbox is here: messages are added, asked again, edited, ruled out and dropped. Each is one
//! change of the file, whole or not at all, also when another process changes it at the same time.

use std::time::Duration;

use super::changing::{Changing, Place, Span};
use super::error::Error;
use super::file::{Outbox, Point};
use super::order::Order;
use super::state::{Change, State};
use crate::domain::ids::TransactionId;

/// Why a message is neither edited nor dropped.
const MAY_BE_BOOKED: &str =
    "may be booked: not before its outcome is known (ask again with `retry`, or rule it out)";

impl Outbox {
    /// Stores messages, all or none, durably. One that is there with the same request is left as it is, so that a second run
    /// of the same work adds nothing. `secret` is what must not get into the file.
    ///
    /// # Errors
    /// Fails when an ID is there with another request, the secret is in a message, or the file can't be written. Then nothing
    /// was stored.
    pub fn add(&mut self, orders: &[Order], deadline: Duration, secret: Option<&str>) -> Result<(), Error> {
        orders.iter().try_for_each(|order| without(secret, order))?;
        (self.observer)(Point::BeforeWrite);
        let deadline = self.span(deadline);
        let change = Changing::begin(&mut self.connection, &self.path)?;
        for order in orders {
            match change.find(order.id())? {
                Some(there) if there.request == order.request => {}
                Some(_) => return Err(Error::Reused(order.id())),
                None => change.insert(order, Place::Last, deadline)?,
            }
        }
        change.commit()?;
        (self.observer)(Point::Written);
        Ok(())
    }

    /// Lets a message be asked again under its ID, at once, with a new deadline.
    ///
    /// # Errors
    /// Fails when there is no such message, it is final, or it is being ruled out.
    pub fn retry(&mut self, id: TransactionId, deadline: Duration) -> Result<(), Error> {
        let deadline = self.span(deadline);
        let change = Changing::begin(&mut self.connection, &self.path)?;
        let message = change.known(id)?;
        let Some(state) = message.state.after(Change::AskedAgain) else {
            return Err(Error::NotNow { id, why: "is final: it is not sent again" });
        };
        if change.ruling_out(id)?.is_some_and(|order| !order.state.is_final()) {
            return Err(Error::NotNow { id, why: "is being ruled out: it is not sent again" });
        }
        change.execute(
            "UPDATE messages SET state = ?2, next_at = ?3, step_ms = 0, deadline_at = ?4, deadline_ms = ?5, change = ?6
             WHERE number = ?1",
            (
                message.number,
                state.name(),
                deadline.now.micros(),
                deadline.ends(),
                deadline.millis(),
                change.number,
            ),
        )?;
        change.commit()
    }

    /// Makes a message with other values in the place of this one, under a new ID, which is returned.
    ///
    /// # Errors
    /// Fails when there is no such message, it may be booked, or what is made of it is no order.
    pub fn edit(
        &mut self,
        id: TransactionId,
        changes: &[(String, String)],
        deadline: Duration,
        secret: Option<&str>,
    ) -> Result<TransactionId, Error> {
        let deadline = self.span(deadline);
        let change = Changing::begin(&mut self.connection, &self.path)?;
        let message = change.known(id)?;
        let Some(state) = message.state.after(Change::Replaced) else {
            return Err(Error::NotNow { id, why: why_not_edited(message.state) });
        };
        if message.rules_out.is_some() {
            return Err(Error::NotNow {
                id,
                why: "rules out another message: ask again with `retry`, or drop it",
            });
        }
        let edited = message.order().edited(changes)?;
        without(secret, &edited)?;
        if change.find(edited.id())?.is_some() {
            return Err(Error::Reused(edited.id()));
        }
        change.insert(&edited, Place::InPlaceOf(id, message.place), deadline)?;
        change.set_state(&message, state)?;
        let replaced = "UPDATE messages SET replaced_by = ?2 WHERE number = ?1";
        change.execute(replaced, (message.number, edited.id().to_string()))?;
        change.commit()?;
        Ok(edited.id())
    }

    /// Stores the order that rules this message out, and returns its ID. From then on the message is not sent by itself.
    ///
    /// # Errors
    /// Fails when there is no such message, it is final, or it can't be ruled out.
    pub fn rule_out(&mut self, id: TransactionId, deadline: Duration) -> Result<TransactionId, Error> {
        let deadline = self.span(deadline);
        let change = Changing::begin(&mut self.connection, &self.path)?;
        let message = change.known(id)?;
        let Some(state) = message.state.after(Change::RuleOutOrdered) else {
            return Err(Error::NotNow { id, why: "is final: send a reversal that names it" });
        };
        let order = message.order().ruling_out()?;
        match change.find(order.id())? {
            None => {
                change.insert(&order, Place::Before(id, message.place), deadline)?;
                change.set_state(&message, state)?;
                change.commit()?;
            }
            Some(there) if !there.state.is_final() => {}
            Some(_) => {
                let why = "could not be ruled out: the ledger has declined that. Ask again what became of it, with `retry`";
                return Err(Error::NotNow { id, why });
            }
        }
        Ok(order.id())
    }

    /// Removes a message about which nothing is open.
    ///
    /// # Errors
    /// Fails when there is no such message, or it may be booked.
    pub fn drop_message(&mut self, id: TransactionId) -> Result<(), Error> {
        let change = Changing::begin(&mut self.connection, &self.path)?;
        let message = change.known(id)?;
        if !message.state.may_be_dropped() {
            return Err(Error::NotNow { id, why: MAY_BE_BOOKED });
        }
        change.execute("DELETE FROM messages WHERE number = ?1", [message.number])?;
        let dropped = "INSERT INTO dropped(number, change) VALUES (?1, ?2)";
        change.execute(dropped, (message.number, change.number))?;
        change.commit()
    }

    fn span(&self, length: Duration) -> Span {
        Span { now: self.now(), length }
    }
}

/// Checks that an order has no secret in it.
fn without(secret: Option<&str>, order: &Order) -> Result<(), Error> {
    match secret {
        Some(secret) if order.line.contains(secret) => Err(Error::Secret("a message")),
        Some(_) | None => Ok(()),
    }
}

const fn why_not_edited(state: State) -> &'static str {
    match state {
        State::Confirmed => "is booked: send a reversal that names it",
        State::Declined => "was declined, for ever: a new attempt is a new message",
        State::Replaced => "was replaced already",
        State::Pending | State::Sending | State::NeedsAttention(_) | State::RuledOut => MAY_BE_BOOKED,
    }
}
