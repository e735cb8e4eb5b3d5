//! The writer makes commits durable, in order. Beside it the checkpointer moves them from the WAL into the database.
//!
//! A checkpoint never runs on the thread that appends. That thread pauses only for the last few pages of a checkpoint,
//! so that the WAL can start again from its front.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, params};

use crate::store::chain::Hash;
use crate::store::draft::Draft;
use crate::store::{AppendError, Appends, CloseError};

use super::{Error, database};

/// This is how many bytes in the WAL start a checkpoint. They are few, since commits wait for the disk while it runs.
const CHECKPOINT_AT: u64 = 2 << 20;
/// This is how many large commits come before a checkpoint. They are of batches, whose callers wait longer anyway.
const LARGE_COMMITS: u64 = 8;
/// This is how many pages are left to the part of a checkpoint for which commits stand still.
const PAUSE_PAGES: i64 = 256;

/// This is how long an append waits for another program that has locked the journal. While it waits nobody is answered.
const LOCKED_FOR: Duration = Duration::from_secs(1);

/// A `Writer` is the writing side of the embedded store.
pub struct Writer {
    connection: Connection,
    checkpoints: Checkpoints,
    /// This is where the next event goes; beside it is the hash that it is chained to.
    next: u64,
    hash: Hash,
    /// This is true when it is not known what a failed commit has left: nothing is written any more.
    finished: bool,
}

impl Writer {
    /// Starts a writer that goes on after the last durable event.
    ///
    /// # Errors
    /// Fails when the database can't be opened or a thread can't be started.
    pub fn start(path: &Path, position: u64, hash: Hash) -> Result<Self, Error> {
        let connection = database::open(path)?;
        connection.busy_timeout(LOCKED_FOR)?;
        Ok(Self {
            connection,
            checkpoints: Checkpoints::start(path)?,
            next: position + 1,
            hash,
            finished: false,
        })
    }
}

impl Appends for Writer {
    fn append(&mut self, draft: &Draft) -> Result<(), AppendError> {
        if self.finished {
            return Err(AppendError::NotWritten);
        }
        if (draft.first, draft.previous) != (self.next, self.hash) {
            tracing::error!(
                first = draft.first,
                next = self.next,
                "a draft does not follow the journal's last event"
            );
            self.finished = true;
            return Err(AppendError::NotWritten);
        }
        {
            let _pause = self.checkpoints.gate.lock();
            self.commit(draft).inspect_err(|error| self.finished = *error == AppendError::Unknown)?;
        }
        (self.next, self.hash) = (draft.last() + 1, draft.hash);
        self.checkpoints.count(draft.lines.len() as u64);
        Ok(())
    }

    /// Stops the checkpoints and empties the WAL.
    fn close(self: Box<Self>) -> Result<(), CloseError> {
        self.checkpoints.stop()?;
        Ok(database::empty_wal(&self.connection)?)
    }
}

impl Writer {
    fn commit(&self, draft: &Draft) -> Result<(), AppendError> {
        let (begun, error) = match self.begin() {
            Ok(()) => match self.write(draft) {
                Ok(()) => return Ok(()),
                Err(error) => (true, error),
            },
            Err(error) => (false, error),
        };
        let open = !self.connection.is_autocommit();
        // If it can't be rolled back, the connection is of no use either way.
        let undone = !open || self.connection.execute_batch("ROLLBACK").is_ok();
        let code = error.sqlite_error_code();
        let is_damage = matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
        let is_locked = matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
        match code {
            Some(ErrorCode::DiskFull) if undone => {
                tracing::warn!(%error, "the disk is full: nothing is booked until there is room");
                Err(AppendError::Full)
            }
            // What was not begun, or was locked, was not written.
            _ if undone && (is_locked || !begun && !is_damage) => {
                tracing::warn!(%error, "the journal can't be written at this moment: nothing is booked until it can");
                Err(AppendError::NotBegun)
            }
            _ => {
                tracing::error!(%error, "a commit could not be made durable: nothing more is acknowledged");
                Err(AppendError::Unknown)
            }
        }
    }

    fn begin(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn write(&self, draft: &Draft) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO commits(first, count, recorded_at, events) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let (mut first, mut start) = (draft.first, 0);
        for row in &draft.rows {
            let events = draft.lines.get(start..row.end).unwrap_or_default();
            insert.execute(params![first, row.count, row.recorded_at, events])?;
            first += row.count;
            start = row.end;
        }
        drop(insert);
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

/// `Checkpoints` hold the checkpointer's thread, and what it and the writer tell each other.
struct Checkpoints {
    /// This is about how many bytes are in the WAL that no checkpoint has moved yet.
    unmoved: Arc<AtomicU64>,
    /// A commit holds this, and so does the last part of a checkpoint.
    gate: Arc<Mutex<()>>,
    wake: Sender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    fn start(path: &Path) -> Result<Self, Error> {
        let connection = database::open(path)?;
        let (wake, woken) = bounded(1);
        let (unmoved, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(())));
        let (unmoved_there, gate_there) = (Arc::clone(&unmoved), Arc::clone(&gate));
        let thread = std::thread::Builder::new()
            .name("checkpoints".into())
            .spawn(move || checkpoint_loop(&connection, &woken, &gate_there, &unmoved_there))
            .map_err(Error::io(path))?;
        Ok(Self { unmoved, gate, wake, thread })
    }

    /// Counts what a checkpoint has to move, and wakes the checkpointer when it is enough.
    fn count(&self, bytes: u64) {
        // A commit of a few bytes still writes a page or two.
        let bytes = bytes + 8_192;
        let enough = CHECKPOINT_AT + LARGE_COMMITS * bytes;
        if self.unmoved.fetch_add(bytes, Ordering::Relaxed) + bytes >= enough {
            // A full channel means that the checkpointer is awake already.
            let _awake = self.wake.try_send(());
        }
    }

    fn stop(self) -> Result<(), CloseError> {
        drop(self.wake);
        self.thread.join().map_err(|_| "the checkpointer's thread panicked".into())
    }
}

/// Moves pages from the WAL into the database, most of them beside the writer, the last few while the writer stands
/// still. Only after that does the next commit begin the WAL anew, so that the file stays small.
fn checkpoint_loop(connection: &Connection, woken: &Receiver<()>, gate: &Mutex<()>, unmoved: &AtomicU64) {
    let passive = || {
        connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            })
            .map(|(in_wal, moved)| in_wal - moved)
    };
    let reported = AtomicBool::new(false);
    for () in woken {
        let mut left = passive();
        for _ in 0..4 {
            if !matches!(left, Ok(left) if left > PAUSE_PAGES) {
                break;
            }
            left = passive();
        }
        let done = left.and_then(|_| {
            let _pause = gate.lock();
            passive().inspect(|_| unmoved.store(0, Ordering::Relaxed))
        });
        if let Err(error) = done
            && !reported.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "a checkpoint of the WAL failed: it grows until one succeeds");
        }
    }
}
