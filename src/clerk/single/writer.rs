//! The writer is the thread that appends while the clerk goes on deciding.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::append::{Append, Appended};

/// A `Lost` is an error that says: the writer's thread has panicked, and the store is lost with it.
pub(super) struct Lost;

/// A `Writer` is the writer: the thread that appends while the clerk goes on deciding.
pub(super) struct Writer {
    appends: Sender<Append>,
    appended: Receiver<Appended>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start() -> std::io::Result<Self> {
        let (appends, incoming) = bounded::<Append>(1);
        let (done, appended) = bounded(1);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            for append in incoming {
                let (appended, due) = append.run();
                // The clerk is woken before the callers, so that the next append begins first.
                let _clerk_gone = done.send(appended);
                due.pay();
            }
        })?;
        Ok(Self { appends, appended, thread: Some(thread) })
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
