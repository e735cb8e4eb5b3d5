//! [`Parts`] are what a ledger is made of where a program other than the service has opened them: a simulation, which has a
//! store, a clock and tasks of its own.

use std::path::PathBuf;

use tokio::sync::watch;

use crate::clerk::Port;
use crate::domain::time::Clock;
use crate::index::Index;
use crate::store::{Head, Reader};

use super::clock_watch::ClockWatch;
use super::expiry_beat;
use super::handle::Ledger;
use super::long_reads::ReadLimits;
use super::pause::{DriveOrder, Pause};

/// The `Parts` are what a ledger is made of that holds no data folder.
pub struct Parts {
    /// This is its clerk.
    pub clerk: Box<dyn Port>,
    /// This reads its journal.
    pub reader: Reader,
    /// This is its index.
    pub index: Index,
    /// This tells how far its journal goes.
    pub head: watch::Receiver<Head>,
    /// This is its clock, which is believed, whatever it says.
    pub clock: Clock,
    /// This is what is ordered about the driving of its transfers.
    pub drive: DriveOrder,
    /// This is the folder in which it is marked whether they are paused.
    pub folder: PathBuf,
}

impl Ledger {
    /// Makes a ledger of its parts. Its expiries are booked by a task of the present thread's executor, and nobody watches a
    /// folder.
    ///
    /// # Errors
    /// Fails when a thread can't be started, or the folder's mark can't be read or written.
    pub fn of_parts(parts: Parts) -> std::io::Result<Self> {
        let Parts { clerk, reader, index, head, clock, drive, folder } = parts;
        let watch = ClockWatch::new(clock, None, true);
        let clock = watch.clock();
        let ledger = Self::over(
            clerk,
            reader,
            index,
            head,
            watch,
            (None, Pause::open(folder, drive)?),
            ReadLimits::default(),
        )?;
        expiry_beat::start_task(&ledger, clock);
        Ok(ledger)
    }
}
