//! [`Hands`] let a clerk work that has no threads. Whoever holds them says when its thread would go on, and when an append
//! would be durable.
//!
//! A simulation holds them, and draws the moments. What is done in a step is what the threads do between two waits.

use super::append::Due;
use super::commit_loop::CommitLoop;
use super::writer::Appender;

/// `Hands` let a clerk without threads work.
pub struct Hands {
    commit_loop: CommitLoop,
    appender: Appender,
    /// An append has ended, and the desk has not been told.
    ended: bool,
}

/// An `Owed` has the answers of an append that has ended. Its callers are told when it is paid, and that the outcome is unknown
/// when it is dropped.
pub struct Owed(Due);

impl Owed {
    /// Tells the callers.
    pub fn pay(self) {
        self.0.pay();
    }
}

impl Hands {
    pub(super) fn new(commit_loop: CommitLoop, appender: Appender) -> Self {
        Self { commit_loop, appender, ended: false }
    }

    /// Says whether there is anything that the clerk's thread would wake up for.
    #[must_use]
    pub fn is_called(&self) -> bool {
        self.ended || self.commit_loop.has_messages()
    }

    /// Decides what waits, and hands it over to be appended when no append is under way.
    pub fn decide(&mut self) {
        let ended = std::mem::take(&mut self.ended);
        let _busy = self.commit_loop.step(ended);
    }

    /// Says whether an append was handed over and is not made.
    #[must_use]
    pub fn has_append(&self) -> bool {
        self.appender.has_work()
    }

    /// Makes the append that was handed over, if there is one. Returns what is owed to its callers.
    pub fn append(&mut self) -> Option<Owed> {
        let owed = self.appender.go_on()?;
        self.ended = true;
        Some(Owed(owed))
    }
}
