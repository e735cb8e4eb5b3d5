//! The terms of a destination are its settings without secrets, as they are recorded: what is sent there, how, and in which
//! order. They are an event, so that what was selected at each position follows from the journal.

use super::retry::Retry;
use super::select::Select;

/// A `Guarantee` says how often a message arrives. It has no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// A message is claimed before it is sent, and never sent again by itself: it arrives once or not at all.
    AtMostOnce,
    /// A message is sent and then recorded: it arrives, and may arrive again.
    AtLeastOnce,
    /// As [`Self::AtLeastOnce`], to a receiver that honours the message's id: it has its effect once.
    ExactlyOnceEffect,
}

impl Guarantee {
    const ALL: [Self; 3] = [Self::AtMostOnce, Self::AtLeastOnce, Self::ExactlyOnceEffect];

    /// Returns its name in settings and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AtMostOnce => "at_most_once",
            Self::AtLeastOnce => "at_least_once",
            Self::ExactlyOnceEffect => "exactly_once_effect",
        }
    }

    /// Returns the guarantee with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// An `Order` says which messages wait for which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those of one account, or of one transfer, go one after the other.
    Account,
    /// All go one after the other.
    Journal,
    /// None waits for another.
    None,
}

impl Order {
    const ALL: [Self; 3] = [Self::Account, Self::Journal, Self::None];

    /// Returns its name in settings and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Journal => "journal",
            Self::None => "none",
        }
    }

    /// Returns the order with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A `Channel` is the kind of a destination, with what is not secret of its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Messages are posted to this URL.
    Webhook {
        /// This is the URL.
        url: Box<str>,
    },
}

impl Channel {
    /// Returns the name of its kind in settings and events.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
        }
    }

    /// Returns where it sends, as it is shown.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::Webhook { url } => url,
        }
    }
}

/// The `Terms` of a destination say what is sent there, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// This is the generation of the settings that they come from.
    pub generation: u64,
    /// This is the kind of the destination, and its address.
    pub channel: Channel,
    /// This says how often a message arrives.
    pub guarantee: Guarantee,
    /// This says which messages wait for which.
    pub order: Order,
    /// This chooses what is sent.
    pub select: Select,
    /// This is how long a parked message waits.
    pub retry: Retry,
    /// This is the most messages that are under way at once, from 1 to 1,024.
    pub in_flight: u16,
    /// This is the most messages of one claim, from 1 to 1,000. It matters for [`Guarantee::AtMostOnce`] alone.
    pub claim: u16,
}

impl Terms {
    /// This is how many messages are under way where the settings do not say.
    pub const IN_FLIGHT: u16 = 64;
    /// This is the most that `in_flight` may be.
    pub const MOST_IN_FLIGHT: u16 = 1_024;
    /// This is how many messages a claim has where the settings do not say.
    pub const CLAIM: u16 = 100;
    /// This is the most that `claim` may be.
    pub const MOST_CLAIMED: u16 = 1_000;
}
