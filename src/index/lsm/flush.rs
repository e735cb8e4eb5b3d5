//! A flush writes what is in memory to runs and rows, and moves the checkpoint in one transaction. A merge makes one
//! large run of several small ones.
//!
//! Each has a thread of its own, so that a long merge does not delay the checkpoint. When the disk is full, or another
//! program has locked the catalog, they wait and try again; damage is final and stops the clerk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::memtable::{Memtable, Reached};
use super::run::Run;
use super::scrub::Scrub;
use super::tree::{self, TreeKind};
use crate::index::catalog::Checkpoint;
use crate::index::error::IndexError;
use crate::index::shared::Shared;

const RETRY_AFTER: Duration = Duration::from_secs(1);
/// This is the time between two parts of the catalog that are proven in the background.
const BETWEEN_PARTS: Duration = Duration::from_millis(3);

/// Starts the thread that flushes and the thread that merges.
pub(in crate::index) fn start(shared: &Arc<Shared>) -> Result<(), IndexError> {
    let mut threads = vec![("index-flush", flush_loop as fn(&Shared)), ("index-merge", merge_loop)];
    if !shared.proven.is_whole() {
        threads.push(("index-prove", prove_loop));
    }
    for (name, work) in threads {
        let shared_there = Arc::clone(shared);
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            let _alarm = Alarm(&shared_there);
            work(&shared_there);
        })?;
        shared.threads.lock().push(thread);
    }
    Ok(())
}

/// An `Alarm` is a guard that notes, when one of the index's threads panics, that the index has failed. Without it the
/// clerk would wait for room for ever.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.failure.stopped("one of its threads panicked");
        }
    }
}

fn flush_loop(shared: &Shared) {
    let mut last = Instant::now();
    loop {
        let closing = shared.closing.load(Ordering::Acquire);
        // Nothing more is written into a damaged index: everything that is in memory is in the journal, too.
        if shared.abandoned.load(Ordering::Acquire) || shared.failure.is_damage() {
            return;
        }
        let (due, any) = {
            let state = shared.state.read();
            let aged = last.elapsed() >= shared.tuning.flush_after || closing;
            (
                state.active.len() >= shared.tuning.flush_at || aged,
                !state.active.is_empty() || state.frozen.is_some(),
            )
        };
        if due && any {
            last = Instant::now();
            if !keep_trying(shared, "moving the checkpoint", flush) {
                return;
            }
            continue;
        }
        if closing {
            return;
        }
        shared.sleep(true);
    }
}

fn merge_loop(shared: &Shared) {
    let mut scrub = Scrub::default();
    while !shared.closing.load(Ordering::Acquire) && !shared.failure.is_damage() {
        let found = TreeKind::ALL
            .into_iter()
            .find_map(|kind| shared.state.read().tree(kind).to_merge(shared.tuning).map(|runs| (kind, runs)));
        match found {
            Some((kind, runs)) => {
                if !keep_trying(shared, "merging runs", |shared| merge(shared, kind, &runs)) {
                    return;
                }
            }
            None => {
                scrub.go_on(shared);
                shared.sleep(false);
            }
        }
    }
}

/// Proves the parts of the catalog that were not proven at the start, a few milliseconds apart, so that it takes a small part
/// of one processor: a million accounts take some ten seconds.
fn prove_loop(shared: &Shared) {
    let mut last = shared.proven_to.clone();
    while !shared.closing.load(Ordering::Acquire) && !shared.failure.is_damage() {
        let ended = shared.open_reader().and_then(|catalog| {
            while !shared.closing.load(Ordering::Acquire) {
                let Some(next) = shared.proven.go_on(&catalog, last.as_ref())? else { break };
                last = Some(next);
                std::thread::sleep(BETWEEN_PARTS);
            }
            Ok(())
        });
        match ended {
            Ok(()) => return,
            Err(error) if error.is_damage() => return shared.fail(&error),
            Err(error) => tracing::warn!(%error, "a part of the index can't be read at the moment"),
        }
        std::thread::sleep(RETRY_AFTER);
    }
}

impl Shared {
    /// Notes that the index can't go on, and wakes everybody who waits for it.
    fn fail(&self, error: &IndexError) {
        if error.is_damage() {
            self.failure.damaged(&error.to_string());
        } else {
            self.failure.stopped(&error.to_string());
        }
        self.signal.1.notify_all();
    }

    /// Waits until it is woken, for half a second at most. Only the thread that flushes (`flusher`) takes a request for
    /// a flush.
    fn sleep(&self, flusher: bool) {
        let mut guard = self.signal.0.lock();
        let wanted = flusher && self.flush_wanted.swap(false, Ordering::AcqRel);
        if !wanted && !self.closing.load(Ordering::Acquire) {
            self.signal.1.wait_for(&mut guard, Duration::from_millis(500));
        }
    }
}

/// Runs `work` until it succeeds or fails finally. Returns whether it succeeded.
fn keep_trying(shared: &Shared, what: &str, work: impl Fn(&Shared) -> Result<(), IndexError>) -> bool {
    loop {
        match work(shared) {
            Ok(()) => return true,
            Err(error) if error.is_full() || error.is_locked() => {
                let why =
                    if error.is_full() { "the disk is full" } else { "another program has locked the index" };
                tracing::warn!(%error, "{why}: {what} waits");
                if shared.closing.load(Ordering::Acquire) {
                    shared.failure.stopped(why);
                    return false;
                }
                std::thread::sleep(RETRY_AFTER);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(%error, cause, "{what} failed: the index must be rebuilt");
                shared.fail(&error);
                return false;
            }
        }
    }
}

/// Freezes the active memtable, and writes the frozen one to files and to the catalog.
pub(in crate::index) fn flush(shared: &Shared) -> Result<(), IndexError> {
    let frozen = {
        let mut state = shared.state.write();
        match &state.frozen {
            Some(frozen) => Arc::clone(frozen),
            None => {
                let mut active = std::mem::replace(&mut state.active, Memtable::new(shared.seed));
                active.layers_mut().seal();
                let frozen = Arc::new(active);
                state.frozen = Some(Arc::clone(&frozen));
                frozen
            }
        }
    };
    let Some(last) = frozen.last() else { return Ok(()) };
    let Reached { position, hash, event } = last;
    let names: Vec<_> = {
        let mut writer = shared.writer.lock();
        TreeKind::ALL
            .into_iter()
            .map(|kind| {
                let (name, id) = writer.new_run(kind);
                (kind, name, id)
            })
            .collect()
    };
    let mut runs = Vec::new();
    for (kind, name, id) in &names {
        let records = match kind {
            TreeKind::Ids => frozen.id_records(),
            TreeKind::Revisions => frozen.revision_records(),
            TreeKind::Places => frozen.place_records().to_vec(),
        };
        let count = records.len() as u64;
        let path = shared.dir.join(name);
        let run = Run::write(
            &path,
            *id,
            records.into_iter().map(Ok),
            kind.filtered().then_some(count),
            &shared.failure,
        )?;
        runs.push(Arc::new(run));
    }
    std::fs::File::open(&shared.dir)?.sync_all()?;
    let mut writer = shared.writer.lock();
    let trees = {
        let state = shared.state.read();
        let mut trees = (*state.trees).clone();
        for (tree, run) in trees.iter_mut().zip(runs) {
            *tree = tree.with(run);
        }
        trees
    };
    let to = Checkpoint { journal_id: *shared.journal_id.lock(), position, hash, event };
    writer.move_checkpoint(&trees, &frozen, to)?;
    {
        let mut state = shared.state.write();
        state.trees = Arc::new(trees);
        state.frozen = None;
        (state.flushed, state.open_holds) = (position, writer.open_holds());
        state.has_timers = writer.has_timers();
    }
    drop(writer);
    shared.checkpoint.store(position, Ordering::Release);
    shared.wake();
    Ok(())
}

/// Makes one run of several, and removes their files once the catalog no longer names them.
fn merge(shared: &Shared, kind: TreeKind, runs: &[Arc<Run>]) -> Result<(), IndexError> {
    let (name, id) = shared.writer.lock().new_run(kind);
    let merged = Arc::new(tree::merge(kind, runs, &shared.dir.join(name), id, &shared.failure)?);
    std::fs::File::open(&shared.dir)?.sync_all()?;
    {
        let mut writer = shared.writer.lock();
        let tree = shared.state.read().tree(kind).replaced(runs, merged);
        writer.set_runs(kind, &tree)?;
        let mut state = shared.state.write();
        let mut trees = (*state.trees).clone();
        trees[kind as usize] = tree;
        state.trees = Arc::new(trees);
    }
    for run in runs {
        std::fs::remove_file(run.path())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    /// Seen failing while a lock of another tool was final: the index had to be rebuilt.
    #[test]
    fn a_lock_of_another_tool_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::open(dir.path(), uuid::Uuid::from_u128(1), 1).unwrap();
        let busy = || rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(5), None);
        let tries = std::sync::atomic::AtomicUsize::new(0);
        let work = |_: &Shared| match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Err(IndexError::from(busy())),
            _ => Ok(()),
        };
        assert!(keep_trying(&index.0, "moving the checkpoint", work));
        assert!(index.failure().is_none());
    }

    #[test]
    fn a_thread_that_panics_is_a_failure_that_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::open(dir.path(), uuid::Uuid::from_u128(1), 1).unwrap();
        let there = Arc::clone(&index.0);
        let thread = std::thread::spawn(move || {
            let _alarm = Alarm(&there);
            panic!("a record that cannot be");
        });
        assert!(thread.join().is_err());
        assert!(index.failure().is_some());
    }
}
