//! What is due on an instance at a moment is looked for here: the holds whose time has come, and the transfers that it still
//! has to drive.

use bookonce::domain::time::Timestamp;
use bookonce::domain::transfer::Transfer;
use bookonce::domain::transfer::stage::Stage;
use bookonce::index::Due;

use crate::instance::{Instance, Life};
use crate::run::Run;

/// This is how many timers are looked at together.
const PAGE: usize = 256;

/// Returns what is due on an instance, by its own clock, since so many seconds.
fn due(run: &Run, instance: &Instance, life: &Life, seconds: i64) -> Vec<Due> {
    let now: Timestamp = (instance.clock.reader(&run.world))();
    if life.index.open_holds() == 0 {
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

/// Says whether nothing is due on any instance, nor will be in the next seconds, all have come equally far, and no provider is
/// asked anything.
pub fn is_quiet(run: &Run) -> bool {
    let mut heads = Vec::new();
    for instance in &run.instances {
        let Some(life) = instance.life().filter(|life| due(run, instance, life, -5).is_empty()) else {
            return false;
        };
        let is_open =
            |transfer: &Transfer| transfer.stage.is_driven() || transfer.stage == Stage::NeedsOperator;
        if open_transfers(run, &life).iter().any(is_open) {
            return false;
        }
        heads.push(life.head.borrow().position);
    }
    run.outside.is_quiet() && heads.windows(2).all(|pair| pair[0] == pair[1])
}

/// Returns the transfers that have not ended, as an instance has them.
pub fn open_transfers(run: &Run, life: &Life) -> Vec<Transfer> {
    let mut open = Vec::new();
    let read =
        life.index.overlay(|overlay| overlay.every_open_transfer(|transfer| open.push(transfer.clone())));
    if let Err(error) = read {
        run.world.wrong(format!("the open transfers can't be read: {error}"));
    }
    open
}
