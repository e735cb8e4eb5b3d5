//! The index's handle opens, feeds and closes the index. The questions to the index are in `query`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, RwLock};
use uuid::Uuid;

use crate::domain::digest::EndedSum;
use crate::domain::event::Event;
use crate::store::chain::Hash;

use super::catalog::{self, Checkpoint};
use super::catalog_writer::{CatalogWriter, open_trees};
use super::error::IndexError;
use super::failure::Failure;
use super::layers::Tracked;
use super::lsm::flush;
use super::lsm::memtable::{Memtable, Note, Reached};
use super::lsm::tree::Tree;
use super::proven::Proven;
use super::record::StreamKey;
use super::shared::{Shared, State};
use super::tuning::Tuning;

/// An `Index` is the index, shared by the clerk, the readers and its own threads. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct Index(pub(super) Arc<Shared>);

/// `Besides` is what events changed besides the states of their streams. It becomes durable with the same checkpoint.
#[derive(Debug, Default)]
pub struct Besides {
    /// These notes were taken.
    pub notes: Vec<Note>,
    /// This is by how much they changed the sum of the transfers that have ended.
    pub ended: EndedSum,
}

impl Index {
    /// Opens the index in `dir`, or makes an empty one for this journal.
    ///
    /// # Errors
    /// Fails when it can't be read, or any part of it is not what was written.
    pub fn open(dir: &Path, journal_id: Uuid, seed: u64) -> Result<Self, IndexError> {
        Self::open_with(dir, journal_id, seed, Tuning::default())
    }

    /// Opens the index as [`open`](Self::open) does, with other sizes than the usual ones.
    ///
    /// # Errors
    /// Fails as `open` does.
    pub fn open_with(dir: &Path, journal_id: Uuid, seed: u64, tuning: Tuning) -> Result<Self, IndexError> {
        let index = Self::prepare(dir, journal_id, seed, tuning)?;
        index.start()?;
        Ok(index)
    }

    /// Opens the index and checks it, but does not start its threads until [`start`](Self::start) is called. So it can
    /// be compared with its journal before anything in it changes.
    ///
    /// # Errors
    /// Fails as `open` does.
    pub fn prepare(dir: &Path, journal_id: Uuid, seed: u64, tuning: Tuning) -> Result<Self, IndexError> {
        std::fs::create_dir_all(dir)?;
        let fresh = seed;
        let connection = catalog::open_current(&dir.join("index.db"))?;
        if catalog::is_new(&connection)? {
            let genesis = Hash::genesis(journal_id);
            let start = Checkpoint { journal_id, position: 0, hash: genesis, event: genesis };
            let transaction = connection.unchecked_transaction()?;
            catalog::set_meta(&transaction, "format", &catalog::FORMAT.to_string())?;
            catalog::set_meta(&transaction, "seed", &seed.to_string())?;
            catalog::set_checkpoint(&transaction, start)?;
            catalog::set_seal(&transaction)?;
            transaction.commit()?;
        }
        if catalog::meta(&connection, "format")? != Some(catalog::FORMAT.to_string()) {
            return Err(IndexError::damaged("it has the format of another version"));
        }
        catalog::check_seal(&connection)?;
        let checkpoint =
            catalog::checkpoint(&connection)?.ok_or_else(|| IndexError::damaged("it has no checkpoint"))?;
        let seed = catalog::meta(&connection, "seed")?.and_then(|text| text.parse().ok());
        let seed = seed.ok_or_else(|| IndexError::damaged("it has no seed"))?;
        let failure = Arc::new(Failure::none(dir));
        let trees = open_trees(dir, &connection, seed, &failure)?;
        // Opening reads only a part of each file. So damage that was marked before still counts, though nothing wrong
        // was found now.
        Failure::check_mark(dir)?;
        let writer = CatalogWriter::new(connection, tuning.rows_together, seed, fresh)?;
        let proven = Proven::default();
        let proven_to = proven.begin(writer.connection(), tuning.parts_at_start)?;
        let shared = Shared {
            dir: dir.to_owned(),
            journal_id: Mutex::new(checkpoint.journal_id),
            seed,
            tuning,
            state: RwLock::new(State {
                active: Memtable::new(seed),
                frozen: None,
                trees: Arc::new(trees),
                flushed: checkpoint.position,
                open_holds: writer.open_holds(),
                has_timers: writer.has_timers(),
            }),
            readers: Mutex::new(Vec::new()),
            writer: Mutex::new(writer),
            proven,
            proven_to,
            joining: Mutex::new(()),
            checkpoint: AtomicU64::new(checkpoint.position),
            reached: AtomicU64::new(checkpoint.position),
            signal: (Mutex::new(()), Condvar::new()),
            flush_wanted: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            failure,
            threads: Mutex::new(Vec::new()),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Starts the threads that move the checkpoint and merge runs.
    ///
    /// # Errors
    /// Fails when a thread can't be started.
    pub fn start(&self) -> Result<(), IndexError> {
        flush::start(&self.0)
    }

    /// Moves the checkpoint to the last event that was taken in, where the index has no threads that do it. It blocks.
    ///
    /// # Errors
    /// Fails when the files can't be written.
    pub fn move_checkpoint(&self) -> Result<(), IndexError> {
        flush::flush(&self.0)
    }

    /// Returns the checkpoint in the files.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn checkpoint(&self) -> Result<Checkpoint, IndexError> {
        let writer = self.0.writer.lock();
        catalog::checkpoint(writer.connection())?.ok_or_else(|| IndexError::damaged("it has no checkpoint"))
    }

    /// Sets the id of the journal, when that was not known before its first event.
    pub fn adopt(&self, journal_id: Uuid) {
        *self.0.journal_id.lock() = journal_id;
    }

    /// Takes in events that became durable, in order, and how their streams stand after them. No transfer has ended by them.
    pub fn apply<'a>(
        &self,
        events: impl IntoIterator<Item = (StreamKey, u64, &'a Event)>,
        states: impl IntoIterator<Item = Tracked>,
        last: impl Into<Reached>,
    ) {
        self.apply_with(events, states, Besides::default(), last);
    }

    /// Does what [`apply`](Self::apply) does, with what the events changed besides the states of their streams.
    pub fn apply_with<'a>(
        &self,
        events: impl IntoIterator<Item = (StreamKey, u64, &'a Event)>,
        states: impl IntoIterator<Item = Tracked>,
        besides: Besides,
        last: impl Into<Reached>,
    ) {
        let last = last.into();
        let wanted = {
            let mut state = self.0.state.write();
            for (stream, position, event) in events {
                state.active.event(stream, event, position);
            }
            for tracked in states {
                state.active.state(tracked);
            }
            state.active.ended(besides.ended);
            besides.notes.into_iter().for_each(|note| state.active.note(note));
            state.active.reached(last);
            state.active.len() >= self.0.tuning.flush_at
        };
        self.0.reached.store(last.position, Ordering::Release);
        if wanted {
            self.0.wake();
        }
    }

    /// Waits until this many more events put the files no further behind than [`Tuning::most_behind`], or until
    /// `give_up` says to stop waiting.
    pub fn wait_for_room(&self, events: usize, give_up: impl Fn() -> bool) {
        while self.lacks_room(events) && !give_up() && self.failure().is_none() {
            let mut guard = self.0.signal.0.lock();
            self.0.signal.1.wait_for(&mut guard, std::time::Duration::from_millis(20));
        }
    }

    /// Says whether this many more events would put the files further behind than [`Tuning::most_behind`]. If so, it
    /// asks for a flush.
    #[must_use]
    pub fn lacks_room(&self, events: usize) -> bool {
        let behind = self.behind();
        let full = behind > 0 && behind.saturating_add(events) > self.0.tuning.most_behind;
        if full {
            self.0.wake();
        }
        full
    }

    /// Returns the number of durable events that are not in the files yet.
    #[must_use]
    pub fn behind(&self) -> usize {
        self.0.state.read().behind()
    }

    /// Returns the last position that was taken in.
    #[must_use]
    pub fn reached(&self) -> u64 {
        self.0.reached.load(Ordering::Acquire)
    }

    /// Returns the position of the checkpoint in the files.
    #[must_use]
    pub fn flushed(&self) -> u64 {
        self.0.checkpoint.load(Ordering::Acquire)
    }

    /// Returns the bytes of memory that its open files take: the filters, the first keys and the checksums.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let state = self.0.state.read();
        state.trees.iter().flat_map(Tree::runs).map(|run| run.bytes()).sum()
    }

    /// Returns the reason why the index can't go on, if it can't. The clerk must not decide without it.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.0.failure.why()
    }

    /// Writes out what is in memory, stops its threads and empties its WAL.
    ///
    /// # Errors
    /// Fails when what is in memory could not be written. Nothing is lost by that: it is in the journal.
    pub fn close(&self) -> Result<(), IndexError> {
        self.0.closing.store(true, Ordering::Release);
        self.0.wake();
        let threads = std::mem::take(&mut *self.0.threads.lock());
        for thread in threads {
            if thread.join().is_err() {
                return Err(IndexError::damaged("one of its threads panicked"));
            }
        }
        self.0.readers.lock().clear();
        match self.failure() {
            Some(why) => Err(IndexError::Damaged(why)),
            None => self.0.writer.lock().empty_wal(),
        }
    }

    /// Tells its threads to end without writing anything more. Nothing is lost: what is in memory is in the journal,
    /// too.
    pub fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Release);
        self.0.closing.store(true, Ordering::Release);
        self.0.wake();
    }

    /// Deletes an index, so that the next start builds it from the journal.
    ///
    /// # Errors
    /// Fails when the folder can't be removed.
    pub fn delete(dir: &Path) -> Result<(), IndexError> {
        match std::fs::remove_dir_all(dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}
