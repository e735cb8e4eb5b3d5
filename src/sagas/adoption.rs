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
/// This is how long it waits for a place for the next one that is to be taken up.
const NEXT_PLACE: Duration = Duration::from_millis(5);
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
        let mut found = Vec::new();
        if sagas.ledger().drives().await
            && let Ok(open) = sagas.ledger().open_transfers_that(opens(&sagas)).await
        {
            let takes_all = is_first && sagas.ledger().is_alone();
            is_first = false;
            sagas.saw(open.len());
            found = look(&sagas, open, takes_all, &mut watched);
        }
        let rest = EVERY.max(tasks::now().saturating_duration_since(begun) * RESTS);
        let sagas = { sagas }.downgrade();
        for one in found {
            if !take_up(&sagas, one).await {
                return;
            }
        }
        tasks::sleep(rest).await;
    }
}

/// Takes up one transfer as soon as there is a place. Until then only its ID is in memory. Returns `false` when the sagas are
/// gone.
async fn take_up(sagas: &WeakSagas, (id, pays): Found) -> bool {
    loop {
        let Some(sagas) = sagas.upgrade() else { return false };
        let place = sagas.place_to_adopt().filter(|_| !pays);
        // A slow provider keeps nobody else from a place: its transfers have places of their own.
        if pays || place.is_some() {
            sagas.adopt(id, place);
            return true;
        }
        drop(sagas);
        tasks::sleep(NEXT_PLACE).await;
    }
}

/// An `Open` is what is kept of a transfer that is under way.
struct Open {
    id: TransactionId,
    revision: u64,
    /// It says that a driver would find something to do now.
    has_work: bool,
    /// It says that it goes to a provider.
    pays: bool,
}

/// A `Found` is a transfer that is to be taken up, and whether it goes to a provider.
type Found = (TransactionId, bool);

/// Returns a function that makes of an open transfer what is kept of it until it is taken up.
fn opens(sagas: &Sagas) -> impl FnMut(&Transfer) -> Option<Open> + Send + 'static {
    let sagas = sagas.clone();
    move |transfer| {
        let open = || Open {
            id: transfer.id,
            revision: transfer.revision,
            has_work: sagas.has_work(transfer),
            pays: sagas.pays(transfer),
        };
        transfer.stage.is_driven().then(open)
    }
}

/// Returns those that have stood still for long enough, or all that nobody drives here.
fn look(
    sagas: &Sagas,
    open: Vec<Open>,
    takes_all: bool,
    watched: &mut HashMap<TransactionId, Watched, RandomState>,
) -> Vec<Found> {
    let (mut found, mut still) = (Vec::new(), HashMap::default());
    for Open { id, revision, has_work, pays } in open {
        if sagas.drives(id) {
            continue;
        }
        let known = watched.remove(&id).filter(|known| known.revision == revision);
        let known = known.unwrap_or_else(|| {
            let wait = STILL + Duration::from_millis(sagas.draws().below(RANDOM_MS));
            Watched { revision, take_up_at: tasks::now() + wait }
        });
        let is_due = takes_all || known.take_up_at <= tasks::now();
        if !has_work {
            // It rests until some time, and nobody drives it. Then it is taken up at once.
            still.insert(id, Watched { take_up_at: tasks::now(), ..known });
        } else if is_due {
            found.push((id, pays));
        } else {
            still.insert(id, known);
        }
    }
    *watched = still;
    found
}
