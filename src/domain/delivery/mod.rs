//! This folder says how a destination stands (the fold of its stream), what may happen to it, and what is sent next.
//!
//! A destination is who gets the ledger's events. Its stream says how it is set up, who serves it, what was claimed and how
//! far it has come. [`evolve`](Destination::evolve) is the fold and [`decide`](decide::decide) the decision on what is asked
//! of it. The [`flow`] is the other half: what one process knows of the messages that it has in hand. It is told what
//! happened and when, and says what to send, to claim and to record next. All of it is pure, so that every order of
//! happenings can be tried in a test.

pub mod asking;
pub mod beat;
pub mod breaker;
mod chosen;
pub mod contest;
pub mod decide;
pub mod event;
pub mod failure;
pub mod flow;
pub mod name;
pub mod progress;
pub mod retry;
pub mod select;
mod serving;
pub mod terms;
mod wrong;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::transfer::payout::Label;
use event::{DeliveryEvent, PauseCode, Resumption};
use progress::{Parked, Progress};
use terms::{Guarantee, Terms};

pub use serving::{Serving, Standing};
pub use wrong::Wrong;

/// A `Destination` is a destination, as it stands after the last event of its stream. A copy of it copies no list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// These are its settings.
    pub terms: Arc<Terms>,
    /// These are the revisions of the events that set it up in this life of its name, the first one first. Until a
    /// destination has come to the position of a later one, the one before it chooses what is sent.
    pub sets: Arc<Vec<u64>>,
    /// This says whether it is served.
    pub stage: Stage,
    /// Everything up to this position is settled or parked; `None` where it begins with the first event of `sets`, and
    /// nothing is recorded yet.
    pub through: Option<u64>,
    /// This is who serves it; `None` while nobody has.
    pub serving: Option<Serving>,
    /// This is the id of the folder in which it was resumed, until that folder has taken it.
    pub granted: Option<Label>,
    /// These were passed over while messages were parked: what is after the first position and not after the second is never
    /// sent, but for what is parked.
    pub skipped: Arc<Vec<(u64, u64)>>,
    /// These are its parked messages, by their positions. Some may be after `through`, where an earlier one was under way.
    pub parked: Arc<BTreeMap<u64, Parked>>,
    /// These are the positions that were claimed and are not settled, in order.
    pub claimed: Arc<Vec<u64>>,
    /// This is the last position that was ever claimed; 0 for none.
    pub claimed_to: u64,
    /// This is how many messages were delivered, as far as it is recorded.
    pub delivered: u64,
    /// This is the revision of its last event.
    pub revision: u64,
}

/// A `Stage` says whether a destination is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is.
    Open,
    /// It is not for now, for this reason.
    Paused(PauseCode),
    /// It is not any more.
    Removed,
}

impl Destination {
    /// Returns the destination after an event of its stream.
    ///
    /// # Errors
    /// Fails when the event is not the next of this stream, or is impossible as the destination stands.
    pub fn evolve(before: Option<&Self>, revision: u64, event: &DeliveryEvent) -> Result<Self, Wrong> {
        let expected = before.map_or(0, |before| before.revision.saturating_add(1));
        if revision != expected {
            return Err(Wrong::Revision { expected });
        }
        let Some(before) = before else {
            let DeliveryEvent::Set { terms, from } = event else { return Err(Wrong::NotBegun) };
            return Ok(Self::begun(terms, *from, revision));
        };
        if before.stage == Stage::Removed {
            // The name comes back. What was parked or claimed before is over.
            let DeliveryEvent::Set { terms, from } = event else { return Err(Wrong::Impossible) };
            let serving = before.serving.clone().map(Serving::renamed);
            return Ok(Self { serving, ..Self::begun(terms, *from, revision) });
        }
        let mut after = Self { revision, ..before.clone() };
        after.take(event)?;
        Ok(after)
    }

    fn begun(terms: &Arc<Terms>, from: Option<u64>, revision: u64) -> Self {
        Self {
            terms: Arc::clone(terms),
            sets: Arc::new(vec![revision]),
            stage: Stage::Open,
            through: from,
            serving: None,
            granted: None,
            skipped: Arc::default(),
            parked: Arc::default(),
            claimed: Arc::default(),
            claimed_to: 0,
            delivered: 0,
            revision,
        }
    }

    /// Returns the term of who serves it.
    #[must_use]
    pub fn term(&self) -> Option<u64> {
        self.serving.as_ref().map(|serving| serving.term)
    }

    fn take(&mut self, event: &DeliveryEvent) -> Result<(), Wrong> {
        match event {
            DeliveryEvent::Set { terms, from } => {
                if from.is_some() {
                    return Err(Wrong::Impossible);
                }
                self.terms = Arc::clone(terms);
                Arc::make_mut(&mut self.sets).push(self.revision);
                if self.stage == Stage::Paused(PauseCode::Missing) {
                    self.stage = Stage::Open;
                }
            }
            DeliveryEvent::Paused { code, .. } => match self.stage {
                Stage::Open => self.stage = Stage::Paused(*code),
                Stage::Paused(_) | Stage::Removed => return Err(Wrong::Impossible),
            },
            DeliveryEvent::Resumed(said) => self.resume(said)?,
            DeliveryEvent::Removed { .. } => {
                self.stage = Stage::Removed;
                (self.parked, self.claimed, self.skipped) = Default::default();
            }
            DeliveryEvent::Taken { instance, holder, why } => {
                let (instance, holder) = (instance.clone(), holder.clone());
                self.granted = None;
                self.serving =
                    Some(Serving::taken(self.serving.as_ref(), *why, instance, holder, self.revision)?);
            }
            DeliveryEvent::Challenged { instance } => {
                if self.stage != Stage::Open {
                    return Err(Wrong::Impossible);
                }
                self.serving.as_mut().ok_or(Wrong::Serving)?.challenge(instance)?;
            }
            DeliveryEvent::Confirmed { term } => {
                let revision = self.revision;
                self.served_in(*term)?.confirm(revision)?;
            }
            DeliveryEvent::Released { term } => self.served_in(*term)?.release(),
            DeliveryEvent::Tested { .. } => {}
            DeliveryEvent::Claimed { term, positions } => self.claim(*term, positions)?,
            DeliveryEvent::Progressed(progress) => self.progress(progress)?,
        }
        Ok(())
    }

    /// Goes on. What is passed over while messages are parked is kept in mind, since the streams of parked messages are read
    /// again.
    fn resume(&mut self, said: &Resumption) -> Result<(), Wrong> {
        self.stage = Stage::Open;
        self.granted.clone_from(&said.holder);
        let Some(after) = said.after else { return Ok(()) };
        let before = self.through.unwrap_or_default();
        self.go_to(after)?;
        if !self.parked.is_empty() {
            Arc::make_mut(&mut self.skipped).push((before, after));
        }
        Ok(())
    }

    /// Returns who serves it, where that is in this term, and it was not let go.
    fn served_in(&mut self, term: u64) -> Result<&mut Serving, Wrong> {
        let serving = self.serving.as_mut().filter(|serving| serving.term == term && !serving.is_released());
        serving.ok_or(Wrong::Term)
    }

    /// Goes forward to a position. What was claimed up to there is settled.
    fn go_to(&mut self, through: u64) -> Result<(), Wrong> {
        if self.through.is_some_and(|before| through < before) {
            return Err(Wrong::Back);
        }
        self.through = Some(through);
        if self.claimed.first().is_some_and(|first| *first <= through) {
            Arc::make_mut(&mut self.claimed).retain(|position| *position > through);
        }
        Ok(())
    }

    /// Claims go forward alone, so that no message is ever claimed twice.
    fn claim(&mut self, term: u64, positions: &[u64]) -> Result<(), Wrong> {
        let revision = self.revision;
        self.served_in(term)?.hear(revision);
        let is_possible = self.stage == Stage::Open && self.terms.guarantee == Guarantee::AtMostOnce;
        if !is_possible || !(1..=usize::from(Terms::MOST_CLAIMED)).contains(&positions.len()) {
            return Err(Wrong::Impossible);
        }
        for position in positions {
            if *position <= self.claimed_to.max(self.through.unwrap_or_default()) {
                return Err(Wrong::Back);
            }
            self.claimed_to = *position;
        }
        Arc::make_mut(&mut self.claimed).extend(positions);
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) -> Result<(), Wrong> {
        let revision = self.revision;
        self.served_in(progress.term)?.hear(revision);
        if !progress.unconfirmed.iter().all(|position| self.claimed.contains(position)) {
            return Err(Wrong::Messages);
        }
        self.go_to(progress.through)?;
        self.delivered = self.delivered.saturating_add(progress.delivered);
        if !progress.unconfirmed.is_empty() {
            Arc::make_mut(&mut self.claimed).retain(|position| !progress.unconfirmed.contains(position));
        }
        if progress.settled.is_empty() && progress.parked.is_empty() && progress.attempted.is_empty() {
            return Ok(());
        }
        let parked = Arc::make_mut(&mut self.parked);
        for position in progress.settled.keys() {
            parked.remove(position).ok_or(Wrong::Messages)?;
        }
        for (position, now) in &progress.attempted {
            let before = parked.get_mut(position).ok_or(Wrong::Messages)?;
            let is_same = (&before.stream, before.revision) == (&now.stream, now.revision);
            if !is_same || now.attempts <= before.attempts {
                return Err(Wrong::Messages);
            }
            before.clone_from(now);
        }
        for (position, now) in &progress.parked {
            if parked.insert(*position, now.clone()).is_some() {
                return Err(Wrong::Messages);
            }
        }
        if parked.is_empty() {
            self.skipped = Arc::default();
        }
        Ok(())
    }
}
