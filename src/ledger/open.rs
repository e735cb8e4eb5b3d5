//! This file opens a ledger: it checks that everything is as it was, and gives the index the events that it has not
//! seen yet.
//!
//! It goes in this order, so that nothing is changed before it is understood: the lock, the WAL, the journal's end, the
//! index's checkpoint against the journal, then the events after the checkpoint, their chain checked, into the index.
//! The clerk starts last, when every ID up to the journal's head is known.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use crate::clerk::Limits;
use crate::clerk::shared::Waits;
use crate::clerk::single::{Alone, Clerk, Office};
use crate::domain::event::Event;
use crate::domain::time::{Clock, Timestamp};
use crate::index::feed::{Feed, FeedError, Taken};
use crate::index::{Index, IndexError, Tuning};
use crate::store::chain::Hash;
use crate::store::codec::{self, Line};
use crate::store::embedded::folder::{Folder, JOURNAL};
use crate::store::embedded::holder::{self, Found};
use crate::store::embedded::reader::{Reader, Row};
use crate::store::embedded::writer::Writer;
use crate::store::embedded::{database, wal};
use crate::store::{Appends, lines_of};

use super::clock_watch::{ClockWatch, Steady};
use super::expiry_beat;
use super::handle::Ledger;
use super::long_reads::ReadLimits;
use super::open_error::OpenError;
use super::pause::{DriveOrder, Pause};
use super::types::Head;
use super::went_back;

/// This is the name of the index's folder in a data folder.
pub const INDEX: &str = "index";

/// This is how many of the journal's last rows are checked for a hole at the start. The check takes some 20 ms, and
/// covers more rows than the WAL of a busy service has.
const LAST_ROWS: u32 = 8_192;

/// This is the name of a file in a data folder. It says that the index may be used though the store lacks events.
pub(super) const ACCEPT_MISSING: &str = "accept-missing";

/// `Options` say how to open a ledger.
pub struct Options {
    /// This is the data folder.
    pub data: PathBuf,
    /// The clock says what time it is.
    pub clock: Clock,
    /// This is what the clock is held against; without it the clock is believed, whatever it says.
    pub steady: Option<Steady>,
    /// This is true when an operator has said that the clock is right, though it is behind the last event.
    pub accept_clock: bool,
    /// This is what an operator ordered about the driving of transfers.
    pub drive: DriveOrder,
    /// This is the id of the journal when it is new, and the source of the index's seed. It is a random number from the
    /// caller.
    pub fresh: Uuid,
    /// The limits say how much may wait for the clerk.
    pub limits: Limits,
    /// These limits say how many long reads may run, and how long.
    pub reads: ReadLimits,
    /// This is called with how far the index has come and how far it must come.
    pub progress: Box<dyn Fn(u64, u64) + Send>,
}

/// A `Wrap` puts a store's writing side around another's.
pub type Wrap = Box<dyn FnOnce(Box<dyn Appends>) -> Box<dyn Appends>>;

/// A `WrapJournal` puts a store's reading side around another's.
pub type WrapJournal = Box<dyn FnOnce(crate::store::Reader) -> crate::store::Reader>;

/// `Workings` are the parts inside a ledger that a test may replace: by a store that fails when it is told to, or by an
/// index whose files are so small that a few events make many of them.
pub struct Workings {
    /// This is put around the store's writing side.
    pub appends: Wrap,
    /// This is put around the store's reading side.
    pub journal: WrapJournal,
    /// These are the sizes in the index.
    pub index: Tuning,
    /// This says which thread appends for a job that is alone, over a store that this process holds.
    pub alone: Alone,
    /// This says how long a task waits, over a store that several instances write.
    pub waits: Waits,
}

impl Default for Workings {
    fn default() -> Self {
        Self {
            appends: Box::new(|appends| appends),
            journal: Box::new(|journal| journal),
            index: Tuning::default(),
            alone: Alone::default(),
            waits: Waits::default(),
        }
    }
}

impl Ledger {
    /// Opens the ledger in a data folder, and makes it when it is new. It blocks until the index knows every event.
    ///
    /// # Errors
    /// Fails when another process has it, or when anything in it is not what was written.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Self::open_with(options, Workings::default())
    }

    /// Does what [`open`](Self::open) does, with other workings than the usual ones.
    ///
    /// # Errors
    /// Fails as `open` does.
    pub fn open_with(options: Options, workings: Workings) -> Result<Self, OpenError> {
        let watch = ClockWatch::new(options.clock, options.steady, options.accept_clock);
        let folder = Folder::take(&options.data)?;
        let held = folder.held().path();
        let path = held.join(JOURNAL);
        if !path.exists() && held.join(INDEX).exists() {
            return Err(OpenError::Mismatch(format!(
                "{} holds an index and no journal: it is the index of an event store (give --store), or the journal is \
                 missing. Nothing was changed",
                folder.path().display()
            )));
        }
        let mut pause = Pause::open(held.clone(), options.drive).map_err(OpenError::Pause)?;
        let torn = inspect_wal(&path, &folder.path().join(JOURNAL))?;
        let journal_id = database::journal_id(&database::open(&path)?, options.fresh)?;
        let reader = Reader::new(&path);
        reader.check_positions(LAST_ROWS)?;
        let last = reader.last_position()?;
        let found = holder::find(&held)?;
        if let Found::Doubtful(doubt) = found
            && last > 0
        {
            pause = pause.doubted(doubt.words(), options.drive);
        }
        pause.warn();
        if let Some((at, bytes)) = torn {
            tracing::warn!(position = last, at, bytes, "{TORN}");
        }
        let seed = options.fresh.as_u64_pair().1;
        let index = Index::prepare(&held.join(INDEX), journal_id, seed, workings.index)?;
        let start = compare(&index, &reader, journal_id, last)?;
        index.start()?;
        let end = catch_up(&index, &reader, start, last, &options.progress).inspect_err(|_| {
            // Why the start failed is what matters; its threads must not outlive it.
            let _already_failing = index.close();
        })?;
        pause.resume(end.position).map_err(OpenError::Pause)?;
        // In a folder that is doubtful and empty nothing can have been sent.
        let is_to_be_marked = match found {
            Found::Own(_) => false,
            Found::Unmarked => true,
            Found::Doubtful(_) => last == 0 || !pause.is_paused(),
        };
        if is_to_be_marked {
            // It comes after the pause: what a crash leaves in between is a folder that is paused still.
            holder::write(&held, options.fresh)?;
        }
        let (head_sender, head) = watch::channel(Head { journal_id, position: end.position, hash: end.hash });
        let journal = (workings.journal)(Arc::new(reader));
        let office = Office {
            store: (workings.appends)(Box::new(Writer::start(&path, end.position, end.hash)?)),
            reader: Arc::clone(&journal),
            index: index.clone(),
            clock: watch.clock(),
            last_recorded: end.recorded_at,
            head: head_sender,
            callers: tokio::runtime::Handle::try_current().ok(),
            alone: workings.alone,
        };
        if end.position > 0 {
            watch.begin_after(end.recorded_at);
        }
        let clerk = Clerk::start(office, options.limits)?;
        folder.held().remember(JOURNAL);
        folder.held().remember(INDEX);
        let clock = watch.clock();
        let kept = (Some(folder), pause);
        let ledger = Self::over(Box::new(clerk), journal, index, head, watch, kept, options.reads)?;
        expiry_beat::start(&ledger, clock)?;
        Ok(ledger)
    }
}

impl Ledger {
    /// Deletes the index of a data folder that nobody holds; the next [`open`](Self::open) builds it anew. With
    /// `accept_missing` it is built over an event store even when the store lacks events.
    ///
    /// # Errors
    /// Fails when another process has the folder, or the index can't be deleted.
    pub fn forget_index(data: &Path, accept_missing: bool) -> Result<(), OpenError> {
        let folder = Folder::take(data)?;
        let marker = folder.path().join(ACCEPT_MISSING);
        if accept_missing {
            std::fs::write(&marker, "").map_err(IndexError::from)?;
            went_back::mark(folder.path()).map_err(IndexError::from)?;
        } else if marker.exists() {
            std::fs::remove_file(&marker).map_err(IndexError::from)?;
        }
        Ok(Index::delete(&folder.path().join(INDEX))?)
    }
}

/// This says what it means that the WAL goes on behind its last whole commit. Which of the two it was is not to be known.
const TORN: &str = "the WAL ends with something that is no whole commit, and that is cut; the journal ends at this position. A \
                    commit was being written when the machine or its disk failed, and was never answered; or the end of the \
                    file was lost afterwards, with commits that were. Compare with a head that was noted elsewhere";

/// Refuses a WAL from which SQLite would silently drop commits that were durable. Returns where its last whole commit ends, and
/// how many bytes stand behind it, where there are any.
fn inspect_wal(journal: &Path, shown: &Path) -> Result<Option<(u64, u64)>, OpenError> {
    let of = |database: &Path| {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        PathBuf::from(path)
    };
    match wal::inspect(&of(journal))? {
        wal::Finding::Whole => Ok(None),
        wal::Finding::Torn { at, bytes } => Ok(Some((at, bytes))),
        wal::Finding::Damaged { at } => Err(OpenError::Mismatch(format!(
            "the journal's WAL is damaged at byte {at}, and durable commits stand behind it. Nothing was changed. Restore \
             from an export, or move the file {} away to go on without all that it holds",
            of(shown).display()
        ))),
    }
}

/// An `End` says where the journal ends, and when its last event was recorded.
struct End {
    position: u64,
    hash: Hash,
    recorded_at: Timestamp,
}

/// Compares the index's checkpoint with the journal, and returns the place from which the index must go on.
fn compare(index: &Index, reader: &Reader, journal_id: Uuid, last: u64) -> Result<End, OpenError> {
    let checkpoint = index.checkpoint()?;
    let ordered =
        "Nothing was changed. If the journal is right, `bookonce rebuild` builds the index anew from it";
    if checkpoint.journal_id != journal_id {
        let whose = checkpoint.journal_id;
        return Err(OpenError::Mismatch(format!(
            "the index belongs to another journal ({whose}; this one is {journal_id}). {ordered}"
        )));
    }
    if checkpoint.position > last {
        return Err(OpenError::Mismatch(format!(
            "the journal ends at position {last}, but the index has seen position {}: the end of the journal is missing. \
             {ordered}",
            checkpoint.position
        )));
    }
    let mut end =
        End { position: checkpoint.position, hash: checkpoint.hash, recorded_at: Timestamp::from_micros(0) };
    if checkpoint.position > 0 {
        let at = reader.event(checkpoint.position)?;
        if at.hash != checkpoint.hash {
            return Err(OpenError::Mismatch(format!(
                "position {} of the journal is not the event that the index has seen there. {ordered}",
                checkpoint.position
            )));
        }
        end.recorded_at = at.event.recorded_at;
    }
    Ok(end)
}

/// Brings the index up to the journal's end, and returns that end.
fn catch_up(
    index: &Index,
    reader: &Reader,
    mut end: End,
    last: u64,
    progress: &dyn Fn(u64, u64),
) -> Result<End, OpenError> {
    let mut feed = Feed::new(index.clone());
    while end.position < last {
        let row = reader.row_with(end.position + 1)?;
        let row = row.ok_or_else(|| damaged(end.position + 1, "it is missing"))?;
        index.wait_for_room(usize::try_from(row.count).unwrap_or(usize::MAX), || false);
        take_row(&mut feed, reader, &row, &mut end)?;
        progress(end.position, last);
        if let Some(why) = index.failure() {
            return Err(IndexError::Damaged(why).into());
        }
    }
    Ok(end)
}

fn damaged(position: u64, why: &str) -> OpenError {
    OpenError::Damaged { position, why: why.to_owned() }
}

/// Folds the events of a row that come after `end` into the index.
fn take_row(feed: &mut Feed, reader: &Reader, row: &Row, end: &mut End) -> Result<(), OpenError> {
    let mut taken = Taken::default();
    for (line, position) in lines_of(&row.events).zip(row.first..) {
        if position <= end.position {
            continue;
        }
        let line = check(line, position, end)?;
        if let Some(past) = feed.lacks(&line.event.stream, line.event.revision)? {
            let lines = reader.events(past.positions())?;
            let events: Vec<Event> = lines.into_iter().map(|line| line.event).collect();
            feed.learn(past.fold(&events, None)?);
        }
        match feed.take(line.event, position, None, &mut taken) {
            Ok(()) => {}
            Err(FeedError::Evolve(error)) => return Err(damaged(position, &error.to_string())),
            Err(FeedError::Index(error)) => return Err(error.into()),
        }
    }
    if taken.is_empty() {
        return Err(damaged(end.position + 1, "its commit holds less than it says"));
    }
    feed.apply(taken, (end.position, end.hash).into());
    Ok(())
}

/// Checks a line's place and hash, and moves `end` to it.
fn check(line: &[u8], position: u64, end: &mut End) -> Result<Line, OpenError> {
    let (canonical, _) =
        codec::cut(line).ok_or_else(|| damaged(position, "it is not laid out as an event"))?;
    let decoded = codec::decode(line).map_err(|error| match error.newer() {
        Some(what) if codec::has_its_id(line) => OpenError::Newer { position, what },
        Some(_) | None => damaged(position, &error.to_string()),
    })?;
    if decoded.position != position {
        return Err(damaged(position, "another position stands there"));
    }
    let hash = end.hash.then(&canonical);
    if hash != decoded.hash {
        return Err(damaged(position, "its hash does not follow from its bytes and the hash before it"));
    }
    *end = End { position, hash, recorded_at: decoded.event.recorded_at };
    Ok(decoded)
}
