//! This folder says how a transfer stands (the fold of its stream), what may happen to it, and what is to be done next.
//!
//! A transfer is a saga of its own stream: a hold on one account, the credit on the other, the capture of the hold. Its
//! stream says what was asked and how it ended; its steps are events of the accounts. [`evolve`](Transfer::evolve) is the
//! fold, [`decide`](decide::decide) the decision on what is asked of it, and [`todo`](todo::todo) says what a driver does
//! next. All three are pure, so that every order of events can be tried in a test. `sagas` is what drives it.

pub mod asking;
pub mod call;
pub mod check;
pub mod command;
pub mod decide;
pub mod decline;
pub mod event;
pub mod payout;
pub mod stage;
pub mod steps;
pub mod todo;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::command::Stopped;
use super::event::{Event, EvolveError};
use super::ids::{Id, TransactionId};
use super::money::Amount;
use super::time::Timestamp;
use command::{Stall, StallCode};
use event::{Fact, Terms, TransferEvent};
use payout::{LearntBy, Payout, Repeat, Settlement};
use stage::{Stage, Target, Trigger};

/// A `Transfer` is a transfer, as it stands after the last event of its stream. A copy of it copies no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// This is its ID.
    pub id: TransactionId,
    /// These say what it is to do.
    pub terms: Arc<Terms>,
    /// This is the business process that it belongs to, if its request named one. Its steps belong to the same.
    pub correlation: Option<Arc<str>>,
    /// This is its state.
    pub stage: Stage,
    /// This is the state in which the service stalled, while an operator is needed or has left it.
    pub stalled_in: Option<Stage>,
    /// This says what stopped it first, if anything has.
    pub stopped: Option<Stopped>,
    /// This is how often the service stalled.
    pub stalls: u32,
    /// This is how often an operator let the service go on.
    pub resumes: u32,
    /// This is what is recorded of its payout.
    pub payout: Paid,
    /// This is the revision of its last event.
    pub revision: u64,
    /// This is a running hash over the IDs that its stream has seen and how each ended.
    pub seen: [u8; 32],
}

/// A `Paid` says what is recorded of the payout of a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    /// This is true where it may have been sent: it was about to be, or the original of a restored ledger may have sent it.
    pub sent: bool,
    /// This says whether it may be sent again; `None` where no sending of it is recorded here.
    pub repeat: Option<Repeat>,
    /// This is true where its provider can cancel it.
    pub cancellable: bool,
    /// This is what came later. It is apart, so that the state of a stream is not larger for what few have.
    later: Option<Arc<Later>>,
}

/// `Later` has what is recorded of a transfer after its payout was sent, or after an operator was needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Later {
    /// This is what became of the payout, once that is known.
    pub settled: Option<Settled>,
    /// This is how often the provider said otherwise than what is recorded.
    pub contradictions: u32,
    /// This is when an operator last let the service go on.
    pub resumed_at: Option<Timestamp>,
}

impl Paid {
    /// Returns what came later.
    #[must_use]
    pub fn later(&self) -> Later {
        self.later.as_deref().copied().unwrap_or_default()
    }

    /// Makes it of its parts, in their order.
    #[must_use]
    pub fn new(sent: bool, repeat: Option<Repeat>, cancellable: bool, later: Later) -> Self {
        let later = (later != Later::default()).then(|| Arc::new(later));
        Self { sent, repeat, cancellable, later }
    }

    fn change(&mut self) -> &mut Later {
        Arc::make_mut(self.later.get_or_insert_default())
    }
}

/// A `Settled` says what is recorded to have become of a payout.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// This is what became of it.
    pub outcome: Payout,
    /// This is the amount that was paid, where it was less than asked.
    pub part: Option<Amount>,
    /// This is how it became known.
    pub learnt_by: LearntBy,
}

/// Two are equal where they say the same of the payout, however each became known.
impl PartialEq for Settled {
    fn eq(&self, other: &Self) -> bool {
        (self.outcome, self.part) == (other.outcome, other.part)
    }
}

impl Eq for Settled {}

impl Transfer {
    /// Returns the amount that moves where it moves: all that was asked for, or the part that was paid.
    #[must_use]
    pub fn moves(&self) -> Amount {
        self.payout.later().settled.and_then(|settled| settled.part).unwrap_or(self.terms.amount)
    }

    /// Returns what is said of its payout; `None` where the amount is none of its currency.
    #[must_use]
    pub fn settled(&self, said: &Settlement) -> Option<Settled> {
        let part = said.amount.map(|amount| amount.fit(self.terms.currency)).transpose().ok()?;
        Some(Settled { outcome: said.outcome, part, learnt_by: said.learnt_by })
    }

    /// Returns the transfer after an event of its stream. Every fact is covered, and the state that the event tells is never
    /// read.
    ///
    /// # Errors
    /// Fails when the event is not the next of this stream, or is impossible in the transfer's state.
    pub fn evolve(
        before: Option<&Self>,
        id: TransactionId,
        event: &Event,
        body: &TransferEvent,
    ) -> Result<Self, EvolveError> {
        let mut transfer = match (before, &body.fact) {
            (Some(before), _) => Self { revision: before.revision.saturating_add(1), ..before.clone() },
            (None, Fact::Requested { terms, .. }) => {
                let correlation = event.origin.correlation.as_deref().map(Into::into);
                Self { correlation, ..Self::new(id, terms) }
            }
            (None, _) => return Err(EvolveError::not_opened(event)),
        };
        if transfer.revision != event.revision {
            return Err(EvolveError::revision(event, transfer.revision));
        }
        if before.is_some() {
            transfer.take(event, body).ok_or_else(|| EvolveError::impossible(event))?;
        }
        transfer.seen = saw(transfer.seen, event, body);
        Ok(transfer)
    }

    /// Returns when its deadline is to be recorded; `None` where it was, or can't be any more.
    #[must_use]
    pub fn timer(&self) -> Option<Timestamp> {
        let is_possible = self.stopped.is_none() && self.stage.after(Trigger::TimedOut).is_some();
        is_possible.then_some(self.terms.deadline_at)
    }

    /// Returns a transfer as it stands after its request, which names no business process.
    #[must_use]
    pub fn new(id: TransactionId, terms: &Arc<Terms>) -> Self {
        Self {
            id,
            terms: Arc::clone(terms),
            correlation: None,
            stage: Stage::UnderWay,
            stalled_in: None,
            stopped: None,
            stalls: 0,
            resumes: 0,
            payout: Paid::default(),
            revision: 0,
            seen: [0; 32],
        }
    }

    /// Takes in an event after the first; `None` where it is impossible.
    fn take(&mut self, event: &Event, body: &TransferEvent) -> Option<()> {
        let Some(trigger) = body.trigger() else {
            return matches!(body.fact, Fact::Declined { .. }).then_some(());
        };
        let after = match self.stage.after(trigger)? {
            Target::To(stage) => stage,
            // From an end only an operator's leaving it leads on.
            Target::Back => self.stalled_in.filter(|stage| !stage.is_end())?,
        };
        match &body.fact {
            Fact::Requested { .. } => return None,
            Fact::CancelRequested(_) => drop(self.stopped.get_or_insert(Stopped::Cancelled)),
            Fact::TimedOut => drop(self.stopped.get_or_insert(Stopped::TimedOut)),
            Fact::PayoutSent(sending) => {
                (self.payout.sent, self.payout.repeat) = (true, Some(sending.repeat));
                self.payout.cancellable = sending.cancellable;
            }
            Fact::PayoutSettled(said) => self.payout.change().settled = Some(self.settled(said)?),
            Fact::PayoutContradicted(_) => {
                let later = self.payout.change();
                later.contradictions = later.contradictions.saturating_add(1);
            }
            Fact::Stalled(Stall { code, .. }) => {
                self.stalls = self.stalls.saturating_add(1);
                self.payout.sent |= *code == StallCode::Restored;
            }
            Fact::Resumed(_) => {
                self.resumes = self.resumes.saturating_add(1);
                self.payout.change().resumed_at = Some(event.recorded_at);
            }
            Fact::Abandoned(_) | Fact::Completed { .. } | Fact::Unmoved(_) | Fact::Declined { .. } => {}
        }
        self.stalled_in = match after {
            Stage::NeedsOperator if self.stage != Stage::NeedsOperator && self.stage != Stage::Abandoned => {
                Some(self.stage)
            }
            Stage::NeedsOperator | Stage::Abandoned => self.stalled_in,
            Stage::UnderWay
            | Stage::Stopping
            | Stage::Paying
            | Stage::Asking
            | Stage::Finishing
            | Stage::Releasing
            | Stage::Completed
            | Stage::Declined
            | Stage::Compensated
            | Stage::Cancelled => None,
        };
        self.stage = after;
        Some(())
    }
}

/// Returns the running hash of seen IDs after one more event.
fn saw(before: [u8; 32], event: &Event, body: &TransferEvent) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    match event.id {
        Id::Client(id) => hash.update(id.as_bytes()),
        Id::Step { .. } | Id::Absent => {
            let mut text = Vec::with_capacity(64);
            event.id.write(&mut text);
            hash.update(&text);
        }
    }
    match body.decline() {
        Some(decline) => {
            hash.update(b"declined:");
            hash.update(decline.code());
        }
        None => {
            hash.update(b"accepted:");
            hash.update(body.type_name());
        }
    }
    hash.finalize().into()
}
