//! [`Serving`] is who serves a destination, as the destination's stream says it: since which event, and whether anybody asked
//! it since whether it still lives.
//!
//! Over an event store several instances could serve one. Each event here is appended at the exact revision that it was decided
//! on, so that of two that take a destination one comes first and the other is refused.

use crate::domain::transfer::payout::Label;

use super::event::TakenWhy;
use super::wrong::Wrong;

/// A `Serving` is who serves a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// This is the instance.
    pub instance: Label,
    /// This is the id of the folder that it serves, where the store is one.
    pub holder: Option<Label>,
    /// This is the revision of the event by which it took the destination.
    pub term: u64,
    /// This is the revision of the last event that it has recorded in this term.
    pub heard: u64,
    /// This says how it stands with the others.
    pub standing: Standing,
}

/// A `Standing` says how it stands between who serves a destination and those who could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It serves, and nobody has asked for it since its last event.
    Active,
    /// It was asked, and its last event is the answer.
    Confirmed,
    /// It was asked, and has not answered yet.
    Challenged {
        /// This is the instance that asks.
        by: Label,
    },
    /// It let the destination go.
    Released,
    /// The name was removed and named again since. It may go on as before.
    Renamed,
}

impl Serving {
    /// Returns who serves after an event at this revision that takes the destination from `before`.
    pub(super) fn taken(
        before: Option<&Self>,
        why: TakenWhy,
        instance: Label,
        holder: Option<Label>,
        revision: u64,
    ) -> Result<Self, Wrong> {
        let standing = before.map(|before| &before.standing);
        let fits = match why {
            TakenWhy::First => before.is_none(),
            TakenWhy::Released => matches!(standing, Some(Standing::Released | Standing::Renamed)),
            TakenWhy::NoAnswer => matches!(standing, Some(Standing::Challenged { .. })),
            TakenWhy::Resumed => true,
        };
        if !fits {
            return Err(Wrong::Serving);
        }
        Ok(Self { instance, holder, term: revision, heard: revision, standing: Standing::Active })
    }

    /// Says whether it let the destination go.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.standing == Standing::Released
    }

    /// Says whether it was asked whether it lives, and has not answered.
    #[must_use]
    pub fn is_challenged(&self) -> bool {
        matches!(self.standing, Standing::Challenged { .. })
    }

    /// Returns the same after the destination's name was removed and named again.
    pub(super) fn renamed(self) -> Self {
        let standing = if self.is_released() { Standing::Released } else { Standing::Renamed };
        Self { standing, ..self }
    }

    /// Another asks whether it lives. Nobody asks twice before there is an answer.
    pub(super) fn challenge(&mut self, by: &Label) -> Result<(), Wrong> {
        if self.is_released() || self.is_challenged() || self.instance == *by {
            return Err(Wrong::Serving);
        }
        self.standing = Standing::Challenged { by: by.clone() };
        Ok(())
    }

    /// It answers that it lives, at this revision.
    pub(super) fn confirm(&mut self, revision: u64) -> Result<(), Wrong> {
        if !self.is_challenged() {
            return Err(Wrong::Serving);
        }
        (self.heard, self.standing) = (revision, Standing::Confirmed);
        Ok(())
    }

    /// It has recorded something at this revision, which is an answer, too.
    pub(super) fn hear(&mut self, revision: u64) {
        (self.heard, self.standing) = (revision, Standing::Active);
    }

    /// It lets the destination go.
    pub(super) fn release(&mut self) {
        self.standing = Standing::Released;
    }
}
