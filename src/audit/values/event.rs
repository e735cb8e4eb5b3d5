//! [`Event`] is an event as the auditor holds it after its line was parsed.
//!
//! Sums are numbers of minor units. Names are spans of the block that the line is in, so that an event costs no copies.

use crate::audit::values::chain::{self, Hash};
use crate::audit::values::currency::Currency;
use crate::audit::values::delivery::{DeliveryBody, LetterBody};
use crate::audit::values::fact::{Direction, Fact};
use crate::audit::values::id::Id;
use crate::audit::values::moment::Moment;
use crate::audit::values::span::Span;
use crate::audit::values::transfer::{State, TransferFact};

/// An event says what happened on one guarded account, to one transfer or to one destination, and what it answers for ever.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// This is the event's place in the journal.
    pub(crate) position: u64,
    /// This is the name of the event's stream, with the prefix that says what it is of.
    pub(crate) stream: Span,
    /// This is the event's place in that stream.
    pub(crate) revision: u64,
    /// This is when it was recorded.
    pub(crate) recorded_at: Moment,
    /// This is the transaction ID.
    pub(crate) id: Id,
    /// This is what happened, and the answer.
    pub(crate) body: Body,
    /// This is its hash.
    pub(crate) hash: Hash,
    /// These are the canonical bytes without their braces: what stands before the event's id, and what stands between
    /// id and hash.
    pub(crate) canonical: (Span, Span),
}

/// A body is what an event says, which differs by whose stream it is in.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// The event is an account's.
    Account(AccountBody),
    /// The event is a transfer's.
    Transfer(Box<TransferBody>),
    /// The event is a destination's.
    Delivery(Box<DeliveryBody>),
    /// The event is a letter's.
    Letter(Box<LetterBody>),
}

/// An account's body is what an event in the stream of an account says.
#[derive(Debug, Clone)]
pub(crate) struct AccountBody {
    /// This is the account's name.
    pub(crate) account: Span,
    /// This is the account's currency, as the event says.
    pub(crate) currency: Currency,
    /// This is what happened.
    pub(crate) fact: Fact,
    /// This is the balance after the event, and what is available then, as the event says.
    pub(crate) answer: (i128, i128),
}

/// A transfer's body is what an event in the stream of a transfer says.
#[derive(Debug, Clone)]
pub(crate) struct TransferBody {
    pub(crate) transfer: u128,
    /// This is what happened.
    pub(crate) fact: TransferFact,
    /// This is the state after the event, as the event says.
    pub(crate) state: State,
}

/// These are the names of all types of event. Movements are by far the most, and stand first.
pub(crate) const TYPES: [&str; 43] = [
    "Deposited",
    "Withdrawn",
    "AccountOpened",
    "Declined",
    "Reversed",
    "Prevented",
    "Corrected",
    "Frozen",
    "Unfrozen",
    "Closed",
    "OverdraftLimitChanged",
    "HoldPlaced",
    "HoldCaptured",
    "HoldReleased",
    "HoldExpired",
    "HoldPrevented",
    "TransferCredited",
    "CreditPrevented",
    "TransferRequested",
    "TransferCancelRequested",
    "TransferTimedOut",
    "PayoutSent",
    "PayoutSettled",
    "PayoutContradicted",
    "TransferStalled",
    "TransferResumed",
    "TransferAbandoned",
    "TransferCompleted",
    "TransferDeclined",
    "TransferCompensated",
    "TransferCancelled",
    "DestinationSet",
    "DestinationPaused",
    "DestinationResumed",
    "DestinationRemoved",
    "ServingTaken",
    "ServingChallenged",
    "ServingConfirmed",
    "ServingReleased",
    "DestinationTested",
    "DeliveryClaimed",
    "DeliveryProgressed",
    "DeadLettered",
];

impl Event {
    /// Gives the name of the event's type.
    #[must_use]
    pub(crate) const fn type_name(&self) -> &'static str {
        match &self.body {
            Body::Account(body) => body.fact.type_name(),
            Body::Transfer(body) => body.fact.type_name(),
            Body::Delivery(body) => body.fact.type_name(),
            Body::Letter(_) => "DeadLettered",
        }
    }

    /// Gives its own id, from the block that it was read from, where it is a UUID. It stands before the second part of its
    /// canonical bytes.
    #[must_use]
    pub(crate) fn event_id(&self, block: &[u8]) -> Option<u128> {
        chain::read_uuid(self.canonical.1.before(block)?.strip_suffix(b"\",")?.last_chunk()?)
    }

    /// Gives the place of the event's type in [`TYPES`]. That of a movement is found without a search.
    #[must_use]
    pub(crate) fn type_number(&self) -> Option<usize> {
        if let Body::Account(AccountBody { fact: Fact::Moved { direction, .. }, .. }) = &self.body {
            return Some(usize::from(*direction == Direction::Debit));
        }
        let name = self.type_name();
        TYPES.iter().position(|known| *known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An audit moves each event several times. What only some events have stands in boxes.
    #[test]
    fn an_event_has_few_bytes() {
        assert!(size_of::<Event>() <= 288, "{}", size_of::<Event>());
    }
}
