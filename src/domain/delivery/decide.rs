//! The decision says what may be recorded of a destination: what an operator asks, and what the service does of its own
//! accord.
//!
//! Whatever is decided fits the fold: an event that comes out of here is never refused by `Destination::evolve`.

use std::sync::Arc;

use crate::domain::reason::Reason;
use crate::domain::transfer::payout::Label;

use super::event::{DeliveryEvent, PauseCode, Resumption, TakenWhy};
use super::failure::ErrorText;
use super::progress::Progress;
use super::terms::Terms;
use super::{Destination, Stage, Wrong};

/// A `DeliveryOperation` is what is asked of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOperation {
    /// The settings name it so.
    Set {
        /// These are its settings.
        terms: Arc<Terms>,
        /// This says where it begins, where it is new or named again.
        begin: Begin,
    },
    /// Nothing is to be sent there for now.
    Pause {
        /// This says why.
        code: PauseCode,
        /// This is the operator's reason.
        reason: Option<Reason>,
    },
    /// It is to go on.
    Resume(Box<Resuming>),
    /// The settings say that it is removed.
    Remove,
    /// An instance takes it.
    Take {
        /// This is the instance.
        instance: Label,
        /// This is the id of the folder.
        holder: Option<Label>,
        /// This says why.
        why: TakenWhy,
        /// This is the revision of the destination that it rests on. After another event it is refused. That is in no event.
        seen: Option<u64>,
    },
    /// An instance asks who serves it whether it still lives.
    Challenge {
        /// This is the instance that asks.
        instance: Label,
        /// This is the revision that it rests on, as in [`Self::Take`].
        seen: Option<u64>,
    },
    /// Who serves it answers.
    Confirm {
        /// This is the term of who answers.
        term: u64,
    },
    /// Who serves it lets it go.
    Release {
        /// This is the term of who lets it go.
        term: u64,
    },
    /// A message that says nothing was sent.
    Test {
        /// This is true where it arrived.
        is_delivered: bool,
        /// This says more.
        detail: Option<ErrorText>,
    },
    /// These are about to be sent once.
    Claim {
        /// This is the term of who asks.
        term: u64,
        /// These are the positions.
        positions: Vec<u64>,
    },
    /// This happened.
    Progress(Box<Progress>),
}

/// An `After` says after which position a destination is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It goes on after this position.
    Position(u64),
    /// It goes on after the end of the journal, which is at this position.
    Head(u64),
}

impl After {
    /// Returns the position.
    #[must_use]
    pub fn position(self) -> u64 {
        match self {
            Self::Position(position) | Self::Head(position) => position,
        }
    }
}

/// A `Passed` says how many selected messages a destination passes over, and from where they were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// This is how many they are.
    pub count: u64,
    /// This is the `through` of the destination after which they were counted. Where it has moved since, the count is past.
    pub through: Option<u64>,
}

/// A `Resuming` says how a destination is to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resuming {
    /// It is to go on after this, where it is not to go on from where it stopped.
    pub after: Option<After>,
    /// This is what it passes over by that.
    pub passed: Option<Passed>,
    /// This is true where it is held. That is in no event.
    pub is_held: bool,
    /// This is the id of the folder in which it is held, where the store is one.
    pub holder: Option<Label>,
    /// This is the operator's reason.
    pub reason: Reason,
}

impl DeliveryOperation {
    /// Returns what was asked where this event was the answer. Whether the destination was held, and where a new one was to
    /// begin, is in no event: neither is compared with what is asked again.
    #[must_use]
    pub fn of(event: &DeliveryEvent) -> Self {
        match event {
            DeliveryEvent::Set { terms, from } => {
                let begin = from.map_or(Begin::Unsaid, Begin::After);
                Self::Set { terms: Arc::clone(terms), begin }
            }
            DeliveryEvent::Paused { code, reason } => Self::Pause { code: *code, reason: reason.clone() },
            DeliveryEvent::Resumed(said) => {
                let after = said.after.map(if said.is_head { After::Head } else { After::Position });
                let passed = said.passed_over.map(|count| Passed { count, through: None });
                let (holder, reason) = (said.holder.clone(), said.reason.clone());
                Self::Resume(Box::new(Resuming { after, passed, is_held: false, holder, reason }))
            }
            DeliveryEvent::Removed { .. } => Self::Remove,
            DeliveryEvent::Taken { instance, holder, why } => {
                Self::Take { instance: instance.clone(), holder: holder.clone(), why: *why, seen: None }
            }
            DeliveryEvent::Challenged { instance } => {
                Self::Challenge { instance: instance.clone(), seen: None }
            }
            DeliveryEvent::Confirmed { term } => Self::Confirm { term: *term },
            DeliveryEvent::Released { term } => Self::Release { term: *term },
            DeliveryEvent::Tested { is_delivered, detail } => {
                Self::Test { is_delivered: *is_delivered, detail: detail.clone() }
            }
            DeliveryEvent::Claimed { term, positions } => {
                Self::Claim { term: *term, positions: positions.clone() }
            }
            DeliveryEvent::Progressed(progress) => Self::Progress(progress.clone()),
        }
    }

    /// Returns its name, as it stands in differences.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Set { .. } => "destination_set",
            Self::Pause { .. } => "destination_pause",
            Self::Resume(_) => "destination_resume",
            Self::Remove => "destination_remove",
            Self::Take { .. } => "serving_take",
            Self::Challenge { .. } => "serving_challenge",
            Self::Confirm { .. } => "serving_confirm",
            Self::Release { .. } => "serving_release",
            Self::Test { .. } => "destination_test",
            Self::Claim { .. } => "delivery_claim",
            Self::Progress(_) => "delivery_progress",
        }
    }

    /// Returns the revision that it rests on, where it rests on one.
    fn seen(&self) -> Option<u64> {
        match self {
            Self::Take { seen, .. } | Self::Challenge { seen, .. } => *seen,
            Self::Set { .. }
            | Self::Pause { .. }
            | Self::Resume { .. }
            | Self::Remove
            | Self::Confirm { .. }
            | Self::Release { .. }
            | Self::Test { .. }
            | Self::Claim { .. }
            | Self::Progress(_) => None,
        }
    }
}

/// A `Begin` says where a destination begins that is new, or named again after its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The settings do not say: a new one begins here, one that is named again is refused.
    Unsaid,
    /// It begins with the event that sets it up.
    Here,
    /// It begins after this position; 0 for the start.
    After(u64),
}

/// The reason why an operation on a destination is refused. Nothing is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such destination.
    NotFound,
    /// It is not in a state in which this is possible.
    State(Stage),
    /// The settings name a removed one again, and do not say where it begins.
    NoBegin,
    /// It would go back, or pass over what was claimed.
    Back,
    /// Nothing would change.
    Same,
    /// Another serves it now, or was first.
    Stale,
}

/// Decides what is asked of a destination.
///
/// # Errors
/// Returns why it is refused: nothing is recorded then.
pub fn decide(state: Option<&Destination>, asked: &DeliveryOperation) -> Result<DeliveryEvent, Refused> {
    let Some(state) = state else {
        let DeliveryOperation::Set { terms, begin } = asked else { return Err(Refused::NotFound) };
        return Ok(DeliveryEvent::Set { terms: Arc::clone(terms), from: begin.from() });
    };
    if state.stage == Stage::Removed {
        let DeliveryOperation::Set { terms, begin } = asked else {
            let is_repeat = matches!(asked, DeliveryOperation::Remove);
            return Err(if is_repeat { Refused::Same } else { Refused::State(Stage::Removed) });
        };
        return match begin {
            Begin::Unsaid => Err(Refused::NoBegin),
            Begin::Here | Begin::After(_) => {
                Ok(DeliveryEvent::Set { terms: Arc::clone(terms), from: begin.from() })
            }
        };
    }
    if asked.seen().is_some_and(|seen| seen != state.revision) {
        return Err(Refused::Stale);
    }
    let event = proposed(state, asked)?;
    match Destination::evolve(Some(state), state.revision.saturating_add(1), &event) {
        Ok(_) => Ok(event),
        Err(Wrong::Back) => Err(Refused::Back),
        Err(Wrong::Term | Wrong::Serving | Wrong::Messages | Wrong::Revision { .. } | Wrong::NotBegun) => {
            Err(Refused::Stale)
        }
        Err(Wrong::Impossible) => Err(Refused::State(state.stage)),
    }
}

/// Returns the event that is asked of a destination which has begun and is not removed.
fn proposed(state: &Destination, asked: &DeliveryOperation) -> Result<DeliveryEvent, Refused> {
    Ok(match asked {
        // Where it begins is said once, when it is new: it stays in the settings, and means nothing after.
        DeliveryOperation::Set { terms, .. } => {
            let is_back = state.stage == Stage::Paused(PauseCode::Missing);
            if **terms == *state.terms && !is_back {
                return Err(Refused::Same);
            }
            DeliveryEvent::Set { terms: Arc::clone(terms), from: None }
        }
        DeliveryOperation::Pause { code, reason } => {
            DeliveryEvent::Paused { code: *code, reason: reason.clone() }
        }
        DeliveryOperation::Resume(asked) => resumed(state, asked)?,
        DeliveryOperation::Remove => {
            let parked = u64::try_from(state.parked.len()).unwrap_or(u64::MAX);
            DeliveryEvent::Removed { through: state.through.unwrap_or_default(), parked }
        }
        DeliveryOperation::Take { instance, holder, why, .. } => {
            DeliveryEvent::Taken { instance: instance.clone(), holder: holder.clone(), why: *why }
        }
        DeliveryOperation::Challenge { instance, .. } => {
            DeliveryEvent::Challenged { instance: instance.clone() }
        }
        DeliveryOperation::Confirm { term } => DeliveryEvent::Confirmed { term: *term },
        DeliveryOperation::Release { term } => DeliveryEvent::Released { term: *term },
        DeliveryOperation::Test { is_delivered, detail } => {
            DeliveryEvent::Tested { is_delivered: *is_delivered, detail: detail.clone() }
        }
        DeliveryOperation::Claim { term, positions } => {
            DeliveryEvent::Claimed { term: *term, positions: positions.clone() }
        }
        DeliveryOperation::Progress(progress) => DeliveryEvent::Progressed(progress.clone()),
    })
}

fn resumed(state: &Destination, asked: &Resuming) -> Result<DeliveryEvent, Refused> {
    if state.stage == Stage::Open && !asked.is_held {
        return Err(Refused::State(Stage::Open));
    }
    if asked.passed.is_some_and(|passed| passed.through != state.through) {
        return Err(Refused::Stale);
    }
    Ok(DeliveryEvent::Resumed(Box::new(Resumption {
        after: asked.after.map(After::position),
        is_head: matches!(asked.after, Some(After::Head(_))),
        passed_over: asked.passed.map(|passed| passed.count),
        holder: asked.holder.clone(),
        reason: asked.reason.clone(),
    })))
}

impl Begin {
    fn from(self) -> Option<u64> {
        match self {
            Self::Unsaid | Self::Here => None,
            Self::After(position) => Some(position),
        }
    }
}
