//! The expiries of holds are booked here for accounts for which nothing comes, and the deadlines of transfers. Where a command
//! comes for an account, the clerk books what is due before it (`clerk::rule`), so nothing rests on this being in time.
//!
//! A thread of its own looks at the index's timers every [`BEAT`], and asks the clerk for what is due as any client would, a
//! page at a time: each is a job that takes turns with those of clients. While no timer is set it does not even look at the
//! clock. Where several instances write the store, each waits a random part of a second first and looks again, so that most is
//! booked by one of them; two that book the same are told apart by the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::command::{Command, Operation};
use crate::domain::ids::{Id, Step};
use crate::domain::metadata::{Origin, SERVICE};
use crate::domain::time::{Clock, Timestamp};
use crate::domain::transfer::asking;
use crate::domain::transfer::command::TransferOperation;
use crate::index::{Due, DueThing};
use crate::tasks;

use super::expiries::Shared;
use super::handle::{Ledger, WeakLedger};
use super::types::ReadError;

/// This is how often it looks.
const BEAT: Duration = Duration::from_millis(400);
/// This is how many timers are looked at together.
const PAGE: usize = 256;
/// This is the most expiries in a job, but for those of one account.
const TOGETHER: usize = 256;
/// This is how many times as long as a job took it rests after it, so that clients hardly notice when many are due at once.
const RESTS: u32 = 4;
/// This is the longest rest after a job.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// Starts the thread that books expiries of a ledger.
///
/// # Errors
/// Fails when a thread can't be started.
pub(super) fn start(ledger: &Ledger, clock: Clock) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let beat = Beat::new(ledger, clock);
    std::thread::Builder::new().name("expiries".into()).spawn(move || runtime.block_on(beat.run()))?;
    Ok(())
}

/// Starts a task that books expiries of a ledger, where an executor runs all of its tasks.
pub(super) fn start_task(ledger: &Ledger, clock: Clock) {
    tasks::spawn(Beat::new(ledger, clock).run());
}

/// A `Beat` books the expiries of one ledger.
struct Beat {
    ledger: WeakLedger,
    clock: Clock,
    spread: Duration,
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
    /// It says that the last time failed.
    has_failed: bool,
}

impl Beat {
    /// Makes the beat of a ledger, which is started once.
    fn new(ledger: &Ledger, clock: Clock) -> Self {
        let (spread, (shared, ended)) = (ledger.0.clerk.spread(), ledger.0.expiries.for_beat());
        Self { ledger: ledger.downgrade(), clock, spread, shared, ended, has_failed: false }
    }

    /// Books what is due, again and again, until the ledger is dropped.
    async fn run(mut self) {
        while self.waits(BEAT).await {
            if !self.finds_any() {
                continue;
            }
            // The ledger is not held meanwhile, so that it can be closed.
            let spread = self.random_part_of_spread();
            if !spread.is_zero() && !self.waits(spread).await {
                return;
            }
            // It is tried again at the next beat. A line for each time would fill the log.
            match self.book().await {
                Err(error) if !std::mem::replace(&mut self.has_failed, true) => {
                    tracing::warn!(%error, "expiries of holds can't be booked; they are tried again");
                }
                Err(_) => {}
                Ok(()) => self.has_failed = false,
            }
        }
    }

    /// Waits, and says whether to go on.
    async fn waits(&mut self, time: Duration) -> bool {
        tasks::timeout(time, &mut self.ended).await.is_err()
    }

    /// Says whether any expiry is due, and notes for how long the oldest has been.
    fn finds_any(&self) -> bool {
        let Some(ledger) = self.ledger.upgrade() else { return false };
        let index = &ledger.0.index;
        if self.shared.is_stopped()
            || ledger.is_paused()
            || !index.has_timers()
            || ledger.0.clerk.readable().is_err()
        {
            self.shared.set_lag(0);
            return false;
        }
        let now = (self.clock)();
        let first = self.first_due(&ledger, now);
        let lag = first.map_or(0, |at| now.micros().saturating_sub(at.micros()));
        self.shared.set_lag(u64::try_from(lag).unwrap_or(0));
        first.is_some()
    }

    /// Returns when that was due which is due first. What can't be read is found again, and told, when it is booked.
    fn first_due(&self, ledger: &Ledger, now: Timestamp) -> Option<Timestamp> {
        let mut after = Vec::new();
        loop {
            let (found, next) = due(ledger, now, &after).ok()?;
            if let Some(first) = found.first() {
                return Some(first.at);
            }
            after = next?;
        }
    }

    /// Books all that is due now. Between two jobs it rests, and does not hold the ledger.
    async fn book(&self) -> Result<(), ReadError> {
        let now = (self.clock)();
        let (mut after, mut rests) = (Vec::new(), Duration::ZERO);
        loop {
            let Some(ledger) = self.ledger.upgrade() else { return Ok(()) };
            let (found, next) = due(&ledger, now, &after)?;
            drop(ledger);
            let mut rest = found.as_slice();
            while !rest.is_empty() {
                tasks::sleep(rests).await;
                let Some(ledger) = self.ledger.upgrade() else { return Ok(()) };
                if self.shared.is_stopped() || ledger.is_paused() {
                    return Ok(());
                }
                let (job, others) = rest.split_at(jobs(rest));
                let commands: Vec<Command> = job.iter().map(command).collect();
                let begun = tasks::now();
                // One that can't be ruled on holds back no other; it is found again at the next beat.
                ledger.execute(commands).await?;
                rests = (tasks::now().saturating_duration_since(begun) * RESTS).min(LONGEST_REST);
                rest = others;
            }
            match next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    /// Returns a random part of the time over which the instances spread.
    fn random_part_of_spread(&self) -> Duration {
        let micros = u64::try_from(self.spread.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(tasks::seed().checked_rem(micros).unwrap_or(0))
    }
}

/// Returns the next page of what is due, and after what the page after it begins. What is for a driver to record is left out.
fn due(ledger: &Ledger, now: Timestamp, after: &[u8]) -> Result<(Vec<Due>, Option<Vec<u8>>), ReadError> {
    let (found, next) = ledger.0.index.due(now, after, PAGE)?;
    let mut due = Vec::with_capacity(found.len());
    for one in found {
        let is_left = match &one.what {
            DueThing::Expiry(_) => false,
            DueThing::Deadline(transfer) => ledger.leaves_deadline(transfer)?,
        };
        if !is_left {
            due.push(one);
        }
    }
    Ok((due, next))
}

/// Returns how many of these streams are booked in one job: at least one.
fn jobs(due: &[Due]) -> usize {
    let mut together = 0;
    let fits = |due: &&Due| {
        together += due.count;
        together <= TOGETHER
    };
    due.iter().take_while(fits).count().max(1)
}

/// Returns the command that books what is due on a stream: all expiries of an account, with the first of them, or the
/// deadline of a transfer. Its driver, wherever it is, finds that recorded and stops the transfer.
fn command(due: &Due) -> Command {
    match &due.what {
        DueThing::Expiry(hold) => Command {
            id: Id::first_of(*hold, Step::Expiry),
            stream: due.stream.clone(),
            operation: Operation::Expire(*hold),
            origin: Origin { correlation: None, causation: None, actor: SERVICE.into() },
        },
        DueThing::Deadline(transfer) => {
            let id = Id::first_of(transfer.id, Step::Timeout);
            asking::record(transfer, id, TransferOperation::TimeOut)
        }
    }
}
