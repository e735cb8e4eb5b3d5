//! Admission bounds how many transfers are under way, and how many of one account.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::ids::{AccountName, CounterAccount};
use crate::domain::payee::Payee;
use crate::domain::transfer::event::Terms;
use crate::tasks;

/// This is the most transfers that were recorded here and are driven at once.
pub(super) const MOST_UNDER_WAY: usize = 8_192;
/// This is how long a request waits for a place.
const WAIT: Duration = Duration::from_millis(50);
/// This is the most transfers of one way that are between their hold and their end; the others wait in their order.
const MOST_OF_ACCOUNT: usize = 256;

/// An `Admitted` is the place of one transfer that is under way. It is given back when this is dropped.
#[derive(Debug)]
pub struct Admitted(
    #[expect(dead_code, reason = "it is held, and given back when it is dropped")] OwnedSemaphorePermit,
);

/// A `Way` is the account that a transfer goes out of, with its provider if it has one: a slow provider holds back only its
/// own.
pub(super) type Way = (AccountName, Option<CounterAccount>);

/// Returns the way of a transfer.
pub(super) fn way(terms: &Terms) -> Way {
    let provider = match &terms.to {
        Payee::Account(_) => None,
        Payee::External(name) => Some(name.clone()),
    };
    (terms.from.clone(), provider)
}

/// The `Places` are the places of the transfers that are under way.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    accounts: Mutex<HashMap<Way, Arc<Semaphore>, RandomState>>,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST_UNDER_WAY)), accounts: Mutex::default() }
    }

    /// Takes a place for a new transfer; `None` when none is free in time.
    pub(super) async fn admit(&self) -> Option<Admitted> {
        let place = Arc::clone(&self.all).acquire_owned();
        tasks::timeout(WAIT, place).await.ok()?.ok().map(Admitted)
    }

    /// Waits for the turn of a transfer on this way. Turns are given in the order in which they are asked for.
    pub(super) async fn turn(&self, way: Way) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut accounts = self.accounts.lock();
            if accounts.len() > MOST_UNDER_WAY {
                accounts.retain(|_, places| places.available_permits() < MOST_OF_ACCOUNT);
            }
            let places = accounts.entry(way);
            Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(MOST_OF_ACCOUNT))))
        };
        places.acquire_owned().await.ok()
    }
}
