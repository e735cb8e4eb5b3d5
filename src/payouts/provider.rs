//! A [`Provider`] is one payout provider that this service is set up with: what it can be asked, its line, and its bounds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::ids::CounterAccount;
use crate::domain::transfer::call::{Call, Means, Said};
use crate::domain::transfer::payout::Payout;
use crate::tasks;

use super::answer::read;
use super::line::Line;
use super::order::Order;

/// This is the most transfers to one provider that are taken up and driven at once.
const ADOPTED: usize = 1_024;

/// A `Place` is the place of one call to a provider. It is given back when this is dropped.
#[derive(Debug)]
pub struct Place(
    #[expect(dead_code, reason = "it is held, and given back when it is dropped")] OwnedSemaphorePermit,
);

/// A `Provider` is a payout provider that this service is set up with. A slow one holds back only its own calls.
pub struct Provider {
    name: CounterAccount,
    means: Means,
    timeout: Duration,
    line: Box<dyn Line>,
    at_once: Arc<Semaphore>,
    adopting: Arc<Semaphore>,
    outcomes: [AtomicU64; 4],
}

/// These are the outcomes of calls with how often each came: `done`, `declined`, `working`, `unknown`.
pub type Outcomes = [(&'static str, u64); 4];

const OUTCOMES: [&str; 4] = ["done", "declined", "working", "unknown"];

impl Provider {
    /// Makes a provider: by the ledger's own account for it, with what it can be asked, the longest time of a call, the most
    /// calls at once, and the way to it.
    #[must_use]
    pub fn new(
        name: CounterAccount,
        means: Means,
        timeout: Duration,
        at_once: usize,
        line: Box<dyn Line>,
    ) -> Self {
        Self {
            name,
            means,
            timeout,
            line,
            at_once: Arc::new(Semaphore::new(at_once)),
            adopting: Arc::new(Semaphore::new(ADOPTED)),
            outcomes: Default::default(),
        }
    }

    /// Returns the ledger's own account for it, `@external:NAME`.
    #[must_use]
    pub fn name(&self) -> &CounterAccount {
        &self.name
    }

    /// Returns what it can be asked.
    #[must_use]
    pub fn means(&self) -> Means {
        self.means
    }

    /// Waits for a place among its calls. Places are given in the order in which they are asked for.
    pub(crate) async fn place(&self) -> Option<Place> {
        Arc::clone(&self.at_once).acquire_owned().await.ok().map(Place)
    }

    /// Returns the places of transfers to it that are taken up.
    pub(crate) fn adopting(&self) -> &Arc<Semaphore> {
        &self.adopting
    }

    /// Asks it something about a payout, once. What is not answered in time is unknown.
    pub(crate) async fn call(&self, call: Call, order: &Order, _place: &Place) -> Said {
        let reply = tasks::timeout(self.timeout, self.line.send(order.request(call))).await;
        let said = match reply {
            Ok(Some(reply)) => read(&reply, call, order.transfer()),
            Ok(None) | Err(_) => Said::Unknown,
        };
        let place = match &said {
            Said::Settled(settlement) => match settlement.outcome {
                Payout::Done => 0,
                Payout::Declined => 1,
            },
            Said::Working => 2,
            Said::Unknown => 3,
        };
        if let Some(count) = self.outcomes.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        said
    }

    /// Returns what its calls came to since the start.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        let counts = self.outcomes.each_ref().map(|count| count.load(Ordering::Relaxed));
        let mut outcomes = OUTCOMES.map(|name| (name, 0));
        for (outcome, count) in outcomes.iter_mut().zip(counts) {
            outcome.1 = count;
        }
        outcomes
    }
}

/// The `Providers` are all payout providers that this service is set up with. It is cheap to clone.
#[derive(Clone, Default)]
pub struct Providers(Arc<BTreeMap<CounterAccount, Arc<Provider>>>);

impl Providers {
    /// Finds the provider that the ledger has this own account for.
    #[must_use]
    pub fn get(&self, name: &CounterAccount) -> Option<&Arc<Provider>> {
        self.0.get(name)
    }

    /// Lists them, by their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.0.values()
    }
}

impl FromIterator<Provider> for Providers {
    fn from_iter<T: IntoIterator<Item = Provider>>(providers: T) -> Self {
        let named = providers.into_iter().map(|provider| (provider.name.clone(), Arc::new(provider)));
        Self(Arc::new(named.collect()))
    }
}
