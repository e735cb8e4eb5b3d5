//! [`Sagas`] is the handle of all drivers: it starts them, knows which transfers it drives, and tells who waits for an end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::sync::{Notify, Semaphore};

use crate::client::random::Draws;
use crate::domain::event::Event;
use crate::domain::ids::TransactionId;
use crate::domain::state::State;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::stage::Stage;
use crate::ledger::{Ledger, ReadError, Verdict};
use crate::tasks;

use super::admission::{Admitted, Places};
use super::driver::Driver;
use super::pace::Pace;
use super::work::Work;

/// This is the most transfers that are taken up and driven at once.
const ADOPTED: usize = 1_024;
/// This is how often a reader that waits for an end looks by itself: another instance may drive the transfer.
const LOOK: Duration = Duration::from_secs(1);

/// The `Sagas` drive the transfers of one ledger. It is cheap to clone.
#[derive(Clone)]
pub struct Sagas(Arc<Inner>);

/// A `WeakSagas` is a reference to sagas that does not keep them.
pub(super) struct WeakSagas(Weak<Inner>);

impl WeakSagas {
    pub(super) fn upgrade(&self) -> Option<Sagas> {
        self.0.upgrade().map(Sagas)
    }
}

struct Inner {
    work: Work,
    places: Places,
    adopting: Arc<Semaphore>,
    pace: Pace,
    /// These are the transfers that are driven here, and who waits for their ends.
    driven: Mutex<HashMap<TransactionId, Arc<Notify>, RandomState>>,
    ended: [AtomicU64; 4],
    adopted: AtomicU64,
    seconds: Histogram,
}

impl Sagas {
    /// Makes the sagas of a ledger. They drive nothing before [`start`](super::start) but what is recorded through them.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self(Arc::new(Inner {
            work: Work::new(ledger),
            places: Places::new(),
            adopting: Arc::new(Semaphore::new(ADOPTED)),
            pace: Pace::default(),
            driven: Mutex::default(),
            ended: Default::default(),
            adopted: AtomicU64::new(0),
            seconds: Histogram::new(exponential_buckets(0.001, 2.0, 18)),
        }))
    }

    pub(super) fn downgrade(&self) -> WeakSagas {
        WeakSagas(Arc::downgrade(&self.0))
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.0.work.ledger
    }

    pub(super) fn draws(&self) -> &Draws {
        &self.0.work.draws
    }

    /// Takes a place for a new transfer; `None` when too many are under way.
    pub async fn admit(&self) -> Option<Admitted> {
        self.0.places.admit().await
    }

    /// Says whether this transfer is driven here.
    #[must_use]
    pub(super) fn drives(&self, id: TransactionId) -> bool {
        self.0.driven.lock().contains_key(&id)
    }

    /// Goes on after verdicts: a transfer that was recorded now is driven in its place, and one that was stopped or resumed
    /// is driven from where it stands.
    pub fn goes_on(&self, verdicts: &[Verdict], places: Vec<Admitted>) {
        let mut places = places.into_iter();
        for verdict in verdicts {
            let Verdict::Booked(event, _) = verdict else { continue };
            if event.transfer().is_some() && !event.is_declined() {
                self.follow(event, &mut places);
            }
        }
    }

    fn follow(&self, event: &Event, places: &mut impl Iterator<Item = Admitted>) {
        let Some(id) = event.stream.transfer() else { return };
        if self.0.work.ledger.is_paused() {
            return;
        }
        if event.revision > 0 {
            let sagas = self.clone();
            // It is driven already, or is taken up from where it stands after the event.
            tasks::spawn(async move {
                if let Ok(Some(transfer)) = sagas.0.work.ledger.transfer_state(id).await {
                    sagas.adopt(transfer);
                }
            });
            return;
        }
        let state = State::evolve(None, event).ok();
        let Some(transfer) = state.as_ref().and_then(State::transfer).cloned() else { return };
        let place = places.next();
        if let Some(driven) = self.begin(transfer.id) {
            tasks::spawn(async move {
                driven.drive(transfer).await;
                drop(place);
            });
        }
    }

    /// Drives a transfer that was found to be driven by nobody, when it is its turn.
    pub(super) fn adopt(&self, transfer: Transfer) {
        let Some(driven) = self.begin(transfer.id) else { return };
        self.0.adopted.fetch_add(1, Ordering::Relaxed);
        let adopting = Arc::clone(&self.0.adopting);
        tasks::spawn(async move {
            let _place = adopting.acquire().await;
            driven.sagas.0.pace.at(driven.drive(transfer)).await;
        });
    }

    fn begin(&self, id: TransactionId) -> Option<Driven> {
        let mut driven = self.0.driven.lock();
        if driven.contains_key(&id) {
            return None;
        }
        driven.insert(id, Arc::new(Notify::new()));
        Some(Driven { sagas: self.clone(), id })
    }

    /// Waits until the transfer has ended or an operator is needed, for this long at most.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn wait_for_end(&self, id: TransactionId, within: Duration) -> Result<(), ReadError> {
        let until = tasks::now() + within;
        loop {
            let told = self.0.driven.lock().get(&id).cloned();
            let told = told.as_ref().map(|told| told.notified());
            let left = until.saturating_duration_since(tasks::now());
            if left.is_zero() {
                return Ok(());
            }
            let transfer = self.0.work.ledger.transfer_state(id).await?;
            if transfer.is_none_or(|transfer| !transfer.stage.is_driven()) {
                return Ok(());
            }
            match told {
                Some(told) => drop(tasks::timeout(left.min(LOOK), told).await),
                None => tasks::sleep(left.min(LOOK / 4)).await,
            }
        }
    }

    /// Returns how long transfers are driven here until their ends.
    #[must_use]
    pub(crate) fn seconds(&self) -> &Histogram {
        &self.0.seconds
    }

    /// Returns what was counted since the start.
    #[must_use]
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            ended: self.0.ended.each_ref().map(|count| count.load(Ordering::Relaxed)),
            adopted: self.0.adopted.load(Ordering::Relaxed),
        }
    }
}

/// The `Counts` are what sagas have counted since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    ended: [u64; 4],
    /// This is how many transfers were taken up.
    pub(crate) adopted: u64,
}

impl Counts {
    /// Returns how many transfers were driven to this end.
    #[must_use]
    pub(crate) fn ended(&self, end: Stage) -> u64 {
        end_place(end).and_then(|place| self.ended.get(place)).copied().unwrap_or(0)
    }
}

fn end_place(end: Stage) -> Option<usize> {
    [Stage::Completed, Stage::Declined, Stage::Compensated, Stage::Cancelled].iter().position(|it| *it == end)
}

/// A `Driven` is a transfer that is driven here. When it is dropped, also after a panic, the transfer is driven no more and
/// who waits for its end looks.
struct Driven {
    sagas: Sagas,
    id: TransactionId,
}

impl Driven {
    async fn drive(&self, transfer: Transfer) {
        let (begun, account) = (tasks::now(), transfer.terms.from.clone());
        let _turn = self.sagas.0.places.turn(&account).await;
        let after = Driver::new(&self.sagas.0.work, transfer).run().await;
        if let Some(count) = end_place(after.stage).and_then(|place| self.sagas.0.ended.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
            let took = tasks::now().saturating_duration_since(begun);
            self.sagas.0.seconds.observe(took.as_secs_f64());
        }
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if let Some(told) = self.sagas.0.driven.lock().remove(&self.id) {
            told.notify_waiters();
        }
    }
}
