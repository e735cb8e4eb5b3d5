//! A ledger is restored here: its journal is exported, the original goes on for a while and is gone, and a copy is made of the
//! backup. What the original has paid out since is in nobody's journal, only in the books of the payout providers.

use std::collections::BTreeSet;
use std::sync::Arc;

use bookonce::store::codec;
use bookonce::store::lines_of;

use crate::instance::Place;
use crate::run::Run;

/// Restores the ledger once, where the plan says so.
pub async fn restore(run: Arc<Run>) {
    let world = &run.world;
    let Place::Embedded(disk) = &run.place else { return };
    if !world.plan().restores {
        return;
    }
    world.wait(3_000_000, 20_000_000).await;
    let backup = disk.all();
    world.wait(0, 12_000_000).await;
    if backup.is_empty() || !world.is_faulty() {
        return;
    }
    let instance = &run.instances[0];
    let lines = match instance.restore(world, disk, &backup) {
        Ok(lines) => lines,
        Err(why) => return world.wrong(format!("the backup can't be restored: {why}")),
    };
    if lines != backup {
        return world.wrong("the restored journal is not the one that was exported".to_owned());
    }
    let known = match known(&lines) {
        Ok(known) => known,
        Err(why) => return world.wrong(why),
    };
    disk.restore(&lines);
    world.mark("restored from a backup");
    world.step("restore", format!("{} IDs are known", known.len()));
    run.lives_since(instance.last_owner() + 1);
    let is_known = |stream: &str, id: &str| known.contains(&(stream.to_owned(), id.to_owned()));
    run.answers.forget(is_known);
    run.readings.forget();
    run.outside.forget(|key| {
        let transfer = key.split(':').next().unwrap_or_default();
        is_known(&format!("transfer-{transfer}"), transfer)
    });
}

/// Returns the streams and IDs that a journal has.
fn known(lines: &[u8]) -> Result<BTreeSet<(String, String)>, String> {
    let named = |line| {
        let event = codec::decode(line).map_err(|error| error.to_string())?.event;
        Ok((event.stream.to_string(), event.id.to_string()))
    };
    lines_of(lines).map(named).collect()
}
