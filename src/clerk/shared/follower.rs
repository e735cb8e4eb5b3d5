//! [`Follower`] is the running follower, as the clerk knows it. What it does is in `following`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch::Sender;

use crate::index::{Checkpoint, Note};
use crate::store::Head;
use crate::tasks::{Running, timeout};

use super::common::Common;
use super::following::Following;
use super::watch;

/// This is how long the tasks may take to finish at the stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// A `Follower` is the running follower.
pub(super) struct Follower {
    tasks: Mutex<Vec<Running<()>>>,
    common: Arc<Common>,
}

impl Follower {
    /// Starts to follow behind a checkpoint, with the notes that the index has.
    pub(super) fn start(
        common: Arc<Common>,
        checkpoint: Checkpoint,
        head: Sender<Head>,
        notes: Vec<Note>,
    ) -> Self {
        let mut twice = 0;
        for note in &notes {
            match note {
                Note::Damaged(stream, why) => common.damage.stream(stream, why, true),
                Note::Missing(stream, count) => common.seen.lack(stream, *count),
                Note::Twice(_) => twice += 1,
            }
        }
        common.seen.twice.store(twice, Ordering::Relaxed);
        common.store.want_proof();
        let following = Following::after(checkpoint, Arc::clone(&common), head);
        let watching = watch::watch(Arc::clone(&common));
        let proving = watch::prove(Arc::clone(&common));
        let runtime = &common.runtime;
        let tasks = vec![runtime.spawn(following.run()), runtime.spawn(watching), runtime.spawn(proving)];
        Self { tasks: Mutex::new(tasks), common }
    }

    /// Says whether the store was reached when it was last tried.
    pub(super) fn is_connected(&self) -> bool {
        self.common.seen.connected.load(Ordering::Acquire)
    }

    /// Returns how many IDs were recorded on two streams.
    pub(super) fn twice(&self) -> usize {
        self.common.seen.twice.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.tasks.lock().iter().for_each(Running::abort);
    }

    /// Waits until the tasks have ended, which have been told to stop, and stops following. It blocks.
    pub(super) fn close(&self) {
        let common = &self.common;
        let waited = common.runtime.block_on(async { timeout(FAREWELL, common.ended()).await });
        if waited.is_some_and(|waited| waited.is_err()) {
            tracing::warn!("an append is still unresolved; whoever comes next finds out what became of it");
        }
        for task in std::mem::take(&mut *self.tasks.lock()) {
            task.abort();
            let _aborted = common.runtime.block_on(task);
        }
    }
}
