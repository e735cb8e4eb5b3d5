//! The desk is the place where jobs are ruled on and their events are appended. One thread at a time works there.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::pace::Pace;
use super::queue::Waiting;
use super::work::{Office, Work};
use super::writer::Writer;

/// A `Desk` is the desk, which one thread after the other may use.
pub(super) struct Desk(Mutex<Work>);

impl Desk {
    /// Makes the desk, with the writer to which it hands appends over.
    pub(super) fn new(office: Office, waiting: Arc<Waiting>, writer: Writer, pace: Pace) -> Self {
        Self(Mutex::new(Work::new(office, waiting, writer, pace)))
    }

    /// Waits until nobody works at the desk, and takes the place.
    pub(super) fn sit_down(&self) -> AtWork<'_> {
        AtWork(self.0.lock())
    }

    /// Takes the place when nobody works at the desk and the jobs before came one by one. Where many come together, the
    /// clerk's thread should take them together.
    pub(super) fn sit_down_if_calm(&self) -> Option<AtWork<'_>> {
        let work = self.0.try_lock()?;
        work.is_free_for_callers().then_some(AtWork(work))
    }
}

/// An `AtWork` is the place at the desk while a thread has it. When that thread panics, nobody rules on any job after it,
/// because what it has left behind is not known.
pub(super) struct AtWork<'a>(MutexGuard<'a, Work>);

impl Deref for AtWork<'_> {
    type Target = Work;

    fn deref(&self) -> &Work {
        &self.0
    }
}

impl DerefMut for AtWork<'_> {
    fn deref_mut(&mut self) -> &mut Work {
        &mut self.0
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}
