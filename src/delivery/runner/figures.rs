//! The figures say how a destination is served by this process: what is under way, what came of the last attempts, and how many
//! there were of each kind.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::delivery::beat::Beat;
use crate::domain::delivery::failure::{Attempted, Failure, FailureClass};
use crate::domain::delivery::flow::Flow;
use crate::domain::time::Timestamp;

/// A `Seen` is how a destination was seen last.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// This is true while this process serves it.
    pub is_served: bool,
    /// Everything up to this position is settled, parked or held back.
    pub through: u64,
    /// This is how many messages are under way.
    pub in_flight: usize,
    /// This is how many messages are parked.
    pub parked: usize,
    /// This is the position of the oldest parked message.
    pub oldest_parked: Option<u64>,
    /// This is how many accounts wait behind a parked message.
    pub held_accounts: usize,
    /// This is since when the destination is down; `None` while it is not.
    pub down_since: Option<Timestamp>,
    /// This is when a message that has failed is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// This is when a message was delivered last.
    pub last_delivered_at: Option<Timestamp>,
    /// This is the last failure, and when it was.
    pub last_error: Option<(Failure, Timestamp)>,
    /// This is when an attempt was over last, whatever came of it.
    pub last_attempt_at: Option<Timestamp>,
    /// This is how many messages were given up because nobody knows whether they were sent.
    pub unconfirmed: u64,
    /// These are the finished attempts, by what came of them: `delivered`, or the class of the failure.
    pub attempts: BTreeMap<&'static str, u64>,
}

/// The `Figures` of a destination are shared by who serves it and who asks.
#[derive(Debug, Default)]
pub(super) struct Figures(Mutex<Seen>);

impl Figures {
    pub(super) fn seen(&self) -> Seen {
        self.0.lock().clone()
    }

    /// An attempt is over.
    pub(super) fn attempted(&self, came: &Attempted, now: Timestamp) {
        let mut seen = self.0.lock();
        seen.last_attempt_at = Some(now);
        let class = match came {
            Attempted::Delivered => {
                seen.last_delivered_at = Some(now);
                "delivered"
            }
            Attempted::Failed { failure, .. } => {
                seen.last_error = Some((failure.clone(), now));
                failure.class.name()
            }
        };
        let count = seen.attempts.entry(class).or_default();
        *count = count.saturating_add(1);
    }

    /// A message was given up because of this.
    pub(super) fn gave_up(&self, why: FailureClass) {
        if why == FailureClass::Unconfirmed {
            let mut seen = self.0.lock();
            seen.unconfirmed = seen.unconfirmed.saturating_add(1);
        }
    }

    /// The flow stands so now. Returns whether the destination is down, where it went down or came back with that.
    pub(super) fn stands(&self, flow: &Flow, beat: &Beat) -> Option<bool> {
        let (mut seen, now) = (self.0.lock(), beat.wall);
        seen.is_served = true;
        seen.through = flow.through();
        let again = flow.tries_again().map(|tick| beat.wall_in(tick.saturating_sub(beat.tick_ms)));
        seen.next_attempt_at = again;
        (seen.in_flight, seen.parked) = (flow.in_flight(), flow.parked());
        (seen.oldest_parked, seen.held_accounts) = (flow.oldest_parked(), flow.held_accounts());
        let (was_down, is_down) = (seen.down_since.is_some(), flow.down_since().is_some());
        seen.down_since = flow.down_since().and(seen.down_since.or(Some(now)));
        (was_down != is_down).then_some(is_down)
    }

    /// Nobody serves it in this process any more.
    pub(super) fn rests(&self) {
        let mut seen = self.0.lock();
        (seen.is_served, seen.in_flight, seen.down_since, seen.next_attempt_at) = (false, 0, None, None);
    }
}
