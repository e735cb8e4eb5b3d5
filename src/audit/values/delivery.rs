//! What the service records of its deliveries has events of its own: [`DeliveryFact`] is what those of a destination say, and
//! [`LetterBody`] what that of a letter says.

use crate::audit::values::currency::Currency;
use crate::audit::values::span::Span;

/// A destination's body is what an event in the stream of a destination says.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryBody {
    /// This is the destination's name.
    pub(crate) name: Span,
    /// This is what happened.
    pub(crate) fact: DeliveryFact,
}

/// A letter's body is what the first event in the stream of a letter says.
#[derive(Debug, Clone)]
pub(crate) struct LetterBody {
    /// This is the letter's id.
    pub(crate) letter: u128,
    /// This is the destination whose message it was.
    pub(crate) source: Span,
    /// This is the message's id.
    pub(crate) message_id: Span,
    /// This is the account of the message's event, where it was an account's.
    pub(crate) account: Option<Span>,
    /// This is the position of the message's event.
    pub(crate) position: u64,
}

/// A destination's fact is what an event of its own stream says has happened.
#[derive(Debug, Clone)]
pub(crate) enum DeliveryFact {
    /// It was set up, or its settings were changed.
    Set(Box<Setting>),
    /// It waits. This says whether it does because the settings do not name it.
    Paused { missing: bool },
    /// It goes on, behind a position where one is named, and passes so many messages over by that.
    Resumed { after: Option<u64>, passed_over: Option<u64> },
    /// It was removed.
    Removed { through: u64, parked: u64 },
    /// An instance serves it from now on.
    Taken { instance: Span, why: TakenWhy },
    /// An instance asks who serves it whether it still lives.
    Challenged { instance: Span },
    /// Who serves it answers.
    Confirmed { term: u64 },
    /// Who serves it lets it go.
    Released { term: u64 },
    /// A message that says nothing was sent.
    Tested,
    /// Messages are about to be sent once.
    Claimed { term: u64, positions: Vec<u64> },
    /// This happened since the last one.
    Progressed(Box<Progressed>),
}

/// This says why an instance serves a destination from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakenWhy {
    /// Nobody served it before.
    First,
    /// Who served it let it go.
    Released,
    /// Who served it has not answered.
    NoAnswer,
    /// An operator said so.
    Resumed,
}

/// A setting is what is set up, as far as the rules need it.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// This says that a message is sent once at most.
    pub(crate) at_most_once: bool,
    /// This says that all messages go one after the other.
    pub(crate) in_order: bool,
    pub(crate) filter: Filter,
    /// It begins behind this position.
    pub(crate) from: Option<u64>,
}

/// A filter says which events are sent. A part that is empty holds for each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) types: Vec<Vec<u8>>,
    pub(crate) accounts: Vec<Vec<u8>>,
    pub(crate) currencies: Vec<Currency>,
    pub(crate) amount_min: Option<Vec<u8>>,
    pub(crate) metadata: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) none: bool,
}

/// This is what a destination's progress says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progressed {
    pub(crate) term: u64,
    pub(crate) through: u64,
    pub(crate) delivered: u64,
    pub(crate) unconfirmed: Vec<u64>,
    pub(crate) parked: Vec<ParkedRow>,
    pub(crate) attempted: Vec<ParkedRow>,
    /// These are positions, and whether the message became a dead letter.
    pub(crate) settled: Vec<(u64, bool)>,
}

/// A parked message is named by its event's place in the journal and in its stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParkedRow {
    pub(crate) position: u64,
    pub(crate) stream: Span,
    pub(crate) revision: u64,
    pub(crate) attempts: u64,
}

impl DeliveryFact {
    /// Gives the name of the event's type.
    #[must_use]
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::Set(_) => "DestinationSet",
            Self::Paused { .. } => "DestinationPaused",
            Self::Resumed { .. } => "DestinationResumed",
            Self::Removed { .. } => "DestinationRemoved",
            Self::Taken { .. } => "ServingTaken",
            Self::Challenged { .. } => "ServingChallenged",
            Self::Confirmed { .. } => "ServingConfirmed",
            Self::Released { .. } => "ServingReleased",
            Self::Tested => "DestinationTested",
            Self::Claimed { .. } => "DeliveryClaimed",
            Self::Progressed(_) => "DeliveryProgressed",
        }
    }
}
