//! [`Pause`] says whether the service writes anything of its own accord: the steps of transfers, their timers, and expiries.
//!
//! While it is paused, commands are taken and reads are answered; only a new transfer is refused, by `http`. The mark lies in
//! the data folder, over an event store in the instance's own folder, so that it outlives the process. A folder that is a copy
//! needs no mark: it is paused at each start until it is made its own. Transfers are resumed as soon as the end of the journal
//! is known: at the start, and over an event store when it has been read.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::pause_mark::{PauseMark, PauseReason};
use crate::store::Position;

/// A `DriveOrder` is what an operator ordered at the start about the driving of transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriveOrder {
    /// It stays as it is: paused in a folder that is marked so, and driven in any other.
    #[default]
    AsBefore,
    /// Transfers are paused from now on.
    Pause,
    /// Transfers are driven again.
    Resume,
}

/// A `Pause` is the mark of a data folder, and what of it was ordered and is not done yet.
#[derive(Debug)]
pub(super) struct Pause {
    /// This is where the mark lies.
    folder: PathBuf,
    mark: Mutex<PauseMark>,
    /// This says why the folder is taken for a copy, where it is. It is found anew at each start, and so is in no mark.
    doubt: Option<&'static str>,
    /// It is read for each look at transfers, so it is kept apart from the mark.
    is_paused: AtomicBool,
    is_to_resume: AtomicBool,
}

impl Pause {
    /// Reads the mark of a folder, and makes one where that was ordered.
    ///
    /// # Errors
    /// Fails when the mark can't be read or written.
    pub(super) fn open(folder: PathBuf, order: DriveOrder) -> io::Result<Self> {
        let mut mark = PauseMark::read(&folder)?;
        if order == DriveOrder::Pause && mark.paused.is_none() {
            mark.paused = Some(PauseReason::Ordered);
            mark.write(&folder)?;
        }
        Ok(Self {
            folder,
            is_paused: AtomicBool::new(mark.paused.is_some()),
            is_to_resume: AtomicBool::new(order == DriveOrder::Resume && mark.paused.is_some()),
            mark: Mutex::new(mark),
            doubt: None,
        })
    }

    /// Pauses transfers also because the folder is taken for a copy, for this reason.
    pub(super) fn doubted(self, why: &'static str, order: DriveOrder) -> Self {
        self.is_paused.store(true, Ordering::Release);
        self.is_to_resume.store(order == DriveOrder::Resume, Ordering::Release);
        Self { doubt: Some(why), ..self }
    }

    /// Logs that transfers are paused, where they are and are to stay so.
    pub(super) fn warn(&self) {
        if let Some(why) = self.reason() {
            tracing::warn!(
                "transfers are paused, because {why}: nothing is booked for them until `bookonce serve --resume-transfers`"
            );
        }
    }

    /// Says whether nothing is written of the service's own accord.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }

    /// Returns why, as the end of a sentence; `None` also where the pause is about to end.
    pub(super) fn reason(&self) -> Option<&'static str> {
        let is_to_stay = self.is_paused() && !self.is_to_resume();
        self.doubt.or_else(|| self.mark.lock().paused.map(PauseReason::words)).filter(|_| is_to_stay)
    }

    /// Returns where the journal ended when transfers were resumed last.
    pub(super) fn resumed_at(&self) -> Option<Position> {
        self.mark.lock().resumed_at
    }

    /// Says whether the pause was ordered to end, and has not ended yet.
    pub(super) fn is_to_resume(&self) -> bool {
        self.is_to_resume.load(Ordering::Acquire)
    }

    /// Takes the pause away where that was ordered, with this end of the journal. It syncs a file, and so blocks for a moment.
    ///
    /// # Errors
    /// Fails when the mark can't be written; then transfers stay paused.
    pub(super) fn resume(&self, end: Position) -> io::Result<()> {
        if !self.is_to_resume() {
            return Ok(());
        }
        let mut mark = self.mark.lock();
        let resumed = PauseMark { paused: None, resumed_at: Some(end) };
        resumed.write(&self.folder)?;
        *mark = resumed;
        self.is_to_resume.store(false, Ordering::Release);
        self.is_paused.store(false, Ordering::Release);
        tracing::warn!(position = end, "transfers are resumed");
        Ok(())
    }
}
