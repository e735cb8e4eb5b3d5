//! The rule: what becomes of one command. Seen before, ruled out, or decided now; it stands here once for both clerks and
//! for the tests.
//!
//! In this order: was the ID booked before (then that event is the answer), was it ruled out, what is known of the ID that
//! the command names, how does the stream stand; then the pure [`decide`]; then the fold. What is known is said by a
//! [`Past`], in which every decision before this one counts already.

use std::sync::Arc;

use crate::domain::command::Command;
use crate::domain::decide::{Refusal, Standing, decide};
use crate::domain::event::{Event, EvolveError};
use crate::domain::ids::Id;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::domain::trace::Trace;
use crate::store::Position;

use super::verdict::Unavailable;

/// What became of one command.
#[derive(Clone, Debug)]
pub enum Ruling {
    /// It was new: this event is to be recorded.
    Booked(Arc<Event>),
    /// Its ID was used before, for this event.
    Seen(First),
    /// Nothing is recorded.
    Refused(Refusal),
    /// What it names can't be read; nothing is recorded. Others are ruled on.
    Unavailable(Unavailable),
}

/// The event that an ID was used for first.
#[derive(Clone, Debug)]
pub enum First {
    /// It is at hand: in an append that is not durable yet, or in one that became so not long ago.
    AtHand(Arc<Event>),
    /// It is durable, at this position or before it.
    Durable(Arc<Event>, Position),
    /// It is durable and stands at this position. Nobody has read it yet.
    Stored(Position),
}

/// What is known of a command's own ID.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Nothing: it is new.
    Never,
    /// The event with this ID ruled it out on this stream.
    RuledOut(Id),
    /// It was used, on this stream or on another.
    Booked(First),
}

/// A decision that was made: the event, and what follows from it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The event.
    pub event: Arc<Event>,
    /// How its stream stands after it.
    pub state: State,
    /// What was known, before the event, of the ID that it names.
    pub named: Option<Trace>,
}

/// What a clerk knows, as all decisions before the next one leave it, durable or not.
pub trait Past {
    /// Why it can't be said.
    type Error: From<EvolveError>;

    /// What is known of a command's own ID.
    ///
    /// # Errors
    /// When it can't be read.
    fn seen(&mut self, id: Id, stream: &StreamName) -> Result<Seen, Self::Error>;

    /// What the stream says of an ID.
    ///
    /// # Errors
    /// When it can't be read.
    fn trace(&mut self, id: Id, stream: &StreamName) -> Result<Trace, Self::Error>;

    /// How the stream stands; `None` when it has not begun.
    ///
    /// # Errors
    /// When it can't be read.
    fn state(&mut self, stream: &StreamName) -> Result<Option<&State>, Self::Error>;

    /// Takes in a decision; from now on it counts. `false`: there is no room for it, and it was not made.
    fn take_in(&mut self, decided: Decided) -> bool;
}

/// Rules on one command. `None`: it made an event for which there is no room any more.
///
/// # Errors
/// When what it must know can't be read.
pub fn rule<P: Past>(past: &mut P, command: &Command, now: Timestamp) -> Result<Option<Ruling>, P::Error> {
    let ruled_out_by = match past.seen(command.id, &command.stream)? {
        Seen::Booked(first) => return Ok(Some(Ruling::Seen(first))),
        Seen::RuledOut(by) => Some(by),
        Seen::Never => None,
    };
    let named = command.names().map(|id| past.trace(id, &command.stream)).transpose()?;
    let state = past.state(&command.stream)?;
    let event = match decide(Standing { state, ruled_out_by, named: named.as_ref() }, command, now) {
        Ok(event) => Arc::new(event),
        Err(refusal) => return Ok(Some(Ruling::Refused(refusal))),
    };
    let state = State::evolve(state, &event)?;
    let taken = past.take_in(Decided { event: Arc::clone(&event), state, named });
    Ok(taken.then_some(Ruling::Booked(event)))
}
