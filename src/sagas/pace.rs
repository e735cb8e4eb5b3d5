//! The pace bounds how many of the transfers that are taken up are hurried at once, so that clients hardly notice when a
//! service finds very many at its start.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::tasks;

/// This is how many are hurried at once.
const HURRIED: usize = 36;
/// This is how long one of them keeps its place. One that takes longer waits for something, and others need not wait for it.
const PLACE: Duration = Duration::from_millis(500);

/// The `Pace` has the places of those that are hurried.
#[derive(Debug)]
pub(super) struct Pace(Semaphore);

impl Default for Pace {
    fn default() -> Self {
        Self(Semaphore::new(HURRIED))
    }
}

impl Pace {
    /// Does the work in its turn. Work that takes long gives its place to the next, and goes on.
    pub(super) async fn at(&self, work: impl Future<Output = ()>) {
        let place = self.0.acquire().await;
        let mut work = pin!(work);
        if tasks::timeout(PLACE, work.as_mut()).await.is_err() {
            drop(place);
            work.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{join_all, pending};

    /// Guards against: a transfer whose account is damaged, and that keeps all others from being taken up.
    #[tokio::test]
    async fn work_that_waits_for_ever_keeps_nobody_from_a_place() {
        let pace = Pace::default();
        let stuck = join_all((0..HURRIED).map(|_| pace.at(pending())));
        let next = async {
            tokio::task::yield_now().await;
            pace.at(async {}).await;
        };
        tokio::select! {
            biased;
            _never = stuck => {}
            () = next => {}
        }
    }
}
