//! The beat books the expiries of holds for accounts for which nothing comes, as the thread of a service does: it looks at the
//! timers of the index, and asks the clerk for what is due.

use std::sync::Arc;
use std::time::Duration;

use bookonce::clerk::Verdict;
use bookonce::domain::command::{Command, Operation};
use bookonce::domain::ids::{Id, Step};
use bookonce::domain::metadata::{Origin, SERVICE};
use bookonce::domain::time::Timestamp;
use bookonce::domain::transfer::asking;
use bookonce::domain::transfer::command::TransferOperation;
use bookonce::index::{Due, DueThing};
use bookonce::tasks::timeout;

use crate::clients::calling;
use crate::executor::pause;
use crate::instance::{Instance, Life};
use crate::run::Run;

/// This is how often it looks.
const BEAT: Duration = Duration::from_millis(400);
/// This is the longest part of a second that one of several instances waits before it looks again, in microseconds.
const SPREAD: u64 = 1_000_000;
/// This is how long it waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// This is how many timers it looks at together.
const PAGE: usize = 256;

/// Books what is due on one instance, again and again.
pub async fn beat(run: Arc<Run>, number: usize) {
    let (world, instance) = (&run.world, &run.instances[number]);
    let mut last = (0, world.time());
    loop {
        pause(BEAT).await;
        let Some(life) = instance.life() else { continue };
        if last.0 != life.owner {
            last = (life.owner, world.time());
        }
        if due(&run, instance, &life, 0).is_empty() {
            continue;
        }
        if run.instances.len() > 1 {
            world.wait(0, SPREAD).await;
        }
        for due in due(&run, instance, &life, 0) {
            // An instance that crashes meanwhile never says anything.
            let asked = timeout(PATIENCE, calling(&life, Arc::new([command(&due)]))).await;
            let verdicts = asked.ok().and_then(Result::ok).unwrap_or_default();
            let booked =
                verdicts.iter().any(|verdict| matches!(verdict, Verdict::Booked(..) | Verdict::Seen(..)));
            world.step("expiry", format!("{:?} by {number}: {booked}", due.what));
            if booked {
                world.mark("expiry by a timer");
                if world.time().saturating_sub(last.1) < Duration::from_secs(2) && last.0 > 32 {
                    world.mark("expiry soon after a start");
                }
            }
        }
    }
}

/// Returns what is due on an instance, by its own clock, since so many seconds.
fn due(run: &Run, instance: &Instance, life: &Life, seconds: i64) -> Vec<Due> {
    let now: Timestamp = (instance.clock.reader(&run.world))();
    if !life.index.has_timers() {
        return Vec::new();
    }
    match life.index.due(now.plus_seconds(-seconds), &[], PAGE) {
        Ok((due, _)) => due,
        Err(error) => {
            run.world.wrong(format!("the timers of {} can't be read: {error}", instance.number));
            Vec::new()
        }
    }
}

/// Finds a hold that is open on an instance though it has been due for some time.
pub fn overdue(run: &Run, instance: &Instance, life: &Life) -> Option<String> {
    due(run, instance, life, 5).first().map(|due| format!("{:?} on {}", due.what, due.stream))
}

/// Says whether nothing is due on any instance, nor will be in the next seconds, and all have come equally far.
pub fn is_quiet(run: &Run) -> bool {
    let mut heads = Vec::new();
    for instance in &run.instances {
        let Some(life) = instance.life().filter(|life| due(run, instance, life, -5).is_empty()) else {
            return false;
        };
        heads.push(life.head.borrow().position);
    }
    heads.windows(2).all(|pair| pair[0] == pair[1])
}

fn command(due: &Due) -> Command {
    match &due.what {
        DueThing::Expiry(hold) => Command {
            id: Id::first_of(*hold, Step::Expiry),
            stream: due.stream.clone(),
            operation: Operation::Expire(*hold),
            origin: Origin { correlation: None, causation: None, actor: SERVICE.into() },
        },
        DueThing::Deadline(transfer) => {
            asking::record(transfer, Id::first_of(transfer.id, Step::Timeout), TransferOperation::TimeOut)
        }
    }
}
