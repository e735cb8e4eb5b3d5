//! Adoption is how an instance takes up transfers that nobody drives: at its start, and when another instance has gone.
//!
//! Nobody leads. An instance counts by its own clock, which never goes back, how long it has seen a transfer stand still; it
//! never compares clocks. The random part keeps several instances from taking up the same ones at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use crate::domain::ids::TransactionId;
use crate::domain::transfer::Transfer;
use crate::tasks;

use super::handle::{Sagas, WeakSagas};

/// This is how often it looks, at most. A look reads every transfer that is open; where there are many, it rests for longer.
const EVERY: Duration = Duration::from_secs(1);
/// This is how many times as long as a look took it rests after it, at least.
const RESTS: u32 = 16;
/// This is how long a transfer must stand still at least.
const STILL: Duration = Duration::from_secs(5);
/// This is how many milliseconds are added to it at random, at most.
const RANDOM_MS: u64 = 5_000;

/// A `Watched` is a transfer that was seen to stand still.
struct Watched {
    revision: u64,
    take_up_at: Instant,
}

/// Starts to take up what nobody drives. It must be called inside a tokio runtime, and ends when the sagas are dropped.
pub fn start(sagas: &Sagas) {
    tasks::spawn(run(sagas.downgrade()));
}

/// Takes up what stands still, for as long as the service runs.
async fn run(sagas: WeakSagas) {
    let mut watched: HashMap<TransactionId, Watched, RandomState> = HashMap::default();
    let mut is_first = true;
    loop {
        let Some(sagas) = sagas.upgrade() else { return };
        let begun = tasks::now();
        if sagas.ledger().drives().await
            && let Ok(open) = sagas.ledger().open_transfers().await
        {
            let takes_all = is_first && sagas.ledger().is_alone();
            is_first = false;
            look(&sagas, open, takes_all, &mut watched);
        }
        drop(sagas);
        tasks::sleep(EVERY.max(tasks::now().saturating_duration_since(begun) * RESTS)).await;
    }
}

/// Takes up those that have stood still for long enough, or all.
fn look(
    sagas: &Sagas,
    open: Vec<Transfer>,
    takes_all: bool,
    watched: &mut HashMap<TransactionId, Watched, RandomState>,
) {
    let mut still = HashMap::default();
    for transfer in open {
        if sagas.drives(transfer.id) || !transfer.stage.is_driven() {
            continue;
        }
        let known = watched.remove(&transfer.id).filter(|known| known.revision == transfer.revision);
        let known = known.unwrap_or_else(|| {
            let wait = STILL + Duration::from_millis(sagas.draws().below(RANDOM_MS));
            Watched { revision: transfer.revision, take_up_at: tasks::now() + wait }
        });
        let is_due = takes_all || known.take_up_at <= tasks::now();
        if !sagas.has_work(&transfer) {
            // It rests until some time, and nobody drives it. Then it is taken up at once.
            still.insert(transfer.id, Watched { take_up_at: tasks::now(), ..known });
        } else if is_due {
            sagas.adopt(transfer);
        } else {
            still.insert(transfer.id, known);
        }
    }
    *watched = still;
}
