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
/// This is the most transfers, of all kinds, that may be under way when a new one is taken.
const MOST_OF_ALL: usize = 262_144;
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

    /// Takes a place for a new transfer, behind the `steps` that wait; `None` when none is free in time, and at once when so
    /// many of all kinds are under way that no more may be.
    pub(super) async fn admit(&self, under_way: usize, steps: impl Future<Output = ()>) -> Option<Admitted> {
        if under_way >= MOST_OF_ALL {
            return None;
        }
        let place = async {
            let place = Arc::clone(&self.all).acquire_owned().await.ok()?;
            steps.await;
            Some(Admitted(place))
        };
        tasks::timeout(WAIT, place).await.ok()?
    }

    /// Waits for the turn of a transfer on this way, for so long at most. Turns are given in the order in which they are asked
    /// for.
    pub(super) async fn turn(&self, way: Way, within: Duration) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut accounts = self.accounts.lock();
            if accounts.len() > MOST_UNDER_WAY {
                accounts.retain(|_, places| places.available_permits() < MOST_OF_ACCOUNT);
            }
            let places = accounts.entry(way);
            Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(MOST_OF_ACCOUNT))))
        };
        // Nearly always it comes at once, and no timer is needed.
        match Arc::clone(&places).try_acquire_owned() {
            Ok(turn) => Some(turn),
            Err(_) => tasks::timeout(within, places.acquire_owned()).await.ok()?.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn a_new_transfer_has_a_place_unless_too_many_are_under_way_or_steps_wait() {
        let places = Places::new();
        let first = places.admit(MOST_OF_ALL - 1, ready(())).await;
        assert!(first.is_some());
        assert!(places.admit(MOST_OF_ALL, ready(())).await.is_none());
        assert!(places.admit(0, pending()).await.is_none());
        let all = u32::try_from(MOST_UNDER_WAY).unwrap();
        let others = Arc::clone(&places.all).try_acquire_many_owned(all - 1).unwrap();
        assert!(places.admit(0, ready(())).await.is_none());
        drop(first);
        assert!(places.admit(0, ready(())).await.is_some());
        drop(others);
    }

    #[tokio::test]
    async fn a_turn_is_waited_for_no_longer_than_it_is_of_use() {
        let (places, way) = (Places::new(), (AccountName::parse("alice").unwrap(), None));
        let mut turns = Vec::new();
        for _ in 0..MOST_OF_ACCOUNT {
            turns.push(places.turn(way.clone(), Duration::ZERO).await.unwrap());
        }
        assert!(places.turn(way.clone(), Duration::from_millis(1)).await.is_none());
        turns.pop();
        assert!(places.turn(way.clone(), Duration::ZERO).await.is_some());
    }
}
