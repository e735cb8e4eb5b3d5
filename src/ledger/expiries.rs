//! [`Expiries`] is what a ledger knows of the beat that books the expiries of holds (`expiry_beat`).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::oneshot;

/// `Expiries` is what a ledger knows of the beat that books expiries. The beat ends when this is dropped.
#[derive(Default)]
pub(super) struct Expiries {
    shared: Arc<Shared>,
    end: OnceLock<oneshot::Sender<()>>,
}

/// `Shared` is what the beat and the ledger share.
#[derive(Default)]
pub(super) struct Shared {
    is_stopped: AtomicBool,
    lag_micros: AtomicU64,
}

impl Shared {
    /// Says whether nothing is to be booked any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Notes for how long the oldest expiry that is due has been due.
    pub(super) fn set_lag(&self, micros: u64) {
        self.lag_micros.store(micros, Ordering::Relaxed);
    }
}

impl Expiries {
    /// Returns what the beat needs: what it shares, and the channel that closes when it is to end. The beat is started once.
    pub(super) fn for_beat(&self) -> (Arc<Shared>, oneshot::Receiver<()>) {
        let (end, ended) = oneshot::channel();
        let _once = self.end.set(end);
        (Arc::clone(&self.shared), ended)
    }

    /// Makes the beat book nothing any more.
    pub(super) fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Release);
    }

    /// Returns for how long the oldest expiry that is due has been due, when it was last looked; zero when none was.
    pub(super) fn lag(&self) -> Duration {
        Duration::from_micros(self.shared.lag_micros.load(Ordering::Relaxed))
    }
}
