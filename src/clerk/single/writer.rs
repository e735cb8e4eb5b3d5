//! The writer is the thread that appends while the clerk goes on deciding.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::append::{Append, Appended, Due};

/// A `Lost` is an error that says: the writer's thread has panicked, and the store is lost with it.
pub(super) struct Lost;

/// A `Writer` is the writer: the thread that appends while the clerk goes on deciding.
pub(super) struct Writer {
    appends: Sender<Append>,
    appended: Receiver<Appended>,
    thread: Option<JoinHandle<()>>,
}

/// An `Appender` is the writer's own end: it makes the appends that are handed to it.
pub(super) struct Appender {
    incoming: Receiver<Append>,
    done: Sender<Appended>,
}

impl Appender {
    /// Makes the append that waits, if there is one, and lets the clerk know. Returns the answers that are owed for it.
    pub(super) fn go_on(&self) -> Option<Due> {
        self.incoming.try_recv().ok().map(|append| self.make(append))
    }

    /// Says whether an append waits.
    pub(super) fn has_work(&self) -> bool {
        !self.incoming.is_empty()
    }

    fn make(&self, append: Append) -> Due {
        let (appended, due) = append.run();
        // The clerk is woken before the callers, so that the next append begins first.
        let _clerk_gone = self.done.send(appended);
        due
    }
}

impl Writer {
    /// Starts the writer's thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let (mut writer, appender) = Self::by_hand();
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            while let Ok(append) = appender.incoming.recv() {
                appender.make(append).pay();
            }
        })?;
        writer.thread = Some(thread);
        Ok(writer)
    }

    /// Makes a writer without a thread: whoever has the other end makes its appends.
    pub(super) fn by_hand() -> (Self, Appender) {
        let (appends, incoming) = bounded(1);
        let (done, appended) = bounded(1);
        (Self { appends, appended, thread: None }, Appender { incoming, done })
    }

    pub(super) fn append(&self, append: Append) {
        // If the thread has panicked, the callers are told when the append is dropped.
        let _lost = self.appends.send(append);
    }

    /// Waits for the append that is under way, at most for the given time if there is one.
    pub(super) fn wait(&self, at_most: Option<Duration>) -> Result<Option<Appended>, Lost> {
        match at_most {
            None => self.appended.recv().map(Some).map_err(|_| Lost),
            Some(at_most) => match self.appended.recv_timeout(at_most) {
                Ok(appended) => Ok(Some(appended)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(Lost),
            },
        }
    }

    /// Ends the thread, after it has sent the answers that it owes.
    pub(super) fn stop(&mut self) {
        self.appends = bounded(0).0;
        if let Some(thread) = self.thread.take() {
            let _nothing_is_owed = thread.join();
        }
    }
}
