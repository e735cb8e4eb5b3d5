//! [`Ledger`] is the handle of a ledger: commands go in through it, and every read begins at it.

use std::num::NonZero;
use std::sync::{Arc, Weak};

use tokio::sync::{Semaphore, watch};

use crate::clerk::Port;
use crate::domain::command::Command;
use crate::domain::ids::{AccountName, Id};
use crate::domain::stream::StreamName;
use crate::index::Index;
use crate::store::embedded::folder::Folder;
use crate::store::{Head, Position, Reader};
use crate::tasks;

use super::clock_watch::ClockWatch;
use super::expiries::Expiries;
use super::folder_watch::FolderWatch;
use super::lag::Blocks;
use super::long_reads::{LongReads, ReadLimits, Wanted, holding};
use super::open_error::OpenError;
use super::pause::Pause;
use super::ring::Tail;
use super::types::{ReadError, Unavailable};
use super::verdict::Verdict;

/// This is the most reads that run at once. More would not be faster: each takes a thread, a connection and the memory
/// of both.
const READS: usize = 32;
/// Returns the most reads of a page that run at once: as many as there are processors, and two at least. Such a read works
/// and seldom waits, so that more would only take turns with one another, with the clerk, and with the reads of a single
/// thing.
fn pages() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get).clamp(2, READS / 2)
}

/// A `Ledger` is a ledger that this process holds. It is cheap to clone.
#[derive(Clone)]
pub struct Ledger(pub(super) Arc<Inner>);

/// A `WeakLedger` is a reference to a ledger that does not keep it open.
#[derive(Clone)]
pub(super) struct WeakLedger(Weak<Inner>);

impl WeakLedger {
    pub(super) fn upgrade(&self) -> Option<Ledger> {
        self.0.upgrade().map(Ledger)
    }
}

pub(super) struct Inner {
    pub(super) clerk: Box<dyn Port>,
    pub(super) reader: Reader,
    pub(super) index: Index,
    pub(super) head: watch::Receiver<Head>,
    pub(super) tail: Tail,
    pub(super) reads: Arc<Semaphore>,
    pub(super) pages: Arc<Semaphore>,
    pub(super) long_reads: LongReads,
    pub(super) clock_watch: Arc<ClockWatch>,
    pub(super) expiries: Expiries,
    pub(super) blocks: Arc<Blocks>,
    pub(super) pause: Pause,
    pub(super) folder_watch: FolderWatch,
    pub(super) folder: Option<Folder>,
}

impl Drop for Inner {
    /// Stops the clerk and abandons the index: a ledger that was not stopped leaves its folder as a kill would.
    fn drop(&mut self) {
        self.clerk.stop();
        self.index.abandon();
    }
}

impl Ledger {
    pub(super) fn downgrade(&self) -> WeakLedger {
        WeakLedger(Arc::downgrade(&self.0))
    }

    /// Makes the handle of a ledger whose parts are open, in a folder that this process holds, if in any.
    ///
    /// # Errors
    /// Fails when a thread can't be started.
    pub(super) fn over(
        clerk: Box<dyn Port>,
        reader: Reader,
        index: Index,
        head: watch::Receiver<Head>,
        clock_watch: Arc<ClockWatch>,
        (folder, pause): (Option<Folder>, Pause),
        limits: ReadLimits,
    ) -> std::io::Result<Self> {
        let folder_watch = match &folder {
            Some(folder) => FolderWatch::start(Arc::clone(folder.held()))?,
            None => FolderWatch::none(),
        };
        Ok(Self(Arc::new(Inner {
            clerk,
            reader,
            index,
            head,
            tail: Tail::default(),
            reads: Arc::new(Semaphore::new(READS)),
            pages: Arc::new(Semaphore::new(pages())),
            long_reads: LongReads::new(limits),
            clock_watch,
            expiries: Expiries::default(),
            blocks: Arc::default(),
            pause,
            folder_watch,
            folder,
        })))
    }

    /// Decides commands and records what is to be recorded. It returns one verdict for each command, in their order,
    /// when all that the verdicts rest on is durable.
    ///
    /// # Errors
    /// Fails when the clerk could not rule on any of them; such an error is never the answer that belongs to an ID.
    pub async fn execute(&self, commands: impl Into<Arc<[Command]>>) -> Result<Vec<Verdict>, Unavailable> {
        let commands = commands.into();
        if self.0.folder_watch.is_replaced() {
            return Err(Unavailable::FolderReplaced);
        }
        if !self.0.clock_watch.is_right() {
            return Err(Unavailable::ClockInDoubt);
        }
        let ruled = self.0.clerk.rule(Arc::clone(&commands)).await?;
        Ok(ruled
            .into_iter()
            .zip(commands.iter())
            .map(|(ruled, command)| Verdict::of(ruled, command))
            .collect())
    }

    /// Returns where the journal ends, which is at the last durable event.
    #[must_use]
    pub fn head(&self) -> Head {
        *self.0.head.borrow()
    }

    /// Returns where the journal ends, as soon as everything that was answered here is in it.
    ///
    /// # Errors
    /// Fails when the store can't be reached, or is damaged.
    pub async fn end(&self) -> Result<Head, ReadError> {
        self.settled().await?;
        Ok(self.head())
    }

    /// Returns a receiver that is told when the journal grows.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Head> {
        self.0.head.clone()
    }

    /// Returns up to `limit` lines of the journal after a position, each with its line feed.
    ///
    /// # Errors
    /// Fails when they can't be read.
    pub async fn lines(&self, after: Position, limit: usize) -> Result<Vec<u8>, ReadError> {
        let (reader, head) = (self.0.reader.clone(), self.0.head.clone());
        let lines = move || {
            // There is nothing yet, and it may be no event's position.
            let end = head.borrow().position;
            if after > end { Ok(Vec::new()) } else { Ok(reader.lines(after, limit)?) }
        };
        self.page(lines).await
    }

    /// Refuses a position at which no event is, before the store is asked for what comes after it. Positions have gaps
    /// on a store of several instances, and such a store answers this question with an error that says nothing. Every
    /// position beyond the journal's end is allowed, because another instance may have returned it.
    ///
    /// # Errors
    /// Fails with [`ReadError::UnknownPosition`], which names the nearest position before, or when the index can't be
    /// read.
    pub async fn known_position(&self, position: Position) -> Result<(), ReadError> {
        let before = self.at_or_before(position).await?;
        // Events of a damaged stream are shown, though the index does not have them.
        let known = before == position || self.0.clerk.condition().damaged > 0;
        if known { Ok(()) } else { Err(ReadError::UnknownPosition { before }) }
    }

    /// Returns the position of the last event that the index has at a position or before it; the position itself at the
    /// journal's end and beyond it. An event is there also where streams are damaged.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub(crate) async fn at_or_before(&self, position: Position) -> Result<Position, ReadError> {
        if position == 0 || position >= self.head().position {
            return Ok(position);
        }
        let ledger = self.clone();
        self.page(move || {
            let nearest = ledger.0.index.places(0..=position, true, 1)?;
            Ok(nearest.first().map_or(0, |(_, facts)| facts.position))
        })
        .await
    }

    /// Returns a position that no write which was answered here is after.
    #[must_use]
    pub fn answered(&self) -> Position {
        self.head().position.max(self.0.clerk.answered())
    }

    /// Resolves when the data folder was moved or exchanged, with what stands there in words for an operator.
    pub async fn folder_replaced(&self) -> String {
        let mut changes = self.0.folder_watch.changes();
        match changes.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            // Nobody looks any more, because nothing was to be seen.
            Err(_) => std::future::pending().await,
        }
    }

    /// Stops the ledger: it finishes what is in hand, writes out the index and empties the WAL. It blocks.
    ///
    /// # Errors
    /// Fails when that could not be done. Nothing that was answered is lost by it.
    pub fn stop(&self) -> Result<(), OpenError> {
        self.0.expiries.stop();
        let closed = self.0.clerk.close().map_err(OpenError::Close);
        self.0.index.close()?;
        closed
    }

    /// Says whether an append with this ID was sent to the store and it is not known yet whether the store took it.
    pub(super) fn is_unresolved(&self, id: Id) -> bool {
        self.0.clerk.is_unresolved(id)
    }

    /// Refuses an account whose stream is damaged. Each read of one account asks this first.
    pub(super) fn undamaged(&self, account: &AccountName) -> Result<(), ReadError> {
        Ok(self.0.clerk.stream_readable(&StreamName::Account(account.clone()))?)
    }

    /// Waits until the index has all that was answered here, and refuses a store that is damaged. Each read begins so.
    async fn settled(&self) -> Result<(), ReadError> {
        if self.0.folder_watch.is_replaced() {
            return Err(ReadError::FolderReplaced);
        }
        self.0.clerk.readable()?;
        let answered = self.0.clerk.answered();
        if self.head().position >= answered {
            return Ok(());
        }
        let mut changes = self.changes();
        let reached = changes.wait_for(|head| head.position >= answered);
        match tasks::timeout(MOST_LAG, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(ReadError::Unreachable),
        }
    }

    /// Runs a read of one thing on a blocking thread. A read whose caller goes away before its turn is never begun.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.settled().await?;
        let turn = Arc::clone(&self.0.reads).acquire_owned().await.map_err(ReadError::unreadable)?;
        tasks::blocking(holding(turn, work))
            .await
            .ok_or(ReadError::Unreadable("a read has panicked".into()))?
    }

    /// Runs a read whose cost grows with the ledger. It takes no place of the ordinary reads.
    pub(super) async fn long<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Wanted) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.settled().await?;
        self.0.long_reads.run(work).await
    }

    /// Runs a read of up to a thousand things, with [`pages`] of them at a time. The turn is the work's: a page that nobody
    /// waits for any more holds it to its end.
    pub(super) async fn page<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let turn = Arc::clone(&self.0.pages).acquire_owned().await.map_err(ReadError::unreadable)?;
        self.blocking(holding(turn, work)).await
    }
}

/// This is how long a read waits for the index to have what was answered.
const MOST_LAG: std::time::Duration = std::time::Duration::from_secs(5);
