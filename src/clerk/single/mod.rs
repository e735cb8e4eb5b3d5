//! The clerk: the one writer. Load, decide, append, answer.
//!
//! One thread takes every command that is waiting, decides each on the state as the ones before it leave it, and hands
//! all their events to the store as one append. While that becomes durable, the next ones are decided. An answer is sent
//! when everything that it was decided on is durable, so each rides with the append that its batch is. An append that
//! fails takes back its state, and every decision made on top of it.
//!
//! Costs: a decision is about a microsecond; what is waited for is the disk. Bounds: [`Limits`] jobs and commands wait at
//! most, then the caller is told so at once; [`decided_state::MOST_CACHED`] accounts are kept in memory.
//!
//! Neighbours: `ledger` brings the commands, `domain` decides, `store` appends, `index` remembers. Must not know HTTP.

mod commit_loop;
mod decided_state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::{oneshot, watch};

use crate::domain::command::Command;
use crate::domain::decide::Refusal;
use crate::domain::event::Event;
use crate::domain::time::Clock;
use crate::index::Index;

use crate::store::{Appends, Head, Position, Reader};

use super::Unavailable;

/// What became of a command, as the clerk knows it.
#[derive(Clone, Debug)]
pub enum Ruling {
    /// Recorded as this event.
    Booked(Arc<Event>),
    /// Its ID was used for this event, which became durable in the meantime.
    SeenNow(Arc<Event>),
    /// Its ID was used for the event at this position.
    SeenAt(Position),
    /// Nothing was recorded.
    Refused(Refusal),
}

/// The rulings on a job's commands, in order, and a position at or before which all that they rest on is durable.
pub type Rulings = (Vec<Ruling>, Position);

/// How much may wait for the clerk.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs, each of one command or of a batch.
    pub jobs: usize,
    /// Commands in them.
    pub commands: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: 2_048, commands: 65_536 }
    }
}

/// Commands that came together, and who waits for the rulings.
struct Job {
    commands: Arc<[Command]>,
    reply: oneshot::Sender<Result<Rulings, Unavailable>>,
}

enum Message {
    Job(Job),
    Stop,
}

/// What is waiting, counted where it comes in and where it is taken.
#[derive(Debug, Default)]
struct Waiting {
    jobs: AtomicUsize,
    commands: AtomicUsize,
    stopping: AtomicBool,
    trouble: parking_lot::Mutex<Option<Unavailable>>,
    commits: AtomicU64,
    events: AtomicU64,
}

/// What was made durable since the start.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Commits.
    pub commits: u64,
    /// The events in them.
    pub events: u64,
}

/// The callers' end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clerk {
    messages: Sender<Message>,
    waiting: Arc<Waiting>,
    limits: Limits,
}

/// What the clerk works with.
pub struct Office {
    /// The store's writing side.
    pub store: Box<dyn Appends>,
    /// The store's reading side.
    pub reader: Reader,
    /// What has been seen.
    pub index: Index,
    /// Where time comes from.
    pub clock: Clock,
    /// When the last event was recorded: time never goes back behind it.
    pub last_recorded: crate::domain::time::Timestamp,
    /// Told after each durable append.
    pub head: watch::Sender<Head>,
    /// The runtime that the callers wait on, if it is one.
    pub callers: Option<tokio::runtime::Handle>,
    /// How much may wait.
    pub limits: Limits,
}

/// The running thread; gives back the store's writing side when it stops.
pub type Thread = JoinHandle<Box<dyn Appends>>;

impl Clerk {
    /// Starts the clerk's thread.
    ///
    /// # Errors
    /// When the thread can't be started.
    pub fn start(office: Office) -> std::io::Result<(Self, Thread)> {
        let (messages, incoming): (_, Receiver<Message>) = unbounded();
        let waiting = Arc::new(Waiting::default());
        let clerk = Self { messages, waiting: Arc::clone(&waiting), limits: office.limits };
        let thread = std::thread::Builder::new()
            .name("clerk".into())
            .spawn(move || commit_loop::Rounds::new(office, incoming, waiting).run())?;
        Ok((clerk, thread))
    }

    /// Hands over commands and waits until all that their rulings rest on is durable.
    ///
    /// # Errors
    /// When the machinery could not decide or append. None of it is the answer of an ID.
    pub async fn rule(&self, commands: Arc<[Command]>) -> Result<Rulings, Unavailable> {
        if self.waiting.stopping.load(Ordering::Acquire) {
            return Err(Unavailable::Stopping);
        }
        let count = commands.len();
        let jobs = self.waiting.jobs.load(Ordering::Relaxed);
        if jobs >= self.limits.jobs || self.waiting.commands.load(Ordering::Relaxed) >= self.limits.commands {
            return Err(Unavailable::Overloaded);
        }
        self.waiting.jobs.fetch_add(1, Ordering::Relaxed);
        self.waiting.commands.fetch_add(count, Ordering::Relaxed);
        let (reply, rulings) = oneshot::channel();
        if self.messages.send(Message::Job(Job { commands, reply })).is_err() {
            return Err(self.trouble().unwrap_or(Unavailable::Stopping));
        }
        rulings.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    /// How many jobs wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.jobs.load(Ordering::Relaxed)
    }

    /// Why no job is ruled on any more, if none is.
    #[must_use]
    pub fn trouble(&self) -> Option<Unavailable> {
        *self.waiting.trouble.lock()
    }

    /// What was made durable since the start.
    #[must_use]
    pub fn done(&self) -> Done {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Done { commits: read(&self.waiting.commits), events: read(&self.waiting.events) }
    }

    /// Takes no new jobs; what came before is finished.
    pub fn stop(&self) {
        self.waiting.stopping.store(true, Ordering::Release);
        // Gone already: then it has stopped.
        let _stopped = self.messages.send(Message::Stop);
    }
}
