//! [`Unreadable`] counts the commands that could not be ruled on because something that they need could not be read.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::domain::ids::Id;

/// This is the most IDs for which the log says that something can't be read. It bounds the memory.
const MOST_LOGGED: usize = 1_024;

/// An `Unreadable` is the count of these commands. The log names each ID once, because a client may send it again and
/// again.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    count: AtomicU64,
    logged: Mutex<HashSet<Id>>,
}

impl Unreadable {
    /// Counts one more such command, and logs why if its ID was not logged before.
    pub(super) fn add(&self, id: Id, why: &str) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut logged = self.logged.lock();
        if logged.len() < MOST_LOGGED && logged.insert(id) {
            tracing::error!(%id, why, "what a command rests on can't be read");
        }
    }

    /// Returns how many there were since the start.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
