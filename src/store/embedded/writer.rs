//! The lane: the one thread that makes commits durable, in order, and the checkpointer that moves them from the WAL into
//! the database beside it.
//!
//! Lines are encoded and chained on the clerk's thread, while the commit before is being made durable here. Checkpoints
//! never run on this thread; it pauses only for the last few pages of one, so that the WAL can start again from its front.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, params};

use crate::domain::event::Event;
use crate::store::chain::Hash;
use crate::store::codec::Encoder;
use crate::store::{AppendError, Appends, CloseError, Landed, Report};

use super::{Error, database};

/// A commit is cut into rows of about so many bytes, so that one event is read without its thousand neighbours.
const ROW_BYTES: usize = 32 * 1024;
/// So many bytes in the WAL start a checkpoint: few, since commits wait for the disk while it runs.
const CHECKPOINT_AT: u64 = 2 << 20;
/// Large commits come from batches, whose callers wait longer anyway: so many of them fit before one.
const LARGE_COMMITS: u64 = 8;
/// So few pages are left to the part of a checkpoint for which the lane stands still.
const PAUSE_PAGES: i64 = 256;

/// The clerk's end of the lane.
pub struct Lane {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<Connection>>,
    checkpointer: Option<JoinHandle<()>>,
    encoder: Encoder,
    /// Where the next event goes, counting those in flight.
    next: u64,
    hash: Hash,
    epoch: u64,
    durable: Arc<Mutex<(u64, Hash)>>,
    spare: Receiver<Vec<u8>>,
}

struct Job {
    epoch: u64,
    first: u64,
    hash: Hash,
    rows: Vec<Cut>,
    lines: Vec<u8>,
    report: Report,
}

/// A row to be: how many events, where its bytes end, when it was recorded.
struct Cut {
    count: u64,
    end: usize,
    recorded_at: String,
}

/// What the thread that writes needs.
struct Writer {
    connection: Connection,
    jobs: Receiver<Job>,
    durable: Arc<Mutex<(u64, Hash)>>,
    unsettled: Arc<AtomicU64>,
    gate: Arc<Mutex<()>>,
    wake: Sender<()>,
    spare: Sender<Vec<u8>>,
}

impl Lane {
    /// Starts the lane behind the last durable event.
    ///
    /// # Errors
    /// When the database can't be opened or a thread can't be started.
    pub fn start(path: &Path, position: u64, hash: Hash) -> Result<Self, Error> {
        let connection = database::open(path)?;
        let checkpoints = database::open(path)?;
        let (sender, jobs) = bounded(2);
        let (wake, woken) = bounded(1);
        let (spare_sender, spare) = bounded(4);
        let durable = Arc::new(Mutex::new((position, hash)));
        let gate = Arc::new(Mutex::new(()));
        let unsettled = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            connection,
            jobs,
            durable: Arc::clone(&durable),
            unsettled: Arc::clone(&unsettled),
            gate: Arc::clone(&gate),
            wake,
            spare: spare_sender,
        };
        let spawn = |name: &str| std::thread::Builder::new().name(name.into());
        let thread = spawn("lane").spawn(move || writer.run()).map_err(Error::io(path))?;
        let checkpointer = spawn("checkpoints")
            .spawn(move || checkpoint_loop(&checkpoints, &woken, &gate, &unsettled))
            .map_err(Error::io(path))?;
        Ok(Self {
            jobs: Some(sender),
            thread: Some(thread),
            checkpointer: Some(checkpointer),
            encoder: Encoder::default(),
            next: position + 1,
            hash,
            epoch: 0,
            durable,
            spare,
        })
    }
}

impl Appends for Lane {
    fn submit(&mut self, events: &[Arc<Event>], report: Report) {
        let mut lines = self.spare.try_recv().unwrap_or_default();
        lines.clear();
        let first = self.next;
        let mut rows: Vec<Cut> = Vec::new();
        let mut start = 0;
        for event in events {
            if rows.is_empty() || lines.len() - start >= ROW_BYTES {
                start = lines.len();
                rows.push(Cut { count: 0, end: 0, recorded_at: event.recorded_at.to_string() });
            }
            self.hash = self.encoder.line(event, self.next, &self.hash, &mut lines);
            self.next += 1;
            if let Some(row) = rows.last_mut() {
                row.count += 1;
                row.end = lines.len();
            }
        }
        let job = Job { epoch: self.epoch, first, hash: self.hash, rows, lines, report };
        if let Some(Err(failed)) = self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            // The thread is gone: it panicked, and nothing more can be known.
            (failed.into_inner().report)(Err(AppendError::Unknown));
        }
    }

    fn take_back(&mut self) {
        let (position, hash) = *self.durable.lock();
        self.next = position + 1;
        self.hash = hash;
        self.epoch += 1;
    }

    /// Stops the threads and empties the WAL.
    fn close(mut self: Box<Self>) -> Result<(), CloseError> {
        self.jobs = None;
        let connection = self.thread.take().map(JoinHandle::join);
        let checkpointer = self.checkpointer.take().map(JoinHandle::join);
        match (connection, checkpointer) {
            (Some(Ok(connection)), Some(Ok(()))) => Ok(database::empty_wal(&connection)?),
            _ => Err("a thread of the store panicked".into()),
        }
    }
}

impl Writer {
    fn run(self) -> Connection {
        // The epoch whose appends fail, because one before them did; and why.
        let mut failed: Option<(u64, AppendError)> = None;
        for job in &self.jobs {
            let outcome = match failed {
                Some((_, AppendError::Unknown)) => Err(AppendError::NotWritten),
                Some((epoch, error)) if epoch == job.epoch => Err(error),
                _ => {
                    let _pause = self.gate.lock();
                    self.commit(&job)
                }
            };
            match outcome {
                Ok(()) => {
                    let events: u64 = job.rows.iter().map(|row| row.count).sum();
                    *self.durable.lock() = ((job.first + events).saturating_sub(1), job.hash);
                    (job.report)(Ok(Landed { first: job.first, hash: job.hash }));
                    self.settle(job.lines.len() as u64);
                    // Nobody needs the buffer any more; the clerk may have it back.
                    let _kept_or_dropped = self.spare.try_send(job.lines);
                }
                Err(error) => {
                    if failed.is_none_or(|(_, before)| before != AppendError::Unknown) {
                        failed = Some((job.epoch, error));
                    }
                    (job.report)(Err(error));
                }
            }
        }
        self.connection
    }

    fn commit(&self, job: &Job) -> Result<(), AppendError> {
        match self.write(job) {
            Ok(()) => Ok(()),
            Err(error) => {
                let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
                let open = !self.connection.is_autocommit();
                // If it can't be rolled back, the connection is of no use either way.
                let undone = !open || self.connection.execute_batch("ROLLBACK").is_ok();
                if full && undone {
                    tracing::warn!(%error, "the disk is full: nothing is booked until there is room");
                    Err(AppendError::Full)
                } else {
                    tracing::error!(%error, "a commit could not be made durable: nothing more is acknowledged");
                    Err(AppendError::Unknown)
                }
            }
        }
    }

    fn write(&self, job: &Job) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO commits(first, count, recorded_at, events) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let (mut first, mut start) = (job.first, 0);
        for row in &job.rows {
            let events = job.lines.get(start..row.end).unwrap_or_default();
            insert.execute(params![first, row.count, row.recorded_at, events])?;
            first += row.count;
            start = row.end;
        }
        drop(insert);
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Counts what a checkpoint has to move, and wakes the checkpointer when it is enough.
    fn settle(&self, bytes: u64) {
        // A commit of a few bytes still writes a page or two.
        let bytes = bytes + 8_192;
        let enough = CHECKPOINT_AT + LARGE_COMMITS * bytes;
        if self.unsettled.fetch_add(bytes, Ordering::Relaxed) + bytes >= enough {
            // Full means that it is awake already.
            let _awake = self.wake.try_send(());
        }
    }
}

/// Moves pages from the WAL into the database, most of them beside the writer, the last few while it stands still: only
/// then does the next commit begin the WAL anew, and the file stays small.
fn checkpoint_loop(connection: &Connection, woken: &Receiver<()>, gate: &Mutex<()>, unsettled: &AtomicU64) {
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
            passive().inspect(|_| unsettled.store(0, Ordering::Relaxed))
        });
        if let Err(error) = done
            && !reported.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "a checkpoint of the WAL failed: it grows until one succeeds");
        }
    }
}
