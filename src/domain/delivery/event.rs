//! An event of a destination says what was set up, who serves it, what was claimed, and how far it has come.

use std::sync::Arc;

use crate::domain::kind::Kind;
use crate::domain::reason::Reason;
use crate::domain::transfer::payout::Label;

use super::progress::Progress;
use super::terms::Terms;

/// This is the version in which new events of destinations are written.
pub const VERSION: u32 = 1;

/// A `DeliveryEvent` is the body of an event in a destination's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// It was set up, or its settings were changed.
    Set {
        /// These are its settings, without what is secret.
        terms: Arc<Terms>,
        /// It begins after this position; `None` where it begins with this event, or goes on where it is.
        from: Option<u64>,
    },
    /// Nothing is sent there for now.
    Paused {
        /// This says why.
        code: PauseCode,
        /// This is the operator's reason, where an operator paused it.
        reason: Option<Reason>,
    },
    /// It goes on.
    Resumed(Box<Resumption>),
    /// It was removed.
    Removed {
        /// Everything up to this position was settled.
        through: u64,
        /// This is how many parked messages became dead letters by it.
        parked: u64,
    },
    /// An instance serves it from now on. The revision of this event is its term.
    Taken {
        /// This is the instance.
        instance: Label,
        /// This is the id of the folder that it serves, where the store is one.
        holder: Option<Label>,
        /// This says why.
        why: TakenWhy,
    },
    /// Another instance asks who serves it whether it still lives.
    Challenged {
        /// This is the instance that asks.
        instance: Label,
    },
    /// Who serves it lives.
    Confirmed {
        /// This is its term.
        term: u64,
    },
    /// Who serves it lets it go.
    Released {
        /// This is its term.
        term: u64,
    },
    /// A message that says nothing was sent, to see whether it arrives.
    Tested {
        /// This is true where it arrived.
        is_delivered: bool,
        /// This says more, for a person.
        detail: Option<super::failure::ErrorText>,
    },
    /// These messages are about to be sent once.
    Claimed {
        /// This is the term of who sends them.
        term: u64,
        /// These are their positions, in order.
        positions: Vec<u64>,
    },
    /// This happened since the last one.
    Progressed(Box<Progress>),
}

/// A `Resumption` says how a destination goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// It goes on after this position, where it does not go on from where it stopped.
    pub after: Option<u64>,
    /// This is true where the operator asked for the end of the journal, and `after` is where that was.
    pub is_head: bool,
    /// This is how many selected messages are never sent by that.
    pub passed_over: Option<u64>,
    /// It goes on in the folder with this id, where it was held in that folder.
    pub holder: Option<Label>,
    /// This is the operator's reason.
    pub reason: Reason,
}

/// A `PauseCode` says why nothing is sent to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseCode {
    /// An operator said so.
    Operator,
    /// The receiver said that it is gone for ever.
    Gone,
    /// The receiver's own mark is gone, and nobody can tell what it has.
    MarkLost,
    /// The store went back to an earlier state.
    StoreWentBack,
    /// The settings do not name it.
    Missing,
}

impl PauseCode {
    /// These are all codes.
    pub const ALL: [Self; 5] =
        [Self::Operator, Self::Gone, Self::MarkLost, Self::StoreWentBack, Self::Missing];

    /// Returns its name in events and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Gone => "gone",
            Self::MarkLost => "mark_lost",
            Self::StoreWentBack => "store_went_back",
            Self::Missing => "missing",
        }
    }

    /// Returns the code with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A `TakenWhy` says why an instance serves a destination from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenWhy {
    /// Nobody served it before.
    First,
    /// Who served it let it go.
    Released,
    /// Who served it does not answer.
    NoAnswer,
    /// An operator resumed it.
    Resumed,
}

impl TakenWhy {
    const ALL: [Self; 4] = [Self::First, Self::Released, Self::NoAnswer, Self::Resumed];

    /// Returns its name in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Released => "released",
            Self::NoAnswer => "no_answer",
            Self::Resumed => "resumed",
        }
    }

    /// Returns the one with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl DeliveryEvent {
    /// Returns the name of its type in the journal.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Set { .. } => "DestinationSet",
            Self::Paused { .. } => "DestinationPaused",
            Self::Resumed(_) => "DestinationResumed",
            Self::Removed { .. } => "DestinationRemoved",
            Self::Taken { .. } => "ServingTaken",
            Self::Challenged { .. } => "ServingChallenged",
            Self::Confirmed { .. } => "ServingConfirmed",
            Self::Released { .. } => "ServingReleased",
            Self::Tested { .. } => "DestinationTested",
            Self::Claimed { .. } => "DeliveryClaimed",
            Self::Progressed(_) => "DeliveryProgressed",
        }
    }

    /// Returns its kind, as the index knows it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Set { .. } => Kind::DestinationSet,
            Self::Paused { .. } => Kind::DestinationPause,
            Self::Resumed(_) => Kind::DestinationResume,
            Self::Removed { .. } => Kind::DestinationRemove,
            Self::Taken { .. } => Kind::ServingTake,
            Self::Challenged { .. } => Kind::ServingChallenge,
            Self::Confirmed { .. } => Kind::ServingConfirm,
            Self::Released { .. } => Kind::ServingRelease,
            Self::Tested { .. } => Kind::DestinationTest,
            Self::Claimed { .. } => Kind::DeliveryClaim,
            Self::Progressed(_) => Kind::DeliveryProgress,
        }
    }
}
