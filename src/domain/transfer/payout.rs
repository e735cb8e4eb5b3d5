//! A payout is the step of a transfer that happens outside the ledger. These are its parts that stand in events.

use uuid::Uuid;

use crate::domain::money::WrittenAmount;
use crate::domain::reason::Reason;

/// A `Payout` is what became of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payout {
    /// It was paid.
    Done,
    /// It was not paid and never will be.
    Declined,
}

impl Payout {
    /// Returns its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Declined => "declined",
        }
    }

    /// Returns the outcome with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Done, Self::Declined].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// This is the most characters that a label has.
const LONGEST: usize = 128;

/// A `Label` is a short text of somebody else's: 1 to 128 characters without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(Box<str>);

impl Label {
    /// Reads the text as a label; `None` when it is empty, too long, or has control characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().count();
        ((1..=LONGEST).contains(&length) && !text.chars().any(char::is_control)).then(|| Self(text.into()))
    }

    /// Makes a label of any text: control characters are left out, and what is longer is cut. `None` where nothing is left.
    #[must_use]
    pub fn cut(text: &str) -> Option<Self> {
        let kept: String = text.chars().filter(|char| !char.is_control()).take(LONGEST).collect();
        Self::parse(&kept)
    }

    /// Returns the label that an id is.
    #[must_use]
    pub fn of_id(id: Uuid) -> Self {
        Self(id.hyphenated().to_string().into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A `Sending` says how a payout is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// This is the provider's name in the settings.
    pub provider: Label,
    /// This says whether the payout may be sent again.
    pub repeat: Repeat,
    /// This is true where the provider can cancel.
    pub cancellable: bool,
    /// This is a random text, so that no two instances ever write the same bytes here.
    pub claim: Label,
}

/// A `Repeat` says whether a provider may be sent the same payout again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The provider pays a key once for ever.
    SameKey,
    /// It must be sent once.
    Never,
}

impl Repeat {
    /// Returns its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SameKey => "same_key",
            Self::Never => "never",
        }
    }

    /// Returns the one with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::SameKey, Self::Never].into_iter().find(|repeat| repeat.name() == name)
    }
}

/// A `Settlement` says what became of a payout, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// This is what became of it.
    pub outcome: Payout,
    /// This is how it is known.
    pub learnt_by: LearntBy,
    /// This is the amount that was paid, where it was less than asked.
    pub amount: Option<WrittenAmount>,
    /// This is the provider's own name for the payout.
    pub reference: Option<Label>,
    /// This is the provider's own code.
    pub code: Option<Label>,
    /// This is the operator's reason, where an operator said it.
    pub reason: Option<Reason>,
}

/// A `LearntBy` is the way in which the outcome of a payout became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearntBy {
    /// The provider answered the payout itself.
    Reply,
    /// The provider was asked.
    Status,
    /// The provider answered a cancel.
    Cancel,
    /// An operator said it.
    Operator,
}

impl LearntBy {
    const ALL: [Self; 4] = [Self::Reply, Self::Status, Self::Cancel, Self::Operator];

    /// Returns its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Status => "status",
            Self::Cancel => "cancel",
            Self::Operator => "operator",
        }
    }

    /// Returns the one with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }
}
