//! [`Faults`] makes a store fail when it is told to, or wait until it is told that an append may go on.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::VecDeque;
use std::sync::Arc;

use bookonce::store::draft::Draft;
use bookonce::store::{AppendError, Appends, CloseError};
use parking_lot::{Condvar, Mutex};

/// A `Fate` says what becomes of one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It becomes durable.
    Lands,
    /// The disk is full.
    Full,
    /// It is not written, and the store says so.
    NotWritten,
    /// It is not written, and the store can't say so.
    LostUnwritten,
    /// It is written, and the store can't say so.
    LostWritten,
}

impl Fate {
    fn error(self) -> Option<AppendError> {
        match self {
            Self::Lands => None,
            Self::Full => Some(AppendError::Full),
            Self::NotWritten => Some(AppendError::NotWritten),
            Self::LostUnwritten | Self::LostWritten => Some(AppendError::Unknown),
        }
    }
}

/// `Faults` are the test's end of a faulty store.
#[derive(Clone, Default)]
pub struct Faults(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    fates: VecDeque<Fate>,
    submitted: usize,
    /// Appends wait for [`Faults::let_go`].
    held: bool,
    /// This is how many more may go on while they are held.
    passes: usize,
}

impl Faults {
    /// Sets what becomes of the next appends; those after them land.
    pub fn plan(&self, fates: impl IntoIterator<Item = Fate>) {
        self.0.state.lock().fates = fates.into_iter().collect();
    }

    /// Lets appends wait from now on.
    pub fn hold(&self) {
        self.0.state.lock().held = true;
    }

    /// Lets one of those that wait go on.
    pub fn pass(&self) {
        self.0.state.lock().passes += 1;
        self.0.changed.notify_all();
    }

    /// Lets all that wait go on, and none wait any more.
    pub fn let_go(&self) {
        self.0.state.lock().held = false;
        self.0.changed.notify_all();
    }

    /// Returns how many appends were submitted.
    pub fn submitted(&self) -> usize {
        self.0.state.lock().submitted
    }

    /// Waits until so many appends were submitted.
    pub fn wait_submitted(&self, count: usize) {
        let mut state = self.0.state.lock();
        while state.submitted < count {
            self.0.changed.wait(&mut state);
        }
    }

    /// Puts the faults around a store.
    pub fn around(&self, inner: Box<dyn Appends>) -> Box<dyn Appends> {
        Box::new(Faulty { faults: self.clone(), inner })
    }

    fn next_fate(&self) -> Fate {
        let mut state = self.0.state.lock();
        state.submitted += 1;
        self.0.changed.notify_all();
        while state.held && state.passes == 0 {
            self.0.changed.wait(&mut state);
        }
        state.passes = state.passes.saturating_sub(1);
        state.fates.pop_front().unwrap_or(Fate::Lands)
    }
}

struct Faulty {
    faults: Faults,
    inner: Box<dyn Appends>,
}

impl Appends for Faulty {
    fn append(&mut self, draft: &Draft) -> Result<(), AppendError> {
        let fate = self.faults.next_fate();
        match fate {
            Fate::Lands => self.inner.append(draft),
            Fate::LostWritten => self.inner.append(draft).and(Err(AppendError::Unknown)),
            Fate::Full | Fate::NotWritten | Fate::LostUnwritten => Err(fate.error().unwrap()),
        }
    }

    fn close(self: Box<Self>) -> Result<(), CloseError> {
        self.inner.close()
    }
}
