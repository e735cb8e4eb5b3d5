//! A [`Served`] is who serves a destination by the journal, and whether somebody asked in vain whether it lives.
//!
//! Of several instances one at a time serves a destination, and its revision at that time is the term of all that it records.

use crate::audit::values::delivery::TakenWhy;
use crate::audit::values::finding::Flaw;

/// A `Served` is an instance that serves a destination, or the last one that did.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) term: u64,
    instance: Box<[u8]>,
    was: Was,
}

/// This is what came last between that instance and the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Was {
    /// It recorded something.
    Heard,
    /// Another asked whether it lives.
    Asked,
    /// It let the destination go.
    Gone,
    /// The destination was removed and named again.
    Renamed,
}

impl Served {
    /// Gives who serves after an instance took the destination at this revision.
    pub(super) fn take(
        before: Option<&Self>,
        why: TakenWhy,
        instance: &[u8],
        revision: u64,
    ) -> Result<Self, Flaw> {
        match (why, before.map(|before| before.was)) {
            (TakenWhy::First, Some(_)) => return Err(Flaw::NotNow("another served it before")),
            (TakenWhy::Released, None | Some(Was::Heard | Was::Asked)) => {
                return Err(Flaw::NotNow("nobody let it go"));
            }
            (TakenWhy::NoAnswer, None | Some(Was::Heard | Was::Gone | Was::Renamed)) => {
                return Err(Flaw::NotNow("nobody was asked without an answer"));
            }
            (TakenWhy::First, None)
            | (TakenWhy::Released, Some(Was::Gone | Was::Renamed))
            | (TakenWhy::NoAnswer, Some(Was::Asked))
            | (TakenWhy::Resumed, _) => {}
        }
        Ok(Self { term: revision, instance: instance.into(), was: Was::Heard })
    }

    /// Says whether it let the destination go.
    pub(super) fn is_gone(&self) -> bool {
        self.was == Was::Gone
    }

    /// Gives the same after the destination was removed and named again.
    pub(super) fn renamed(self) -> Self {
        let was = if self.is_gone() { Was::Gone } else { Was::Renamed };
        Self { was, ..self }
    }

    pub(super) fn challenge(&mut self, instance: &[u8]) -> Result<(), Flaw> {
        if *self.instance == *instance {
            return Err(Flaw::NotNow("an instance asked itself"));
        }
        match self.was {
            Was::Heard | Was::Renamed => self.was = Was::Asked,
            Was::Asked => return Err(Flaw::NotNow("who serves it was asked already")),
            Was::Gone => return Err(Flaw::NotNow("nobody serves it, and was asked")),
        }
        Ok(())
    }

    pub(super) fn confirm(&mut self) -> Result<(), Flaw> {
        if self.was != Was::Asked {
            return Err(Flaw::NotNow("who serves it was not asked"));
        }
        self.was = Was::Heard;
        Ok(())
    }

    /// It records something, which is an answer, too.
    pub(super) fn answer(&mut self) {
        self.was = Was::Heard;
    }

    pub(super) fn release(&mut self) {
        self.was = Was::Gone;
    }
}
