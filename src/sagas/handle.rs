//! [`Sagas`] is the handle of all drivers: it starts them, knows which transfers it drives, and tells who waits for an end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::client::random::Draws;
use crate::domain::event::Event;
use crate::domain::ids::{CounterAccount, TransactionId};
use crate::domain::state::State;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::stage::Stage;
use crate::domain::transfer::steps::Steps;
use crate::domain::transfer::todo::{Todo, todo};
use crate::ledger::{Ledger, ReadError, Verdict};
use crate::payouts::{Outcomes, Providers};
use crate::tasks;

use super::admission::{Admitted, Places, way};
use super::driver::Driver;
use super::pace::Pace;
use super::work::Work;

/// This is the most transfers that are taken up and driven at once.
const ADOPTED: usize = 1_024;
/// This is how often a reader that waits for an end looks by itself. It is told of an end that is reached here, and looks four
/// times as often where another instance drives the transfer: thousands may wait, and each look is a read.
const LOOK: Duration = Duration::from_secs(5);

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
    driven: Mutex<HashMap<TransactionId, Arc<Told>, RandomState>>,
    ended: [AtomicU64; 4],
    adopted: AtomicU64,
    /// This is how many transfers were under way in the ledger when it was last looked.
    seen: AtomicUsize,
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
            seen: AtomicUsize::new(0),
            seconds: Histogram::new(exponential_buckets(0.001, 2.0, 18)),
        }))
    }

    /// Sets the payout providers, before anything is driven. It is done once.
    pub fn pay_through(&self, providers: Providers) {
        self.0.work.pay_through(providers);
    }

    /// Says whether this service is set up with the provider of a transfer.
    #[must_use]
    pub(crate) fn knows(&self, provider: &CounterAccount) -> bool {
        self.0.work.providers().is_some_and(|providers| providers.get(provider).is_some())
    }

    /// Returns what a driver that starts anew knows of a transfer.
    #[must_use]
    pub(crate) fn steps(&self, transfer: &Transfer) -> Steps {
        self.0.work.steps(transfer)
    }

    /// Says whether a driver has something to do for a transfer now.
    #[must_use]
    pub(super) fn has_work(&self, transfer: &Transfer) -> bool {
        let todo = todo(transfer, &self.steps(transfer), self.ledger().now());
        !matches!(todo, Todo::Rest(_) | Todo::Nothing)
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
        let under_way = self.0.seen.load(Ordering::Relaxed).max(self.0.driven.lock().len());
        self.0.places.admit(under_way, self.0.work.room()).await
    }

    /// Notes how many transfers are under way in the ledger.
    pub(super) fn saw(&self, under_way: usize) {
        self.0.seen.store(under_way, Ordering::Relaxed);
    }

    /// Takes a place for a transfer that is taken up; `None` when as many are driven as may be.
    pub(super) fn place_to_adopt(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.adopting).try_acquire_owned().ok()
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
            if let Some(driven) = self.0.driven.lock().get(&id) {
                driven.bell.notify_one();
                return;
            }
            // It is driven already, or is taken up from where it stands after the event.
            return self.take_up(id, None);
        }
        let state = State::evolve(None, event).ok();
        let Some(transfer) = state.as_ref().and_then(State::transfer).cloned() else { return };
        let place = transfer.terms.to.account().and_then(|_| places.next());
        if let Some(driven) = self.begin(transfer.id) {
            tasks::spawn(async move {
                driven.drive(transfer).await;
                drop(place);
            });
        }
    }

    /// Drives a transfer that was found to be driven by nobody, in this place; one that goes to a provider waits for a place of
    /// its provider's.
    pub(super) fn adopt(&self, id: TransactionId, place: Option<OwnedSemaphorePermit>) {
        if !self.drives(id) {
            self.0.adopted.fetch_add(1, Ordering::Relaxed);
            self.take_up(id, place);
        }
    }

    /// Says whether a transfer goes to a provider that this service is set up with.
    pub(super) fn pays(&self, transfer: &Transfer) -> bool {
        self.0.work.provider(transfer).is_some()
    }

    /// Drives a transfer from where it stands, unless it is driven. One that can't be read now is found standing still later.
    fn take_up(&self, id: TransactionId, place: Option<OwnedSemaphorePermit>) {
        let Some(driven) = self.begin(id) else { return };
        tasks::spawn(async move {
            let work = &driven.sagas.0.work;
            if let Ok(Some(transfer)) = work.ledger.transfer_state(id).await {
                let adopting = work.provider(&transfer).map(|provider| Arc::clone(provider.adopting()));
                match (adopting, &place) {
                    (Some(adopting), _) => {
                        let _place = adopting.acquire().await;
                        driven.drive(transfer).await;
                    }
                    (None, Some(_)) => driven.sagas.0.pace.at(driven.drive(transfer)).await,
                    (None, None) => driven.drive(transfer).await,
                }
            }
            drop(place);
        });
    }

    fn begin(&self, id: TransactionId) -> Option<Driven> {
        let mut driven = self.0.driven.lock();
        if driven.contains_key(&id) {
            return None;
        }
        let told = Arc::new(Told::default());
        driven.insert(id, Arc::clone(&told));
        Some(Driven { sagas: self.clone(), id, told })
    }

    /// Waits until the transfer has ended or an operator is needed, for this long at most.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn wait_for_end(&self, id: TransactionId, within: Duration) -> Result<(), ReadError> {
        let until = tasks::now() + within;
        loop {
            let told = self.0.driven.lock().get(&id).cloned();
            let told = told.as_ref().map(|told| told.end.notified());
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
            contradicted: self.0.work.contradicted(),
            calls: self
                .0
                .work
                .providers()
                .into_iter()
                .flat_map(Providers::iter)
                .map(|provider| (provider.name().clone(), provider.outcomes()))
                .collect(),
        }
    }
}

/// The `Counts` are what sagas have counted since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    ended: [u64; 4],
    /// This is how many transfers were taken up.
    pub(crate) adopted: u64,
    /// This is how often a provider said otherwise than what was recorded.
    pub(crate) contradicted: u64,
    /// These are the outcomes of the calls to each provider.
    pub(crate) calls: Vec<(CounterAccount, Outcomes)>,
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
    told: Arc<Told>,
}

/// A `Told` tells of a transfer that is driven here.
#[derive(Default)]
struct Told {
    /// It is told when the transfer is not driven any more.
    end: Notify,
    /// It is told when something was recorded of the transfer by another than its driver.
    bell: Notify,
}

impl Driven {
    async fn drive(&self, transfer: Transfer) {
        let begun = tasks::now();
        let ledger = &self.sagas.0.work.ledger;
        // One whose deadline is over places no hold any more, so that it needs no turn to be stopped.
        let left = transfer.terms.deadline_at.micros().saturating_sub(ledger.now().micros());
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        let turn = self.sagas.0.places.turn(way(&transfer.terms), left).await;
        let transfer = match turn {
            Some(_) => transfer,
            None => ledger.transfer_state(self.id).await.ok().flatten().unwrap_or(transfer),
        };
        let after = Driver::new(&self.sagas.0.work, transfer, &self.told.bell).run().await;
        drop(turn);
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
            told.end.notify_waiters();
        }
    }
}
