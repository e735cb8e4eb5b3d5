//! This is the data that the index's handle, its readers and its own threads share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, RwLock};
use rusqlite::Connection;
use uuid::Uuid;

use super::catalog_writer::CatalogWriter;
use super::error::IndexError;
use super::failure::Failure;
use super::lsm::memtable::Memtable;
use super::lsm::tree::{Tree, TreeKind};
use super::parts::Start;
use super::proven::Proven;
use super::tuning::Tuning;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) dir: PathBuf,
    pub(super) journal_id: Mutex<Uuid>,
    pub(super) seed: u64,
    pub(super) tuning: Tuning,
    pub(super) state: RwLock<State>,
    /// These are the connections that are not reading at the moment.
    pub(super) readers: Mutex<Vec<Connection>>,
    /// This is the one connection that writes.
    pub(super) writer: Mutex<CatalogWriter>,
    /// It says which parts of the catalog are proven to be what was written.
    pub(super) proven: Proven,
    /// This is the last part that was proven at the start.
    pub(super) proven_to: Option<Start>,
    /// It is held by the reader that joins layers.
    pub(super) joining: Mutex<()>,
    pub(super) checkpoint: AtomicU64,
    pub(super) reached: AtomicU64,
    /// It is signalled after a flush, and when a flush is wanted.
    pub(super) signal: (Mutex<()>, Condvar),
    pub(super) flush_wanted: AtomicBool,
    pub(super) closing: AtomicBool,
    pub(super) abandoned: AtomicBool,
    pub(super) failure: Arc<Failure>,
    pub(super) threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) active: Memtable,
    pub(super) frozen: Option<Arc<Memtable>>,
    /// These are the trees. A reader shares them, and reads their files when it has let go of the lock.
    pub(super) trees: Arc<[Tree; 3]>,
    /// This is the position up to which events are in the files alone.
    pub(super) flushed: u64,
    /// This is the number of holds that are open after these events.
    pub(super) open_holds: i64,
    /// It says that streams have timers in the files.
    pub(super) has_timers: bool,
}

impl State {
    pub(super) fn tree(&self, kind: TreeKind) -> &Tree {
        &self.trees[kind as usize]
    }

    pub(super) fn behind(&self) -> usize {
        self.active.len() + self.frozen.as_ref().map_or(0, |frozen| frozen.len())
    }
}

impl Shared {
    /// Opens one more connection that only reads the catalog.
    pub(super) fn open_reader(&self) -> Result<Connection, IndexError> {
        let connection = Connection::open(self.dir.join("index.db"))?;
        connection.pragma_update(None, "query_only", true)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        Ok(connection)
    }

    pub(super) fn wake(&self) {
        self.flush_wanted.store(true, Ordering::Release);
        let _guard = self.signal.0.lock();
        self.signal.1.notify_all();
    }
}
