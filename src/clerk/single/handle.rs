//! The handle of the single clerk is the side that callers use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::clerk::port::{Condition, Limits, Port, Verdicts};
use crate::clerk::rule::{First, Ruling};
use crate::clerk::verdict::{Unavailable, Verdict};
use crate::domain::command::Command;
use crate::domain::ids::Id;
use crate::domain::stream::StreamName;
use crate::store::{CloseError, Position, Reader};
use crate::tasks;
use crate::with_causes::with_causes;

use super::commit_loop::{CommitLoop, Thread};
use super::desk::Desk;
use super::hands::Hands;
use super::pace::Pace;
use super::queue::{Job, Message, Rulings, Waiting};
use super::work::Office;
use super::writer::Writer;

/// A `Clerk` is the handle of the single clerk, whose thread runs until it is stopped.
pub struct Clerk {
    messages: Sender<Message>,
    desk: Arc<Desk>,
    waiting: Arc<Waiting>,
    limits: Limits,
    reader: Reader,
    thread: Mutex<Option<Thread>>,
}

impl Clerk {
    /// Starts the clerk's thread.
    ///
    /// # Errors
    /// Fails when a thread can't be started.
    pub fn start(office: Office, limits: Limits) -> std::io::Result<Self> {
        let (clerk, incoming) = Self::without_thread(office, limits, Writer::start()?, Pace::timed());
        *clerk.thread.lock() = Some(CommitLoop::new(Arc::clone(&clerk.desk), incoming).start()?);
        Ok(clerk)
    }

    /// Makes a clerk that has no threads: whoever holds its [`Hands`] lets it work, step by step.
    #[must_use]
    pub fn by_hand(office: Office, limits: Limits) -> (Self, Hands) {
        let (writer, appender) = Writer::by_hand();
        let (clerk, incoming) = Self::without_thread(office, limits, writer, Pace::untimed());
        let hands = Hands::new(CommitLoop::new(Arc::clone(&clerk.desk), incoming), appender);
        (clerk, hands)
    }

    fn without_thread(
        office: Office,
        limits: Limits,
        writer: Writer,
        pace: Pace,
    ) -> (Self, Receiver<Message>) {
        let (messages, incoming) = unbounded();
        let waiting = Arc::new(Waiting::default());
        let reader = Arc::clone(&office.reader);
        let desk = Arc::new(Desk::new(office, Arc::clone(&waiting), writer, pace));
        (Self { messages, desk, waiting, limits, reader, thread: Mutex::new(None) }, incoming)
    }

    async fn rulings(&self, commands: Arc<[Command]>) -> Result<Rulings, Unavailable> {
        let waiting = &self.waiting;
        if waiting.stopping.load(Ordering::Acquire) {
            return Err(Unavailable::Stopping);
        }
        if waiting.room.is_full_for(&commands, self.limits) {
            return Err(Unavailable::Overloaded);
        }
        let others = waiting.room.count_in(&commands);
        let (reply, rulings) = oneshot::channel();
        let job = Job { commands, reply };
        let job = if others == 0 { self.at_once(job) } else { Some(job) };
        if let Some(job) = job
            && self.messages.send(Message::Job(job)).is_err()
        {
            return Err(self.trouble().unwrap_or(Unavailable::Stopping));
        }
        rulings.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    /// Rules on a command that is alone on the caller's own thread, and appends there: to wake the clerk's thread, and to
    /// be woken by it, would cost a third of the time. The thread blocks for one append; the runtime's other tasks go on
    /// meanwhile on another thread. Returns the job when it must go to the clerk's thread.
    fn at_once(&self, job: Job) -> Option<Job> {
        if job.commands.len() > 1 || !tasks::may_block() {
            return Some(job);
        }
        let Some(mut desk) = self.desk.sit_down_if_calm() else { return Some(job) };
        // After a panic the desk rules on nothing any more, and the caller learns that the outcome is unknown.
        let work = AssertUnwindSafe(move || desk.at_once(job));
        let _panicked = tasks::in_place(|| catch_unwind(work));
        None
    }

    async fn verdicts(&self, commands: Arc<[Command]>) -> Result<Vec<Verdict>, Unavailable> {
        let (rulings, durable) = self.rulings(Arc::clone(&commands)).await?;
        let is_stored = |ruling: &Ruling| matches!(ruling, Ruling::Seen(First::Stored(_)));
        let reader = Arc::clone(&self.reader);
        let any_stored = rulings.iter().any(is_stored);
        let waiting = Arc::clone(&self.waiting);
        let read = move || {
            let ruled = rulings.into_iter().zip(commands.iter());
            let verdict = |(ruling, command)| verdict(&reader, &waiting, ruling, command, durable);
            ruled.map(verdict).collect()
        };
        if any_stored {
            return tasks::blocking(read).await.ok_or(Unavailable::StoreUnavailable);
        }
        Ok(read())
    }

    fn trouble(&self) -> Option<Unavailable> {
        *self.waiting.trouble.lock()
    }
}

/// Makes the verdict of a ruling on a command. An old event is read from the store for it, which may block.
fn verdict(
    reader: &Reader,
    waiting: &Waiting,
    ruling: Ruling,
    command: &Command,
    durable: Position,
) -> Verdict {
    match ruling {
        Ruling::Booked(event) => Verdict::Booked(event, durable),
        Ruling::Refused(refusal) => Verdict::Refused(refusal),
        Ruling::Unavailable(why) => Verdict::Unavailable(why),
        Ruling::Seen(First::AtHand(event)) => Verdict::Seen(event, durable),
        Ruling::Seen(First::Durable(event, position)) => Verdict::Seen(event, position),
        Ruling::Seen(First::Stored(position)) => stored(reader, command.id, position).unwrap_or_else(|why| {
            waiting.unreadable.add(command.id, &why);
            Verdict::Unavailable(Unavailable::StoreDamaged)
        }),
    }
}

/// Makes the verdict on a command whose ID the index has at a position. It reads the event there and checks its ID.
fn stored(reader: &Reader, id: Id, position: Position) -> Result<Verdict, String> {
    let event = reader.event(position).map_err(|error| with_causes(&error))?.event;
    if event.id == id {
        Ok(Verdict::Seen(Arc::new(event), position))
    } else {
        Err(format!(
            "at position {position}, which the index names, stands an event with the ID {}",
            event.id
        ))
    }
}

impl Port for Clerk {
    fn rule(&self, commands: Arc<[Command]>) -> Verdicts<'_> {
        Box::pin(self.verdicts(commands))
    }

    /// Returns 0, because the head is updated before any caller is told.
    fn answered(&self) -> Position {
        0
    }

    fn spread(&self) -> Duration {
        Duration::ZERO
    }

    fn is_unresolved(&self, id: Id) -> bool {
        self.waiting.unresolved.lock().contains(&id)
    }

    fn readable(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn seen_at(&self) -> Option<Instant> {
        Some(tasks::now())
    }

    fn stream_readable(&self, _stream: &StreamName) -> Result<(), Unavailable> {
        Ok(())
    }

    fn damaged(&self, _limit: usize) -> Vec<StreamName> {
        Vec::new()
    }

    fn cause(&self) -> Option<String> {
        None
    }

    fn condition(&self) -> Condition {
        let reason = self.trouble().map(|trouble| match trouble {
            Unavailable::StoreDamaged => "The store is damaged.",
            Unavailable::Overloaded
            | Unavailable::Stopping
            | Unavailable::StorageFull
            | Unavailable::StoreUnavailable
            | Unavailable::OutcomeUnknown
            | Unavailable::InProgress
            | Unavailable::ClockInDoubt
            | Unavailable::FolderReplaced => {
                "The store can't be written; a restart reads back what is there."
            }
        });
        Condition {
            reason,
            waiting: self.waiting.room.jobs(),
            done: self.waiting.commits.done(),
            unreadable: self.waiting.unreadable.count(),
            ..Condition::default()
        }
    }

    /// Makes the clerk take no new jobs. The jobs that came before are finished.
    fn stop(&self) {
        self.waiting.stopping.store(true, Ordering::Release);
        // If the thread is gone already, it has stopped.
        let _stopped = self.messages.send(Message::Stop);
    }

    fn close(&self) -> Result<(), CloseError> {
        self.stop();
        let Some(thread) = self.thread.lock().take() else { return Ok(()) };
        self.reader.close();
        match thread.join() {
            Ok(Some(store)) => store.close(),
            Ok(None) => Err("a thread of the clerk is lost, and the store with it".into()),
            Err(_) => Err("the clerk's thread panicked".into()),
        }
    }
}
