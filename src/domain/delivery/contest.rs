//! The [`Contest`] says what one of several instances does about a destination: serve it, take it, ask whether who serves it
//! lives, answer, or wait. It is told how the destination stands and when, and decides by its own monotonic clock alone.
//!
//! Nobody sends heartbeats. Who has something to send and does not record anything is asked by an event, and answers by one.
//! Two bounds keep two instances from sending at the same time: an owner begins nothing unless it has lately seen the journal's
//! end ([`Waits::blind_ms`]) and no question there that it has not answered, and who asks waits for longer than that
//! ([`Waits::unanswered_ms`]) before it takes the destination. So an owner has either seen the question, or has stopped by
//! then. What it had begun before may still arrive. The clocks may go at rates that differ by a tenth.

use crate::domain::transfer::payout::Label;

use super::decide::DeliveryOperation;
use super::event::TakenWhy;
use super::{Destination, Serving, Stage, Standing};

/// `Waits` are the times of a contest, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// An owner that has something to send and has recorded nothing for so long is asked whether it lives.
    pub stuck_ms: u64,
    /// An owner that has not answered for so long has lost the destination to who asked.
    pub unanswered_ms: u64,
    /// The others wait so much longer than who asked.
    pub stands_back_ms: u64,
    /// An owner that has answered is not asked again for so long.
    pub left_alone_ms: u64,
    /// An owner that has not seen the journal's end for so long begins nothing. It must be less than `unanswered_ms`.
    pub blind_ms: u64,
    /// An instance looks this often how the destination stands.
    pub look_ms: u64,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            stuck_ms: 15_000,
            unanswered_ms: 15_000,
            stands_back_ms: 5_000,
            left_alone_ms: 300_000,
            blind_ms: 10_000,
            look_ms: 1_000,
        }
    }
}

/// A `Contest` is what one instance knows of who serves a destination.
#[derive(Clone, Debug)]
pub struct Contest {
    me: Label,
    waits: Waits,
    /// This is the generation of the settings that this instance has.
    generation: u64,
    seen: Option<Seen>,
}

/// `Seen` is how the destination stood when this instance looked last.
#[derive(Clone, Debug)]
struct Seen {
    stage: Stage,
    serving: Option<Serving>,
    revision: u64,
    /// This is the generation of the settings that are recorded.
    generation: u64,
    /// Everything that was in the journal at this time was seen.
    as_of: u64,
    /// This is when it was first seen so: who serves, what that instance recorded last, and how it stands with the others.
    since: u64,
    /// This is since when there is something to send at this revision, as far as is known.
    work_since: Option<u64>,
}

/// A `Turn` is what an instance does next about a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It serves the destination. It may begin something before this time.
    Serve {
        /// This is the time.
        until: u64,
    },
    /// It serves the destination, and begins nothing until it has seen the journal's end again.
    Blind,
    /// It records this, which is refused where the destination does not stand any more as it was seen.
    Ask(DeliveryOperation),
    /// It has nothing to do about it before this time, or before the destination stands otherwise.
    Wait(Option<u64>),
}

impl Contest {
    /// Begins one for the instance of this name, which no other process ever has, with settings of this generation.
    #[must_use]
    pub fn new(me: Label, generation: u64, waits: Waits) -> Self {
        Self { me, waits, generation, seen: None }
    }

    /// Returns how often the instance looks how the destination stands.
    #[must_use]
    pub fn look_ms(&self) -> u64 {
        self.waits.look_ms
    }

    /// Learns how the destination stands now. The reader knew everything that was in the journal at the time `as_of`.
    pub fn looked(&mut self, state: &Destination, as_of: u64, now: u64) {
        let (serving, revision) = (state.serving.clone(), state.revision);
        let before = self.seen.as_ref();
        let same = before.filter(|before| before.serving == serving);
        self.seen = Some(Seen {
            stage: state.stage,
            since: same.map_or(now, |before| before.since),
            work_since: same
                .filter(|before| before.revision == revision)
                .and_then(|before| before.work_since),
            as_of: before.map_or(as_of, |before| before.as_of.max(as_of)),
            generation: state.terms.generation,
            serving,
            revision,
        });
    }

    /// Learns whether somebody who served the destination, as it was seen last, would find something to send now.
    pub fn found_work(&mut self, is_there: bool, now: u64) {
        if let Some(seen) = &mut self.seen {
            seen.work_since = is_there.then(|| seen.work_since.unwrap_or(now));
        }
    }

    /// Says whether it must be known whether there is something to send: where another serves the destination, and may be
    /// asked for that.
    #[must_use]
    pub fn wants_work(&self) -> bool {
        let others = self.seen.as_ref().filter(|seen| seen.stage == Stage::Open && seen.work_since.is_none());
        let serving =
            others.and_then(|seen| seen.serving.as_ref()).filter(|serving| serving.instance != self.me);
        serving.is_some_and(|serving| !serving.is_challenged() && !serving.is_released())
    }

    /// Returns the term in which this instance serves the destination, as far as it knows.
    #[must_use]
    pub fn own_term(&self) -> Option<u64> {
        let serving = self.seen.as_ref()?.serving.as_ref()?;
        (serving.instance == self.me && !serving.is_released()).then_some(serving.term)
    }

    /// Says whether the recorded settings are of a later generation than those of this instance.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.generation > self.generation)
    }

    /// Says what to do now.
    #[must_use]
    pub fn turn(&self, now: u64) -> Turn {
        let Some(seen) = &self.seen else { return Turn::Wait(None) };
        if seen.stage == Stage::Removed {
            return Turn::Wait(None);
        }
        match &seen.serving {
            Some(serving) if serving.instance == self.me && !serving.is_released() => {
                self.own(seen, serving, now)
            }
            // The settings of another generation count: who has them serves.
            _ if seen.stage != Stage::Open || self.is_outdated() => Turn::Wait(None),
            None => self.take(TakenWhy::First, seen),
            Some(serving) => self.others(seen, serving, now),
        }
    }

    fn own(&self, seen: &Seen, serving: &Serving, now: u64) -> Turn {
        let term = serving.term;
        if self.is_outdated() {
            return Turn::Ask(DeliveryOperation::Release { term });
        }
        if serving.is_challenged() {
            return Turn::Ask(DeliveryOperation::Confirm { term });
        }
        if seen.stage != Stage::Open {
            return Turn::Wait(None);
        }
        let until = seen.as_of.saturating_add(self.waits.blind_ms);
        if now < until { Turn::Serve { until } } else { Turn::Blind }
    }

    fn others(&self, seen: &Seen, serving: &Serving, now: u64) -> Turn {
        let Waits { stuck_ms, unanswered_ms, stands_back_ms, left_alone_ms, .. } = self.waits;
        match &serving.standing {
            Standing::Released => self.take(TakenWhy::Released, seen),
            Standing::Challenged { by } => {
                let more = if *by == self.me { 0 } else { stands_back_ms };
                let due = seen.since.saturating_add(unanswered_ms).saturating_add(more);
                if now < due { Turn::Wait(Some(due)) } else { self.take(TakenWhy::NoAnswer, seen) }
            }
            Standing::Active | Standing::Confirmed | Standing::Renamed => {
                let Some(work_since) = seen.work_since else { return Turn::Wait(None) };
                let stuck_since = seen.since.max(work_since);
                let is_left_alone = serving.standing == Standing::Confirmed;
                let left_alone = if is_left_alone { seen.since.saturating_add(left_alone_ms) } else { 0 };
                let due = stuck_since.saturating_add(stuck_ms).max(left_alone);
                if now < due {
                    return Turn::Wait(Some(due));
                }
                let (instance, seen) = (self.me.clone(), Some(seen.revision));
                Turn::Ask(DeliveryOperation::Challenge { instance, seen })
            }
        }
    }

    fn take(&self, why: TakenWhy, seen: &Seen) -> Turn {
        let (instance, seen) = (self.me.clone(), Some(seen.revision));
        Turn::Ask(DeliveryOperation::Take { instance, holder: None, why, seen })
    }
}
