//! [`World`] is what everything in one run shares: its tasks, its random numbers, its trace, and what was found wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bookonce::domain::ids::TransactionId;
use bookonce::domain::time::Timestamp;
use parking_lot::Mutex;

use crate::executor::{Owner, Tasks, pause};
use crate::marks::Marks;
use crate::plan::Plan;
use crate::random::Random;
use crate::trace::Trace;

/// This is the moment at which every run begins: 2026-11-27T00:00:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_micros(1_795_737_600_000_000);

/// A `World` is what everything in one run shares. It is cheap to clone.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    tasks: Tasks,
    plan: Plan,
    random: Mutex<Random>,
    trace: Mutex<Trace>,
    marks: Mutex<Marks>,
    /// Things may go wrong.
    faulty: AtomicBool,
    wrong: Mutex<Option<String>>,
    /// This is after how many steps of its tasks each life crashes.
    doomed: Mutex<BTreeMap<Owner, u64>>,
    /// These are the lives in which nothing is to be driven.
    paused: Mutex<BTreeSet<Owner>>,
    ever_paused: AtomicBool,
    /// These are the lives that have ended, and when.
    dead: Mutex<BTreeMap<Owner, Duration>>,
    /// These are the claims on payouts, when and by whom.
    claims: Mutex<BTreeMap<TransactionId, Vec<(Duration, Owner)>>>,
    /// These are the holds that could not expire any more when their time had come, and at whose instance.
    late: Mutex<BTreeMap<TransactionId, Vec<Owner>>>,
}

impl World {
    /// Makes the world of a run.
    #[must_use]
    pub fn new(plan: Plan, mut random: Random, prints: bool) -> Self {
        let seeds = Random::new(random.any());
        let faulty = AtomicBool::new(!plan.calm);
        Self(Arc::new(Inner {
            tasks: Tasks::new(seeds),
            plan,
            random: Mutex::new(random),
            trace: Mutex::new(Trace::new(prints)),
            marks: Mutex::default(),
            faulty,
            wrong: Mutex::new(None),
            doomed: Mutex::default(),
            paused: Mutex::default(),
            ever_paused: AtomicBool::new(false),
            dead: Mutex::default(),
            claims: Mutex::default(),
            late: Mutex::default(),
        }))
    }

    /// Returns the tasks of the run.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Returns the plan of the run.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// Returns the time since the run began.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.0.tasks.time()
    }

    /// Draws from the random numbers.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.0.random.lock())
    }

    /// Says whether something goes wrong now that goes wrong so many times in a thousand.
    pub fn goes_wrong(&self, rate: u64) -> bool {
        self.is_faulty() && rate > 0 && self.draw(|random| random.in_a_thousand(rate))
    }

    /// Says whether things may go wrong.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.0.faulty.load(Ordering::Relaxed)
    }

    /// Lets nothing go wrong any more.
    pub fn heal(&self) {
        self.0.faulty.store(false, Ordering::Relaxed);
        self.step("nothing goes wrong any more", String::new());
    }

    /// Notes a step of the run.
    pub fn step(&self, what: &'static str, more: String) {
        let at = self.time();
        self.0.trace.lock().step(at, what, more);
    }

    /// Notes a number that must be the same in every run of the seed.
    pub fn number(&self, number: u64) {
        self.0.trace.lock().number(number);
    }

    /// Returns the hash of all steps, and the last of them in words.
    #[must_use]
    pub fn traced(&self) -> (u64, u64, String) {
        let trace = self.0.trace.lock();
        (trace.hash(), trace.steps(), trace.last())
    }

    /// Notes that the run came into a rare state.
    pub fn mark(&self, state: &'static str) {
        self.0.marks.lock().meet(state);
    }

    /// Returns the rare states that the run came into.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.0.marks.lock().clone()
    }

    /// Lets a life crash after so many more steps of its tasks.
    pub fn doom(&self, owner: Owner, steps: u64) {
        self.0.doomed.lock().insert(owner, steps);
    }

    /// Counts a step of a life, and says whether it crashes now.
    pub fn is_doomed(&self, owner: Owner) -> bool {
        let mut doomed = self.0.doomed.lock();
        let Some(left) = doomed.get_mut(&owner) else { return false };
        *left = left.saturating_sub(1);
        *left == 0 && self.is_faulty()
    }

    /// Lets whoever appended steps of transfers crash soon after, where the run draws it; sooner for what is seldom.
    pub fn appended(&self, owner: Owner, steps: impl IntoIterator<Item = u64>) {
        let weight = steps.into_iter().max().unwrap_or_default();
        if self.goes_wrong(self.plan().crash * weight / 6) {
            let most = if weight > 1 { 10 } else { 24 };
            let steps = self.draw(|random| random.between(1, most));
            self.doom(owner, steps);
        }
    }

    /// Notes that nothing is to be driven in a life.
    pub fn pauses(&self, owner: Owner) {
        self.0.paused.lock().insert(owner);
    }

    /// Says whether nothing was to be driven in a life.
    #[must_use]
    pub fn was_paused(&self, owner: Owner) -> bool {
        self.0.paused.lock().contains(&owner)
    }

    /// Notes that the life of an instance has ended.
    pub fn died(&self, owner: Owner) {
        let now = self.time();
        self.0.dead.lock().insert(owner, now);
    }

    /// Notes that transfers were paused somewhere, whether or not they are resumed at once.
    pub fn is_paused_once(&self) {
        self.0.ever_paused.store(true, Ordering::Relaxed);
    }

    /// Says whether transfers were ever paused.
    #[must_use]
    pub fn was_ever_paused(&self) -> bool {
        self.0.ever_paused.load(Ordering::Relaxed)
    }

    /// Notes that an instance claims a payout. Says whether another one has claimed it at this moment.
    pub fn claims(&self, transfer: TransactionId, by: Owner) -> bool {
        let now = self.time();
        let mut claims = self.0.claims.lock();
        let of = claims.entry(transfer).or_default();
        let is_second = of.iter().any(|(at, other)| *at == now && *other != by);
        of.push((now, by));
        is_second
    }

    /// Notes that a hold could not expire any more at an instance.
    pub fn is_late(&self, hold: TransactionId, at: Owner) {
        self.0.late.lock().entry(hold).or_default().push(at);
    }

    /// Returns the lives of instances at which this hold could not expire any more.
    #[must_use]
    pub fn late_expiries(&self, hold: TransactionId) -> Vec<Owner> {
        self.0.late.lock().get(&hold).cloned().unwrap_or_default()
    }

    /// Says whether the life of an instance had ended by a time.
    #[must_use]
    pub fn was_dead(&self, owner: Owner, by: Duration) -> bool {
        self.0.dead.lock().get(&owner).is_some_and(|at| *at <= by)
    }

    /// Notes that an invariant does not hold. The first one is kept.
    pub fn wrong(&self, what: String) {
        self.0.wrong.lock().get_or_insert(what);
    }

    /// Returns the invariant that does not hold.
    #[must_use]
    pub fn is_wrong(&self) -> Option<String> {
        self.0.wrong.lock().clone()
    }

    /// Waits for a time between two, in microseconds.
    pub async fn wait(&self, least: u64, most: u64) {
        let micros = self.draw(|random| random.between(least, most));
        pause(Duration::from_micros(micros.next_multiple_of(self.plan().grain))).await;
    }
}
