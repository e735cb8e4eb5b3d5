//! The ledger as its users see it: one handle through which commands go in and reads come out.
//!
//! Commands go to the `clerk`. Reads of accounts, IDs and statements are answered from the `index`, which has every event
//! before its answer is sent, and from the journal's lines; sums at an old position are worked out from the journal.
//! Reads run on blocking threads; the expensive ones a few at a time.

mod accounts;
mod history;
mod open;
mod sums;
mod types;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use crate::clerk::{self, Clerk, Ruling};
use crate::domain::command::Command;
use crate::index::Index;
use crate::store::embedded::folder::Folder;
use crate::store::{Appends, Reader};

pub use open::{INDEX, OpenError, Options, Workings};
pub use types::*;

/// So many reads run at once. More would not be faster: each takes a thread, a connection and what both keep.
const READS: usize = 32;
/// So many reads of a page run at once, so that those of one thing need not wait behind a crowd of them.
const PAGES: usize = 16;
/// So many reads that go through the whole journal run at once.
const LONG_READS: usize = 2;

/// A ledger that this process holds. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    clerk: Clerk,
    reader: Reader,
    index: Index,
    head: watch::Receiver<Head>,
    thread: Mutex<Option<clerk::Thread>>,
    reads: Arc<Semaphore>,
    pages: Semaphore,
    long_reads: Semaphore,
    _folder: Folder,
}

/// How the machinery is doing.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Does it take commands?
    pub ready: bool,
    /// Why not?
    pub reason: Option<&'static str>,
    /// Jobs that wait for the clerk.
    pub queue_depth: usize,
    /// Durable events that are not in the index's files yet.
    pub index_lag_events: usize,
    /// Memory that the index's open files take.
    pub index_bytes: usize,
    /// Commits since the start.
    pub commits: u64,
    /// Events since the start.
    pub events: u64,
}

impl Drop for Inner {
    /// A ledger that was not stopped leaves its folder as a kill would.
    fn drop(&mut self) {
        self.clerk.stop();
        self.index.abandon();
    }
}

impl Ledger {
    /// Decides commands and records what is to be recorded; returns one verdict a command, in order, when all that they
    /// rest on is durable.
    ///
    /// # Errors
    /// When the machinery could not: nothing of that is the answer of an ID.
    pub async fn execute(&self, commands: impl Into<Arc<[Command]>>) -> Result<Vec<Verdict>, Unavailable> {
        let (rulings, durable) = self.0.clerk.rule(commands.into()).await?;
        if !rulings.iter().any(|ruling| matches!(ruling, Ruling::SeenAt(_))) {
            return rulings.into_iter().map(|ruling| verdict(&self.0.reader, ruling, durable)).collect();
        }
        let reader = self.0.reader.clone();
        let read = move || rulings.into_iter().map(|ruling| verdict(&reader, ruling, durable)).collect();
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(Unavailable::StoreUnavailable))
    }

    /// Where the journal ends: the last durable event.
    #[must_use]
    pub fn head(&self) -> Head {
        *self.0.head.borrow()
    }

    /// Tells when the journal grows.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Head> {
        self.0.head.clone()
    }

    /// Up to `limit` lines of the journal after a position, each with its line feed.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn lines(&self, after: Position, limit: usize) -> Result<Vec<u8>, ReadError> {
        let reader = self.0.reader.clone();
        self.page(move || Ok(reader.lines(after, limit)?)).await
    }

    /// How the machinery is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let reason = match self.0.clerk.trouble() {
            _ if self.0.index.failure().is_some() => Some("The index can't be used; it must be rebuilt."),
            Some(Unavailable::StoreDamaged) => Some("The store is damaged."),
            Some(_) => Some("The store can't be written; a restart reads back what is there."),
            None => None,
        };
        let done = self.0.clerk.done();
        Status {
            ready: reason.is_none(),
            reason,
            queue_depth: self.0.clerk.waiting(),
            index_lag_events: self.0.index.behind(),
            index_bytes: self.0.index.bytes(),
            commits: done.commits,
            events: done.events,
        }
    }

    /// Finishes what is in hand, writes out the index and empties the WAL. Blocks.
    ///
    /// # Errors
    /// When that could not be done; nothing that was answered is lost by it.
    pub fn stop(&self) -> Result<(), OpenError> {
        self.0.clerk.stop();
        let thread = self.0.thread.lock().take();
        if let Some(thread) = thread {
            self.0.reader.close();
            let closed =
                thread.join().map_or_else(|_| Err("the clerk's thread panicked".into()), Appends::close);
            self.0.index.close()?;
            closed.map_err(OpenError::Close)?;
        }
        Ok(())
    }

    /// A read on a thread of its own. One whose caller goes away before its turn is never begun.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let turn = Arc::clone(&self.0.reads).acquire_owned().await.map_err(ReadError::unreadable)?;
        let work = move || {
            let result = work();
            drop(turn);
            result
        };
        tokio::task::spawn_blocking(work).await.map_err(ReadError::unreadable)?
    }

    /// A read of up to a thousand things.
    async fn page<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let _turn = self.0.pages.acquire().await.map_err(ReadError::unreadable)?;
        self.blocking(work).await
    }

    /// A read that goes through the journal from its beginning.
    async fn long<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let _turn = self.0.long_reads.try_acquire().map_err(|_| ReadError::Busy)?;
        self.blocking(work).await
    }
}

fn verdict(reader: &Reader, ruling: Ruling, durable: Position) -> Result<Verdict, Unavailable> {
    Ok(match ruling {
        Ruling::Booked(event) => Verdict::Booked(event, durable),
        Ruling::SeenNow(event) => Verdict::Seen(event, durable),
        Ruling::Refused(refusal) => Verdict::Refused(refusal),
        Ruling::SeenAt(position) => {
            let line = reader.event(position).map_err(|error| {
                tracing::error!(%error, position, "an event that the index names can't be read");
                Unavailable::StoreDamaged
            })?;
            Verdict::Seen(Arc::new(line.event), position)
        }
    })
}
