//! [`Common`] is the data that all tasks of streams share: the store, the index, the limits and the counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::clerk::commits::{Commits, Done};
use crate::clerk::port::Limits;
use crate::clerk::unreadable::Unreadable;
use crate::domain::event::Event;
use crate::domain::stream::StreamName;
use crate::domain::time::{Clock, Timestamp};
use crate::index::Index;
use crate::store::Position;
use crate::store::eventstoredb::Store;
use crate::tasks::Runtime;

use super::admission::Admission;
use super::damage::Damage;
use super::inbox::Message;
use super::observed::Observed;
use super::recent::Recent;
use super::reserved_ids::ReservedIds;
use super::turns::Turns;

/// This is the most appends that are under way at once.
const APPENDS: usize = 256;
/// This is the most appends of the service's own among them. A node takes 100 calls at once over one connection, and the others
/// wait in their order: so half of those at most are steps.
const OWN_APPENDS: usize = 50;
/// This is the most streams that are loaded at once.
const LOADS: usize = 64;

/// `Waits` are the times that a task waits.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// This is how long callers wait for an append of unknown outcome, before they are told that it is unknown.
    pub patience: Duration,
    /// This is how long a stream for which no command comes is kept in memory.
    pub idle: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { patience: Duration::from_secs(3), idle: Duration::from_secs(10) }
    }
}

/// A `BeginsAfter` is told when the last event was recorded that was in the store at the start.
pub type BeginsAfter = Box<dyn Fn(Timestamp) + Send + Sync>;

/// A `Task` is the sender through which others reach a stream's task.
pub(super) type Task = UnboundedSender<Message>;

pub(super) struct Common {
    pub(super) store: Store,
    pub(super) index: Index,
    pub(super) clock: Clock,
    pub(super) begins_after: BeginsAfter,
    pub(super) waits: Waits,
    pub(super) damage: Damage,
    pub(super) seen: Observed,
    pub(super) reserved: Arc<ReservedIds>,
    pub(super) recent: Recent,
    pub(super) admission: Arc<Admission>,
    pub(super) turns: Arc<Turns>,
    pub(super) tasks: Mutex<HashMap<StreamName, Task, RandomState>>,
    pub(super) appends: Semaphore,
    /// These are the places of appends of the service's own among them.
    pub(super) own_appends: Semaphore,
    pub(super) loads: Semaphore,
    pub(super) runtime: Runtime,
    /// This is true when the index knows every event that was in the store at the start.
    pub(super) ready: AtomicBool,
    pub(super) stopping: AtomicBool,
    /// This is the last position that a caller was told.
    answered: AtomicU64,
    commits: Commits,
    pub(super) unreadable: Unreadable,
    unresolved: AtomicUsize,
    /// This is a sender that every task holds a copy of. The channel closes when the last task has ended.
    pub(super) running: Mutex<Option<mpsc::Sender<()>>>,
    ended: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

impl Common {
    pub(super) fn new(
        store: Store,
        index: Index,
        (clock, begins_after): (Clock, BeginsAfter),
        limits: Limits,
        waits: Waits,
        runtime: Runtime,
    ) -> Self {
        let (running, ended) = mpsc::channel(1);
        let admission = Arc::new(Admission::new(limits));
        Self {
            store,
            index,
            clock,
            begins_after,
            waits,
            damage: Damage::default(),
            seen: Observed::default(),
            reserved: Arc::default(),
            recent: Recent::default(),
            turns: Arc::new(Turns::new(Arc::clone(&admission))),
            admission,
            tasks: Mutex::default(),
            appends: Semaphore::new(APPENDS),
            own_appends: Semaphore::new(OWN_APPENDS),
            loads: Semaphore::new(LOADS),
            runtime,
            ready: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            commits: Commits::default(),
            unreadable: Unreadable::default(),
            unresolved: AtomicUsize::new(0),
            running: Mutex::new(Some(running)),
            ended: tokio::sync::Mutex::new(ended),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Removes an idle task, unless a message has come for it. Returns whether it was removed.
    pub(super) fn retire(&self, stream: &StreamName, mailbox: &UnboundedReceiver<Message>) -> bool {
        let mut tasks = self.tasks.lock();
        if mailbox.is_empty() {
            tasks.remove(stream);
            return true;
        }
        false
    }

    /// Notes that a caller was told this position.
    pub(super) fn told(&self, position: Position) {
        self.answered.fetch_max(position, Ordering::AcqRel);
    }

    /// Returns the last position that a caller was told.
    pub(super) fn answered(&self) -> Position {
        self.answered.load(Ordering::Acquire)
    }

    /// Counts a commit of this many events.
    pub(super) fn count(&self, events: usize, took: Duration) {
        self.commits.add(events, took);
    }

    /// Returns the counts of what was made durable since the start.
    pub(super) fn done(&self) -> Done {
        self.commits.done()
    }

    /// Counts an append of these events as unresolved, until the returned value is dropped.
    pub(super) fn unresolved(self: &Arc<Self>, events: &[Arc<Event>]) -> Unresolved {
        self.unresolved.fetch_add(1, Ordering::Relaxed);
        self.reserved.set_unresolved(events, true);
        Unresolved { common: Arc::clone(self), events: events.to_vec() }
    }

    /// Returns the number of appends that are unresolved.
    pub(super) fn unresolved_count(&self) -> usize {
        self.unresolved.load(Ordering::Relaxed)
    }

    /// Makes the clerk take no new jobs. Each task's mailbox closes; a task finishes what is in it and ends.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.running.lock().take();
        self.tasks.lock().clear();
    }

    /// Waits until every task has ended.
    pub(super) async fn ended(&self) {
        while self.ended.lock().await.recv().await.is_some() {}
    }
}

/// An `Unresolved` is an unresolved append: it is not known whether the store took it. While this lives, the append is
/// counted and its IDs are marked as unresolved.
pub(super) struct Unresolved {
    common: Arc<Common>,
    events: Vec<Arc<Event>>,
}

impl Drop for Unresolved {
    fn drop(&mut self) {
        self.common.reserved.set_unresolved(&self.events, false);
        self.common.unresolved.fetch_sub(1, Ordering::Relaxed);
    }
}
