//! The rule says what becomes of one command. Both clerks and the tests use this one function.
//!
//! It asks in this order: whether the ID was booked before (then that event is the answer), whether it was ruled out,
//! what is known of the ID that the command names, whether the IDs that it corrects were booked, and how the stream
//! stands. Then comes the pure [`decide`], and then the fold. A [`Past`] answers the questions; every decision before this
//! one counts in it already.
//!
//! Holds of the stream whose time has come expire before anything new is decided on it, also where that is a refusal: so
//! nothing is ever decided on a hold that is past its time. Their expiries count as decisions of their own, and the answer
//! of whoever comes with them waits until they are durable.

use std::sync::Arc;

use crate::domain::command::{Command, Operation};
use crate::domain::currency::Currency;
use crate::domain::decide::{Refusal, Standing, decide, due};
use crate::domain::event::{Event, EvolveError};
use crate::domain::ids::{AccountName, Id};
use crate::domain::kind::Kind;
use crate::domain::standing::Parties;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::Now;
use crate::domain::trace::Trace;
use crate::store::Position;

use super::verdict::Unavailable;

/// A `Ruling` is the ruling on one command: what became of it.
#[derive(Clone, Debug)]
pub enum Ruling {
    /// The ID was new: this event is to be recorded.
    Booked(Arc<Event>),
    /// The ID was used before, for this event.
    Seen(First),
    /// The command was refused; nothing is recorded.
    Refused(Refusal),
    /// Something that the command needs can't be read; nothing is recorded. The other commands are ruled on all the
    /// same.
    Unavailable(Unavailable),
}

/// A `First` is the event that an ID was used for first.
#[derive(Clone, Debug)]
pub enum First {
    /// The event is in memory: it is not durable yet, or became durable not long ago.
    AtHand(Arc<Event>),
    /// The event is durable, at this position or before it.
    Durable(Arc<Event>, Position),
    /// The event is durable and stands at this position. It has not been read yet.
    Stored(Position),
}

/// A `Seen` says what is known of a command's own ID.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The ID is new: nothing is known of it.
    Never,
    /// The event with this other ID ruled it out on this stream.
    RuledOut(Id),
    /// The ID was used, on this stream or on another.
    Booked(First),
}

/// A `Decided` is a decision that was made: the event, and what follows from it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// This is the event.
    pub event: Arc<Event>,
    /// This is the state of its stream after the event.
    pub state: State,
    /// This is what the stream said, before the event, of the ID that the event names.
    pub named: Option<Trace>,
}

/// A `Past` is the past that a clerk knows. Every decision counts in it as soon as it is made, durable or not.
pub trait Past {
    /// The reason why a question can't be answered.
    type Error: From<EvolveError>;

    /// Says what is known of an ID: of a command's own, or of one that it corrects.
    ///
    /// # Errors
    /// Fails when it can't be read.
    fn seen(&mut self, id: Id, stream: &StreamName) -> Result<Seen, Self::Error>;

    /// Returns what the stream says of an ID.
    ///
    /// # Errors
    /// Fails when it can't be read.
    fn trace(&mut self, id: Id, stream: &StreamName) -> Result<Trace, Self::Error>;

    /// Returns the state of the stream; `None` when it has not begun.
    ///
    /// # Errors
    /// Fails when it can't be read.
    fn state(&mut self, stream: &StreamName) -> Result<Option<&State>, Self::Error>;

    /// Returns the currency of an account, which never changes; `None` when there is no such account. It is asked only for a
    /// transfer, of its two accounts.
    ///
    /// # Errors
    /// Fails when it can't be read.
    fn currency(&mut self, account: &AccountName) -> Result<Option<Currency>, Self::Error>;

    /// Takes in a decision, which counts from now on. Returns `false` when there is no room for it: then it does not
    /// count.
    fn take_in(&mut self, decided: Decided) -> bool;
}

/// Rules on one command. Returns `None` when the command makes an event for which there is no room any more.
///
/// # Errors
/// Fails when something that it must know can't be read.
pub fn rule<P: Past>(
    past: &mut P,
    command: &Command,
    now: impl Into<Now>,
) -> Result<Option<Ruling>, P::Error> {
    // What has no ID can't come again: it is decided on how the stream stands.
    let seen = if command.id.is_absent() { Seen::Never } else { past.seen(command.id, &command.stream)? };
    let ruled_out_by = match seen {
        Seen::Booked(first) => return Ok(Some(Ruling::Seen(first))),
        Seen::RuledOut(by) => Some(by),
        Seen::Never => None,
    };
    let named = match command.names() {
        Some(id) if !settles_open(past, command)? => Some(past.trace(id, &command.stream)?),
        Some(_) | None => None,
    };
    let follower = match &named {
        Some(named) => follower(past, command, named)?,
        None => None,
    };
    let parties = match command.parties() {
        Some((from, to)) => {
            Parties { from: past.currency(from)?, to: to.map(|to| past.currency(to)).transpose()?.flatten() }
        }
        None => Parties::default(),
    };
    let corrects_unbooked = corrects_unbooked(past, command)?;
    let now = now.into();
    let state = past.state(&command.stream)?;
    if state.is_some_and(|state| state.is_due(now.recorded_at)) {
        // What was looked at above has changed then, and nothing is due the second time.
        return if book_due(past, &command.stream, now)? { rule(past, command, now) } else { Ok(None) };
    }
    let standing =
        Standing { state, ruled_out_by, named: named.as_ref(), follower, corrects_unbooked, parties };
    let event = match decide(standing, command, now) {
        Ok(event) => Arc::new(event),
        Err(refusal) => return Ok(Some(Ruling::Refused(refusal))),
    };
    let state = State::evolve(state, &event)?;
    let taken = past.take_in(Decided { event: Arc::clone(&event), state, named });
    Ok(taken.then_some(Ruling::Booked(event)))
}

/// Books every expiry that is due on a stream, oldest first. Returns `false` when there is no room for all of them: those
/// that were booked count.
fn book_due<P: Past>(past: &mut P, stream: &StreamName, now: Now) -> Result<bool, P::Error> {
    while let Some(before) = past.state(stream)?
        && let Some(event) = due(before, now.recorded_at)
    {
        let (event, state) = (Arc::new(event.clone()), State::evolve(Some(before), &event)?);
        if !past.take_in(Decided { event, state, named: None }) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Says whether the command settles a hold that is open. All that counts then is in the state of the stream.
fn settles_open<P: Past>(past: &mut P, command: &Command) -> Result<bool, P::Error> {
    let Some(hold) = command.operation.settles() else { return Ok(false) };
    Ok(past.state(&command.stream)?.is_some_and(|state| state.has_open(hold)))
}

/// Returns the first ID of the service's own that follows from the named one and that the stream has booked, where that
/// matters: where the named one was booked as a hold, or never. For a hold it does not matter once the named one was ruled
/// out; for a reversal it does, since the step of a transfer that was ruled out may have come, and was declined. A command that
/// names no hold looks up nothing for it.
fn follower<P: Past>(past: &mut P, command: &Command, named: &Trace) -> Result<Option<Id>, P::Error> {
    let was_ruled_out = named.ruled_out_by.is_some() && !matches!(command.operation, Operation::Reverse(_));
    let moved = named.first.as_ref().is_some_and(|first| first.kind() != Kind::Hold);
    if was_ruled_out || moved {
        return Ok(None);
    }
    for id in command.followers() {
        if past.trace(id, &command.stream)?.first.is_some() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Says whether the command corrects an ID that was never booked, on any stream.
fn corrects_unbooked<P: Past>(past: &mut P, command: &Command) -> Result<bool, P::Error> {
    for id in command.corrects() {
        match past.seen(Id::Client(*id), &command.stream)? {
            Seen::Booked(_) => {}
            Seen::Never | Seen::RuledOut(_) => return Ok(true),
        }
    }
    Ok(false)
}
