//! The ledger's handle: commands go in through it, and every read begins at it.

use std::sync::{Arc, Weak};

use tokio::sync::{Semaphore, watch};

use crate::clerk::Port;
use crate::domain::command::Command;
use crate::domain::ids::{AccountName, Id};
use crate::domain::stream::StreamName;
use crate::index::Index;
use crate::store::embedded::folder::Folder;
use crate::store::{Head, Position, Reader};

use super::clock_watch::ClockWatch;
use super::folder_watch::FolderWatch;
use super::open_error::OpenError;
use super::ring::Tail;
use super::types::{ReadError, Unavailable};
use super::verdict::Verdict;

/// The most reads that run at once. More would not be faster: each takes a thread, a connection and what both keep.
const READS: usize = 32;
/// The most reads of a page that run at once, so that those of one thing need not wait behind a crowd of them.
const PAGES: usize = 16;
/// The most reads that go through the whole journal and run at once.
const LONG_READS: usize = 2;

/// A ledger that this process holds. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(pub(super) Arc<Inner>);

/// A ledger, as somebody knows it who does not keep it open.
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
    pub(super) pages: Semaphore,
    pub(super) long_reads: Semaphore,
    pub(super) clock_watch: Arc<ClockWatch>,
    pub(super) folder_watch: FolderWatch,
    pub(super) _folder: Folder,
}

impl Drop for Inner {
    /// A ledger that was not stopped leaves its folder as a kill would.
    fn drop(&mut self) {
        self.clerk.stop();
        self.index.abandon();
    }
}

impl Ledger {
    pub(super) fn downgrade(&self) -> WeakLedger {
        WeakLedger(Arc::downgrade(&self.0))
    }

    /// One that is open, in a folder that this process holds.
    ///
    /// # Errors
    /// Fails when a thread can't be started.
    pub(super) fn over(
        clerk: Box<dyn Port>,
        reader: Reader,
        index: Index,
        head: watch::Receiver<Head>,
        clock_watch: Arc<ClockWatch>,
        folder: Folder,
    ) -> std::io::Result<Self> {
        Ok(Self(Arc::new(Inner {
            clerk,
            reader,
            index,
            head,
            tail: Tail::default(),
            reads: Arc::new(Semaphore::new(READS)),
            pages: Semaphore::new(PAGES),
            long_reads: Semaphore::new(LONG_READS),
            clock_watch,
            folder_watch: FolderWatch::start(Arc::clone(folder.held()))?,
            _folder: folder,
        })))
    }

    /// Decides commands and records what is to be recorded; returns one verdict a command, in order, when all that they
    /// rest on is durable.
    ///
    /// # Errors
    /// Fails when the machinery could not: nothing of that is the answer of an ID.
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

    /// Where the journal ends: the last durable event.
    #[must_use]
    pub fn head(&self) -> Head {
        *self.0.head.borrow()
    }

    /// Where the journal ends, when everything that was answered here is before it.
    ///
    /// # Errors
    /// Fails when the store can't be reached, or is damaged.
    pub async fn end(&self) -> Result<Head, ReadError> {
        self.settled().await?;
        Ok(self.head())
    }

    /// Tells when the journal grows.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Head> {
        self.0.head.clone()
    }

    /// Up to `limit` lines of the journal after a position, each with its line feed.
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

    /// Refuses a position at which no event is, before the store is asked for what comes after it: positions have gaps on a
    /// store of several instances, which answers such a question with an error that says nothing. Beyond the journal's
    /// end everything is allowed: another instance may have told it.
    ///
    /// # Errors
    /// [`ReadError::UnknownPosition`], with the nearest one before; or when the index can't be read.
    pub async fn known_position(&self, position: Position) -> Result<(), ReadError> {
        if position == 0 || position >= self.head().position {
            return Ok(());
        }
        let ledger = self.clone();
        self.page(move || {
            let nearest = ledger.0.index.places(0..=position, true, 1)?;
            let before = nearest.first().map_or(0, |(_, facts)| facts.position);
            // Events of a damaged stream are shown, though the index does not have them.
            let known = before == position || ledger.0.clerk.condition().damaged > 0;
            if known { Ok(()) } else { Err(ReadError::UnknownPosition { before }) }
        })
        .await
    }

    /// A position that every write that was answered here is at or before.
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

    /// Finishes what is in hand, writes out the index and empties the WAL. Blocks.
    ///
    /// # Errors
    /// Fails when that could not be done; nothing that was answered is lost by it.
    pub fn stop(&self) -> Result<(), OpenError> {
        let closed = self.0.clerk.close().map_err(OpenError::Close);
        self.0.index.close()?;
        closed
    }

    /// Says whether an append with this ID was sent to the store, and it is not known yet whether the store took it.
    pub(super) fn is_unresolved(&self, id: Id) -> bool {
        self.0.clerk.is_unresolved(id)
    }

    /// A read of an account refuses it when its stream is damaged.
    pub(super) fn undamaged(&self, account: &AccountName) -> Result<(), ReadError> {
        Ok(self.0.clerk.stream_readable(&StreamName::Account(account.clone()))?)
    }

    /// A read waits until the index has all that was answered here, and refuses a store that is damaged.
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
        match tokio::time::timeout(MOST_LAG, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(ReadError::Unreachable),
        }
    }

    /// A read on a thread of its own. One whose caller goes away before its turn is never begun.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.settled().await?;
        let turn = Arc::clone(&self.0.reads).acquire_owned().await.map_err(ReadError::unreadable)?;
        let work = move || {
            let result = work();
            drop(turn);
            result
        };
        tokio::task::spawn_blocking(work).await.map_err(ReadError::unreadable)?
    }

    /// A read of up to a thousand things.
    pub(super) async fn page<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let _turn = self.0.pages.acquire().await.map_err(ReadError::unreadable)?;
        self.blocking(work).await
    }

    /// A read that goes through the journal from its beginning.
    pub(super) async fn long<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let _turn = self.0.long_reads.try_acquire().map_err(|_| ReadError::Busy)?;
        self.blocking(work).await
    }
}

/// How long a read waits for the index to have what was answered.
const MOST_LAG: std::time::Duration = std::time::Duration::from_secs(5);
