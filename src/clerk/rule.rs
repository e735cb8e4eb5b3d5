//! The rule says what becomes of one command. Both clerks and the tests use this one function.
//!
//! It asks in this order: whether the ID was booked before (then that event is the answer), whether it was ruled out,
//! what is known of the ID that the command names, whether the IDs that it corrects were booked, and how the stream
//! stands. Then comes the pure [`decide`], and then
//! the fold. A [`Past`] answers the questions; every decision before this one counts in it already.

use std::sync::Arc;

use crate::domain::command::Command;
use crate::domain::decide::{Refusal, Standing, decide};
use crate::domain::event::{Event, EvolveError};
use crate::domain::ids::Id;
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
    let ruled_out_by = match past.seen(command.id, &command.stream)? {
        Seen::Booked(first) => return Ok(Some(Ruling::Seen(first))),
        Seen::RuledOut(by) => Some(by),
        Seen::Never => None,
    };
    let named = command.names().map(|id| past.trace(id, &command.stream)).transpose()?;
    let corrects_unbooked = corrects_unbooked(past, command)?;
    let state = past.state(&command.stream)?;
    let standing = Standing { state, ruled_out_by, named: named.as_ref(), corrects_unbooked };
    let event = match decide(standing, command, now) {
        Ok(event) => Arc::new(event),
        Err(refusal) => return Ok(Some(Ruling::Refused(refusal))),
    };
    let state = State::evolve(state, &event)?;
    let taken = past.take_in(Decided { event: Arc::clone(&event), state, named });
    Ok(taken.then_some(Ruling::Booked(event)))
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
