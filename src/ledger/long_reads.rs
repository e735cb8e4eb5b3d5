//! Long reads are the reads that take as long as the ledger, or a part of it, is large. They have a pool of their own, so
//! that an ordinary read never waits for one.
//!
//! A place in the pool belongs to the work and not to the request that asked for it: a client that goes away gives nothing
//! free before the work has ended. So that it ends soon, the work asks between two pages whether it is still [`Wanted`].
//! Bounds: [`ReadLimits`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::patient::give_way;

use super::types::ReadError;

/// `ReadLimits` are the limits of the long reads.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// This is the most long reads that run at once.
    pub long_at_once: usize,
    /// This is how long one waits for a place before it is told that the ledger is busy.
    pub long_wait: Duration,
    /// This is how long one may run.
    pub long_within: Duration,
    /// This is about how many bytes the states of streams may take in one that works out an old position.
    pub long_bytes: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            long_at_once: 2,
            long_wait: Duration::from_secs(1),
            long_within: Duration::from_secs(30),
            long_bytes: 48 << 20,
        }
    }
}

/// The `LongReads` are the pool of the long reads.
pub(super) struct LongReads {
    places: Arc<Semaphore>,
    limits: ReadLimits,
}

impl LongReads {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { places: Arc::new(Semaphore::new(limits.long_at_once)), limits }
    }
}

/// A `Wanted` answers the question of a long read whether it is still wanted. The question costs some nanoseconds; the
/// work asks it at least once in some thousand events.
#[derive(Clone)]
pub(super) struct Wanted {
    given_up: Arc<AtomicBool>,
    until: Instant,
    bytes: usize,
}

impl Wanted {
    /// Says whether to go on.
    ///
    /// # Errors
    /// Fails with [`ReadError::TooLong`] when the time is over, or nobody waits for the answer any more.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        if self.given_up.load(Ordering::Relaxed) || Instant::now() >= self.until {
            return Err(ReadError::TooLong);
        }
        Ok(())
    }

    /// Returns about how many bytes the states of streams may take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Makes work hold a place in a pool until it has ended, whoever still waits for it.
pub(super) fn holding<T>(place: OwnedSemaphorePermit, work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    move || {
        let _place = place;
        work()
    }
}

/// A `GivesUp` is a guard in the request's future. A future that is dropped before its work has ended is one that nobody
/// waits for.
struct GivesUp(Arc<AtomicBool>);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl LongReads {
    /// Runs a long read.
    ///
    /// # Errors
    /// Fails with [`ReadError::Busy`] when no place becomes free in time, and with [`ReadError::TooLong`] when the work takes
    /// too long.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Wanted) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let Self { places, limits } = self;
        let place = tokio::time::timeout(limits.long_wait, Arc::clone(places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(ReadError::Busy) };
        let given_up = Arc::new(AtomicBool::new(false));
        let wanted = Wanted {
            given_up: Arc::clone(&given_up),
            until: Instant::now() + limits.long_within,
            bytes: limits.long_bytes,
        };
        let _gives_up = GivesUp(given_up);
        let work = move || work(&wanted);
        on_a_patient_thread(holding(place, work)).await?
    }
}

/// Runs work on a thread of its own that gives way to others: to the clerk and to those who serve short requests. The thread
/// costs some 20 microseconds, which is little for a long read.
async fn on_a_patient_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReadError> {
    let (done, result) = oneshot::channel();
    let patient = move || {
        give_way();
        let _nobody_waits = done.send(work());
    };
    std::thread::Builder::new().name("long read".into()).spawn(patient).map_err(ReadError::unreadable)?;
    result.await.map_err(ReadError::unreadable)
}
