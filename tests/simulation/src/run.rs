//! [`run`] runs one seed from its beginning to its end: it draws a plan, lets everything happen, heals, and checks.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bookonce::domain::command::Command;
use bookonce::domain::ids::{Id, TransactionId};
use parking_lot::Mutex;

use crate::answers::Answers;
use crate::checks;
use crate::clients::{client, confirm};
use crate::disk::Disk;
use crate::due::is_quiet;
use crate::executor::{Owner, WORLD, Went, pause};
use crate::instance::{Instance, Place};
use crate::marks::Marks;
use crate::node::Node;
use crate::operator::operator;
use crate::outside::Outside;
use crate::plan::Plan;
use crate::random::Random;
use crate::readings::{Readings, read_own};
use crate::restoring::restore;
use crate::trouble;
use crate::world::World;

/// A run that takes more steps than this does not come to an end.
const MOST_STEPS: u64 = 3_000_000;

/// This is how long after the last command something may still be due.
const AFTERMATH: Duration = Duration::from_secs(12);

/// This is how many seconds the end of a run is waited for, where a payout provider says nothing for long.
const MOST_SECONDS: u64 = 900;

/// A `Run` is everything that takes part in a run.
pub struct Run {
    /// This is what all share.
    pub world: World,
    /// These are the machines.
    pub instances: Vec<Instance>,
    /// This is their store.
    pub place: Place,
    /// These are the payout providers.
    pub outside: Outside,
    /// This is what instances said of accounts.
    pub readings: Readings,
    /// These are the answers that clients heard.
    pub answers: Answers,
    /// This is the number of clients that have not heard all of their answers.
    pub waiting: AtomicU64,
    reused: Mutex<BTreeSet<Id>>,
    /// This is the first life of the copy that was restored.
    lives_since: AtomicU64,
    is_over: AtomicBool,
}

impl Run {
    /// Draws an instance.
    pub fn any_instance(&self) -> usize {
        self.world.draw(|random| random.place(self.instances.len()))
    }

    /// Notes that the ledger was restored, and that this is the first life of the copy. What the original still says counts no
    /// more.
    pub fn lives_since(&self, first: Owner) {
        self.lives_since.store(first, Ordering::Relaxed);
    }

    /// Says whether a life is one of the ledger as it is now, and not of the original of a copy.
    pub fn is_current(&self, owner: Owner) -> bool {
        owner >= self.lives_since.load(Ordering::Relaxed)
    }

    /// Notes that a client uses an ID for two accounts.
    pub fn is_reused(&self, id: TransactionId) {
        self.reused.lock().insert(id.into());
    }

    /// Says whether the ID of a command is used for two accounts.
    pub fn may_be_reused(&self, command: &Command) -> bool {
        self.reused.lock().contains(&command.id)
    }
}

/// An `Ended` says how a run went.
#[derive(Clone, Debug)]
pub struct Ended {
    /// This is the hash of all that happened.
    pub hash: u64,
    /// This is the number of events in the journal.
    pub events: usize,
    /// This is the time that passed in the run.
    pub time: Duration,
    /// These are the rare states that it came into.
    pub marks: Marks,
    /// This is the invariant that does not hold, with the last steps; `None` when all hold.
    pub wrong: Option<String>,
}

/// Runs one seed.
#[must_use]
pub fn run(seed: u64, prints: bool) -> Ended {
    let mut random = Random::new(seed);
    let plan = Plan::draw(&mut random);
    let world = World::new(plan, random, prints);
    let events = catch_unwind(AssertUnwindSafe(|| through(&world, Random::new(!seed))));
    let (hash, _, last) = world.traced();
    let wrong = match &events {
        Ok(Ok(_)) => None,
        Ok(Err(why)) => Some(why.clone()),
        Err(panic) => Some(format!("a panic: {}", said(&**panic))),
    };
    let wrong = wrong.map(|why| format!("{why}\nThe plan: {:?}\nThe last steps:\n{last}", world.plan()));
    world.tasks().end();
    let events = events.ok().and_then(Result::ok).unwrap_or_default();
    Ended { hash, events, time: world.time(), marks: world.marks(), wrong }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Goes through a run. Returns the number of events in its journal.
fn through(world: &World, mut scheduled: Random) -> Result<usize, String> {
    let plan = world.plan();
    world.step("plan", format!("{plan:?}"));
    if plan.calm {
        world.mark("calm run");
    }
    if plan.instances == 3 {
        world.mark("three instances");
    }
    let place = match plan.shared {
        false => Place::Embedded(Disk::new(world)),
        true => Place::Shared(Node::new(world)),
    };
    let instances: Result<Vec<_>, _> = (0..plan.instances).map(Instance::new).collect();
    let run = Arc::new(Run {
        world: world.clone(),
        instances: instances.map_err(|error| format!("there is no room for a run: {error}"))?,
        outside: Outside::new(world, &place),
        readings: Readings::default(),
        place,
        answers: Answers::default(),
        waiting: AtomicU64::new(plan.clients),
        reused: Mutex::default(),
        lives_since: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    });
    for number in 0..plan.clients {
        let run = Arc::clone(&run);
        world.tasks().spawn(WORLD, async move {
            client(Arc::clone(&run), number).await;
            run.waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }
    for number in 0..plan.instances {
        world.tasks().spawn(WORLD, trouble::keep_alive(Arc::clone(&run), number));
    }
    world.tasks().spawn(WORLD, trouble::make(Arc::clone(&run)));
    world.tasks().spawn(WORLD, operator(Arc::clone(&run)));
    world.tasks().spawn(WORLD, restore(Arc::clone(&run)));
    world.tasks().spawn(WORLD, finish(Arc::clone(&run)));
    let checked = go(&run, &mut scheduled).and_then(|()| checks::check(&run));
    if let Place::Shared(node) = &run.place {
        node.forget(None);
    }
    checked
}

/// Lets one task after the other go on until the run is over.
fn go(run: &Run, scheduled: &mut Random) -> Result<(), String> {
    let world = &run.world;
    for _ in 0..MOST_STEPS {
        if let Some(wrong) = world.is_wrong() {
            return Err(wrong);
        }
        if run.is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        match world.tasks().step(scheduled) {
            Went::On(task, owner) => {
                world.number(task);
                run.instances.iter().for_each(|instance| instance.went_on(world, owner));
            }
            Went::Later => world.number(world.time().as_nanos() as u64),
            Went::Nowhere => return Err("everybody waits, and nothing comes".to_owned()),
        }
    }
    Err(format!("it does not come to an end; {} clients still wait", run.waiting.load(Ordering::Relaxed)))
}

/// Waits for the clients, lets nothing go wrong any more, waits until nothing is due, and asks for every first answer again.
async fn finish(run: Arc<Run>) {
    let world = &run.world;
    while run.waiting.load(Ordering::Relaxed) > 0 {
        pause(Duration::from_millis(50)).await;
        if !world.is_faulty() && !world.plan().calm {
            run.instances.iter().for_each(|instance| instance.resume(world));
            trouble::mend(&run).await;
        }
    }
    if world.is_faulty() {
        world.heal();
    }
    run.instances.iter().for_each(|instance| instance.resume(world));
    // A deadline that was recorded by a fast clock comes for all.
    let furthest = run.instances.iter().map(|instance| instance.clock.furthest()).max().unwrap_or_default();
    run.instances.iter().for_each(|instance| instance.clock.set_to(furthest));
    pause(AFTERMATH).await;
    trouble::mend(&run).await;
    pause(AFTERMATH).await;
    for number in 0..run.instances.len() {
        for (_, first) in run.answers.all() {
            confirm(Arc::clone(&run), number, first.command).await;
        }
    }
    // A hold that comes to its time at this very moment is waited for.
    for _ in 0..MOST_SECONDS {
        if is_quiet(&run) {
            break;
        }
        pause(Duration::from_secs(1)).await;
    }
    read_own(&run).await;
    run.is_over.store(true, Ordering::Relaxed);
}
