//! The clerk of a store that several instances write: a lane for each account in use.
//!
//! Each lane is the one writer of its account in this instance, and appends at the exact revision that it decided on; so
//! the store says who was first, here or elsewhere, and whoever was not reads on and decides again. Lanes do not wait for
//! each other. What they share is the hand: an ID is reserved for one account until the index knows its event.
//!
//! Costs: a command on an account in use is one append, shared with all that came for it meanwhile; the first on an account
//! costs two reads more. Bounds: [`Limits`] jobs and commands wait at most, [`APPENDS`] appends and [`LOADS`] loads are
//! under way at once, and accounts that nothing comes for are let go of.
//!
//! Neighbours: `ledger` brings the commands and feeds the index, `domain` decides, `store::eventstoredb` appends.

mod damage;
mod reserved_ids;
mod account_view;
mod account_task;
mod lookups;
mod round;
mod inbox;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{Semaphore, oneshot};

use crate::clerk::{Unavailable, Verdict};
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, TransactionId};
use crate::domain::time::Clock;
use crate::index::Index;
use crate::store::Position;
use crate::store::eventstoredb::Store;

use crate::clerk::{Done, Limits};

pub use damage::Damage;
use reserved_ids::Hand;
use account_task::{Lane, Message};
use inbox::{Asked, Errand};

/// Appends that are under way at once.
pub const APPENDS: usize = 256;
/// Accounts that are loaded at once.
pub const LOADS: usize = 64;
/// So many booked IDs the index may not know yet.
const MOST_BEHIND: usize = 262_144;

/// How long a lane waits.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// So long callers wait for an append that nobody knows the outcome of, before they are told so.
    pub patience: Duration,
    /// So long an account that nothing comes for is kept.
    pub idle: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { patience: Duration::from_secs(3), idle: Duration::from_secs(10) }
    }
}

/// The callers' end. Cheap to clone.
#[derive(Clone)]
pub struct Lanes(Arc<Hub>);

/// What the lanes share.
pub(super) struct Hub {
    store: Store,
    index: Index,
    clock: Clock,
    limits: Limits,
    waits: Waits,
    damage: Damage,
    hand: Hand,
    lanes: Mutex<HashMap<AccountName, UnboundedSender<Message>, RandomState>>,
    appends: Semaphore,
    loads: Semaphore,
    runtime: Handle,
    jobs: AtomicUsize,
    commands: AtomicUsize,
    /// Does the index know everything that was there at the start?
    ready: AtomicBool,
    stopping: AtomicBool,
    /// The last position that a caller was told.
    answered: AtomicU64,
    commits: AtomicU64,
    events: AtomicU64,
    unresolved: AtomicUsize,
    /// Held by every lane: closed when the last of them has ended.
    running: Mutex<Option<mpsc::Sender<()>>>,
    ended: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

impl Lanes {
    /// A clerk over this store. It takes commands when [`set_ready`](Self::set_ready) has said so.
    #[must_use]
    pub fn new(
        store: Store,
        index: Index,
        clock: Clock,
        limits: Limits,
        waits: Waits,
        runtime: Handle,
    ) -> Self {
        let (running, ended) = mpsc::channel(1);
        Self(Arc::new(Hub {
            store,
            index,
            clock,
            limits,
            waits,
            damage: Damage::default(),
            hand: Hand::default(),
            lanes: Mutex::default(),
            appends: Semaphore::new(APPENDS),
            loads: Semaphore::new(LOADS),
            runtime,
            jobs: AtomicUsize::new(0),
            commands: AtomicUsize::new(0),
            ready: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            events: AtomicU64::new(0),
            unresolved: AtomicUsize::new(0),
            running: Mutex::new(Some(running)),
            ended: tokio::sync::Mutex::new(ended),
        }))
    }

    /// Rules on commands, each by itself, and waits until all that a verdict rests on is durable.
    ///
    /// # Errors
    /// When none of them is taken. A command that could not be ruled on has its own [`Verdict::Unavailable`].
    pub async fn rule(&self, commands: Arc<[Command]>) -> Result<Vec<Verdict>, Unavailable> {
        let counted = Arc::new(self.admit(commands.len())?);
        let mut verdicts: Vec<Option<Verdict>> = Vec::new();
        verdicts.resize_with(commands.len(), || None);
        let mut groups: HashMap<&AccountName, Vec<usize>, RandomState> = HashMap::default();
        for (place, command) in commands.iter().enumerate() {
            if self.0.hand.reserve(command.transaction_id, &command.account) {
                groups.entry(&command.account).or_default().push(place);
            } else if let Some(verdict) = verdicts.get_mut(place) {
                *verdict = Some(Verdict::Unavailable(Unavailable::InProgress));
            }
        }
        let mut replies = Vec::with_capacity(groups.len());
        for (account, at) in groups {
            let (reply, answers) = oneshot::channel();
            let (hub, commands, _counted) =
                (Arc::clone(&self.0), Arc::clone(&commands), Arc::clone(&counted));
            let asked = Asked { hub, commands, at, _counted };
            self.0.send(account, Message::Errand(Errand { asked, reply }));
            replies.push(answers);
        }
        for answers in replies {
            // A lane that panicked: what it appended is found by a retry.
            for (place, answer) in answers.await.unwrap_or_default() {
                if let Some(verdict) = verdicts.get_mut(place) {
                    *verdict = Some(answer);
                }
            }
        }
        let unknown = || Verdict::Unavailable(Unavailable::OutcomeUnknown);
        Ok(verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(unknown)).collect())
    }

    fn admit(&self, count: usize) -> Result<Counted, Unavailable> {
        let hub = &self.0;
        if hub.stopping.load(Ordering::Acquire) {
            return Err(Unavailable::Stopping);
        }
        if hub.damage.is_whole() || hub.index.failure().is_some() {
            return Err(Unavailable::StoreDamaged);
        }
        if !hub.ready.load(Ordering::Acquire) {
            return Err(Unavailable::StoreUnavailable);
        }
        let jobs = hub.jobs.load(Ordering::Relaxed);
        let commands = hub.commands.load(Ordering::Relaxed);
        let behind = hub.hand.not_indexed();
        if jobs >= hub.limits.jobs || commands >= hub.limits.commands || behind >= MOST_BEHIND {
            return Err(Unavailable::Overloaded);
        }
        hub.jobs.fetch_add(1, Ordering::Relaxed);
        hub.commands.fetch_add(count, Ordering::Relaxed);
        Ok(Counted { hub: Arc::clone(hub), count })
    }

    /// Says that the index knows everything that was in the store. Before the first time, a question whose answer does not
    /// matter makes the connection that appends go over: or the first command would wait for it.
    pub async fn set_ready(&self) {
        if let Some(anybody) = AccountName::parse("anybody").filter(|_| !self.is_ready()) {
            let _no_matter = self.0.store.stream(&anybody, 0, 1).await;
        }
        self.0.ready.store(true, Ordering::Release);
    }

    /// Is it so?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Acquire)
    }

    /// Says that the index has come so far.
    pub fn indexed(&self, reached: Position) {
        self.0.hand.indexed(reached);
    }

    /// Says that an account's stream may have been cut, deleted or mended: what is known of it is forgotten, and its lane
    /// looks at it now, whether it is in use or not.
    pub fn look_again(&self, account: &AccountName) {
        self.0.send(account, Message::LookAgain);
    }

    /// What is known to be wrong with the store.
    #[must_use]
    pub fn damage(&self) -> &Damage {
        &self.0.damage
    }

    /// The last position that a caller was told.
    #[must_use]
    pub fn answered(&self) -> Position {
        self.0.answered.load(Ordering::Acquire)
    }

    /// Is an append with this ID unresolved?
    #[must_use]
    pub fn is_unresolved(&self, id: TransactionId) -> bool {
        self.0.hand.is_unresolved(id)
    }

    /// How many appends are unresolved.
    #[must_use]
    pub fn unresolved(&self) -> usize {
        self.0.unresolved.load(Ordering::Relaxed)
    }

    /// How many events were booked here that the index does not know yet.
    #[must_use]
    pub fn not_indexed(&self) -> usize {
        self.0.hand.not_indexed()
    }

    /// How many accounts are in memory.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.0.lanes.lock().len()
    }

    /// How many jobs wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.jobs.load(Ordering::Relaxed)
    }

    /// What was made durable since the start.
    #[must_use]
    pub fn done(&self) -> Done {
        Done {
            commits: self.0.commits.load(Ordering::Relaxed),
            events: self.0.events.load(Ordering::Relaxed),
        }
    }

    /// Takes no new jobs.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.running.lock().take();
        // A lane whose mailbox closes finishes what is in it.
        self.0.lanes.lock().clear();
    }

    /// Waits until every lane has ended.
    pub async fn ended(&self) {
        while self.0.ended.lock().await.recv().await.is_some() {}
    }
}

impl Hub {
    /// Sends a message to an account's lane, and makes one when there is none.
    fn send(self: &Arc<Self>, account: &AccountName, message: Message) {
        let mut lanes = self.lanes.lock();
        let message = match lanes.get(account) {
            None => message,
            Some(lane) => match lane.send(message) {
                Ok(()) => return,
                // It panicked: another one takes its place.
                Err(unsent) => unsent.0,
            },
        };
        let Some(running) = self.running.lock().clone() else {
            // Nothing of it was decided.
            drop(lanes);
            return message.refuse(Unavailable::Stopping);
        };
        let (lane, mailbox) = mpsc::unbounded_channel();
        let _open = lane.send(message);
        lanes.insert(account.clone(), lane);
        let lane = Lane { hub: Arc::clone(self), name: account.clone(), mailbox, known: None, look: false };
        self.runtime.spawn(async move {
            lane.run().await;
            drop(running);
        });
    }

    /// Lets an idle lane go, unless something has come for it.
    fn retire(&self, account: &AccountName, mailbox: &UnboundedReceiver<Message>) -> bool {
        let mut lanes = self.lanes.lock();
        if mailbox.is_empty() {
            lanes.remove(account);
            return true;
        }
        false
    }

    fn answered(&self, position: Position) {
        self.answered.fetch_max(position, Ordering::AcqRel);
    }

    fn count(&self, events: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events as u64, Ordering::Relaxed);
    }

    fn unresolved(self: &Arc<Self>, events: &[Arc<Event>]) -> Unresolved {
        self.unresolved.fetch_add(1, Ordering::Relaxed);
        self.hand.set_unresolved(events, true);
        Unresolved { hub: Arc::clone(self), events: events.to_vec() }
    }
}

/// A job that is counted until all of it is answered, also when its caller has gone: it is waited on all the same.
struct Counted {
    hub: Arc<Hub>,
    count: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.hub.jobs.fetch_sub(1, Ordering::Relaxed);
        self.hub.commands.fetch_sub(self.count, Ordering::Relaxed);
    }
}

/// An append that is counted, and its IDs known for that, while it is unresolved.
struct Unresolved {
    hub: Arc<Hub>,
    events: Vec<Arc<Event>>,
}

impl Drop for Unresolved {
    fn drop(&mut self) {
        self.hub.hand.set_unresolved(&self.events, false);
        self.hub.unresolved.fetch_sub(1, Ordering::Relaxed);
    }
}
