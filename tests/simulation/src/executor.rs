//! [`Tasks`] run the tasks of one run on one thread. The seed chooses which of those that are ready goes on, and time passes
//! only when the run lets it.
//!
//! Every task has an owner: the world, or one life of an instance. A crash drops all tasks of one owner where they wait, which
//! is between any two of their effects.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bookonce::tasks::{Executor, Work, enter};
use parking_lot::Mutex;

use crate::random::Random;

/// An `Owner` is the number of whoever started a task. A crash ends all tasks of one owner.
pub type Owner = u64;

/// This is the owner of what no crash ends: clients, the store, and what happens to them.
pub const WORLD: Owner = 0;

/// `Tasks` are the tasks of one run.
#[derive(Clone)]
pub struct Tasks(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    ready: Arc<Mutex<BTreeSet<u64>>>,
    begun: Instant,
}

struct State {
    tasks: BTreeMap<u64, Slot>,
    next: u64,
    now: Duration,
    timers: BTreeMap<(Duration, u64), Waker>,
    timers_made: u64,
    /// This is where the random numbers of the tasks come from.
    seeds: Random,
}

struct Slot {
    owner: Owner,
    /// This is the task; `None` while it runs.
    work: Option<Work>,
    waker: Waker,
}

struct Alarm {
    task: u64,
    ready: Arc<Mutex<BTreeSet<u64>>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.ready.lock().insert(self.task);
    }
}

/// A `Went` says what one step of the tasks was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// A task of this owner went on.
    On(u64, Owner),
    /// Time passed up to the next timer.
    Later,
    /// There is nothing to wait for.
    Nowhere,
}

impl Tasks {
    /// Makes tasks whose random numbers come from here.
    #[must_use]
    pub fn new(seeds: Random) -> Self {
        let state = State {
            tasks: BTreeMap::new(),
            next: 0,
            now: Duration::ZERO,
            timers: BTreeMap::new(),
            timers_made: 0,
            seeds,
        };
        Self(Arc::new(Inner { state: Mutex::new(state), ready: Arc::default(), begun: Instant::now() }))
    }

    /// Returns the time since the run began.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.0.state.lock().now
    }

    /// Returns an executor whose tasks are those of this owner.
    #[must_use]
    pub fn of(&self, owner: Owner) -> Arc<dyn Executor> {
        Arc::new(Owned { tasks: self.clone(), owner })
    }

    /// Starts a task of this owner.
    pub fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + Send + 'static) -> u64 {
        self.start(owner, Box::pin(work))
    }

    fn start(&self, owner: Owner, work: Work) -> u64 {
        let mut state = self.0.state.lock();
        state.next += 1;
        let task = state.next;
        let waker = Waker::from(Arc::new(Alarm { task, ready: Arc::clone(&self.0.ready) }));
        state.tasks.insert(task, Slot { owner, work: Some(work), waker });
        self.0.ready.lock().insert(task);
        task
    }

    /// Drops a task where it waits, if it has not ended.
    pub fn abort(&self, task: u64) {
        let slot = self.0.state.lock().tasks.remove(&task);
        if let Some(slot) = slot {
            // What it holds may call back when it is dropped.
            let _entered = enter(self.of(slot.owner));
            drop(slot);
        }
    }

    /// Says whether a task has not ended.
    #[must_use]
    pub fn has(&self, task: u64) -> bool {
        self.0.state.lock().tasks.contains_key(&task)
    }

    /// Drops all tasks of an owner where they wait.
    pub fn crash(&self, owner: Owner) {
        let dropped: Vec<Slot> = {
            let mut state = self.0.state.lock();
            let gone: Vec<u64> =
                state.tasks.iter().filter(|(_, slot)| slot.owner == owner).map(|(task, _)| *task).collect();
            gone.iter().filter_map(|task| state.tasks.remove(task)).collect()
        };
        // What they hold may call back when it is dropped.
        let _entered = enter(self.of(owner));
        drop(dropped);
    }

    /// Drops all tasks.
    pub fn end(&self) {
        loop {
            let Some(owner) = self.0.state.lock().tasks.values().next().map(|slot| slot.owner) else {
                return;
            };
            self.crash(owner);
        }
    }

    /// Lets one task go on that is ready, or lets time pass.
    pub fn step(&self, random: &mut Random) -> Went {
        let task = {
            let mut ready = self.0.ready.lock();
            let count = ready.len();
            // Now and then the machine is slow, and time passes though there is work.
            if count == 0 || random.in_a_thousand(4) {
                None
            } else {
                let chosen = ready.iter().nth(random.place(count)).copied();
                if let Some(task) = &chosen {
                    ready.remove(task);
                }
                chosen
            }
        };
        match task {
            Some(task) => self.go_on(task),
            None if self.pass() => Went::Later,
            None if self.0.ready.lock().is_empty() => Went::Nowhere,
            None => Went::Later,
        }
    }

    fn go_on(&self, task: u64) -> Went {
        let (owner, work, waker) = {
            let mut state = self.0.state.lock();
            let Some(slot) = state.tasks.get_mut(&task) else { return Went::On(task, WORLD) };
            (slot.owner, slot.work.take(), slot.waker.clone())
        };
        let Some(mut work) = work else { return Went::On(task, owner) };
        let _entered = enter(self.of(owner));
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        let mut state = self.0.state.lock();
        match (polled, state.tasks.get_mut(&task)) {
            (Poll::Pending, Some(slot)) => slot.work = Some(work),
            // It has ended, or was ended by itself.
            (Poll::Ready(()) | Poll::Pending, _) => {
                let slot = state.tasks.remove(&task);
                drop(state);
                drop((slot, work));
            }
        }
        Went::On(task, owner)
    }

    /// Lets time pass up to the next timer. Returns `false` when there is none.
    fn pass(&self) -> bool {
        let wakers: Vec<Waker> = {
            let mut state = self.0.state.lock();
            let Some((&(at, _), _)) = state.timers.first_key_value() else { return false };
            state.now = state.now.max(at);
            let later = state.timers.split_off(&(at + Duration::from_nanos(1), 0));
            std::mem::replace(&mut state.timers, later).into_values().collect()
        };
        wakers.into_iter().for_each(Waker::wake);
        true
    }
}

/// An `Owned` is the executor of one owner.
struct Owned {
    tasks: Tasks,
    owner: Owner,
}

impl Executor for Owned {
    fn spawn(&self, work: Work) -> u64 {
        self.tasks.start(self.owner, work)
    }

    fn abort(&self, task: u64) {
        self.tasks.abort(task);
    }

    fn now(&self) -> Instant {
        self.tasks.0.begun + self.tasks.time()
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        let mut state = self.tasks.0.state.lock();
        state.timers_made += 1;
        let key = (at.saturating_duration_since(self.tasks.0.begun), state.timers_made);
        state.timers.insert(key, waker.clone());
    }

    fn seed(&self) -> u64 {
        self.tasks.0.state.lock().seeds.any()
    }
}

/// Waits for so long of the run's time.
pub async fn pause(time: Duration) {
    bookonce::tasks::sleep(time).await;
}

/// Lets others go on first.
pub async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
