//! Trouble comes from here: crashes, clocks that are set, leaders that go. It ends when the run heals.

use std::sync::Arc;
use std::time::Duration;

use crate::executor::pause;
use crate::instance::Place;
use crate::run::Run;

/// Makes trouble until the run's time for it is over.
pub async fn make(run: Arc<Run>) {
    let (world, plan) = (&run.world, run.world.plan());
    let end = Duration::from_micros(world.draw(|random| random.between(3_000_000, 60_000_000)));
    let mut is_long = plan.long;
    loop {
        world.wait(5_000, 400_000).await;
        if is_long && damage_for_long(&run).await {
            is_long = false;
        }
        let instance = &run.instances[run.any_instance()];
        if world.draw(|random| random.below(6)) == 0 {
            instance.move_checkpoint(world);
        }
        if world.time() > end && world.is_faulty() {
            world.heal();
        }
        if !world.is_faulty() {
            continue;
        }
        if world.goes_wrong(plan.crash) {
            instance.crash_after(world, world.draw(|random| random.between(1, 80)));
        }
        if world.goes_wrong(plan.clock) {
            let off =
                world.draw(|random| 10_i64.pow(3 + random.below(8) as u32) * (1 + random.below(9) as i64));
            let back = world.draw(|random| random.below(2)) == 0;
            world.mark(if back { "clock set back" } else { "clock set forward" });
            world.step("clock", format!("{} by {}{off} us", instance.number, if back { "-" } else { "" }));
            instance.clock.set_by(if back { -off } else { off });
        }
        if let Place::Shared(node) = &run.place {
            if world.goes_wrong(plan.store / 2) {
                node.lose_the_leader();
            }
            if world.draw(|random| random.below(8)) == 0 {
                node.add_foreign();
            }
            if world.goes_wrong(plan.poison) {
                node.damage();
            } else if world.draw(|random| random.below(40)) == 0 {
                node.mend();
            }
        }
    }
}

/// Damages an account that a transfer is to pay, until the transfer needs an operator, and puts it right again. Returns
/// `false` where there is none.
async fn damage_for_long(run: &Run) -> bool {
    let Place::Shared(node) = &run.place else { return true };
    let paid = node.being_paid();
    if !run.world.is_faulty() || paid.is_empty() {
        return false;
    }
    let stream = &paid[run.world.draw(|random| random.place(paid.len()))];
    if !node.damage_in(stream) {
        return false;
    }
    // What an instance has in memory is not read again.
    run.instances.iter().for_each(|instance| instance.crash(&run.world));
    pause(Duration::from_secs(1_000)).await;
    mend(run).await;
    true
}

/// Mends the store, and builds every index anew that has met what was wrong with it.
pub async fn mend(run: &Run) {
    let Place::Shared(node) = &run.place else { return };
    node.mend();
    for instance in &run.instances {
        let met = instance.life().is_some_and(|life| {
            let condition = life.clerk.condition();
            condition.damaged > 0 || condition.kind == Some("other_store")
        });
        if met {
            instance.rebuild(&run.world);
        }
    }
}

/// Starts an instance, and starts it again when it has crashed or takes no commands any more.
pub async fn keep_alive(run: Arc<Run>, number: usize) {
    let (world, instance) = (&run.world, &run.instances[number]);
    loop {
        match instance.life() {
            None => {
                instance.start(world, &run.place, &run.outside);
            }
            Some(life) => {
                // An embedded ledger that does not know what became of a commit must be started anew.
                if matches!(run.place, Place::Embedded(_)) && life.clerk.condition().reason.is_some() {
                    instance.crash(world);
                }
            }
        }
        world.wait(20_000, 1_500_000).await;
    }
}
