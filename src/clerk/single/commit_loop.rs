//! The clerk's rounds: take what is waiting, rule on it, hand it to the store, send the answers when it is durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use crate::domain::time::{Clock, Timestamp};
use crate::index::{Index, Tracked};
use crate::store::{AppendError, Appends, Head, Landed};

use super::decided_state::{Batch, Desk, DeskError};
use super::{Job, Message, Office, Ruling, Rulings, Unavailable, Waiting};

/// Appends that are under way at once. Two were measured and were no faster.
const IN_FLIGHT: usize = 1;
/// Events that are appended together at most.
const MOST_EVENTS: usize = 16_384;

/// So long commands gather while an append is under way.
const HANDFUL: Duration = Duration::from_micros(50);

type Reply = oneshot::Sender<Result<Rulings, Unavailable>>;

/// Who waits for a batch, and for what.
type Answers = Vec<(Reply, Vec<Ruling>)>;

struct Settled(Result<(), AppendError>);

pub(super) struct Rounds {
    /// First, because fields are dropped in order: who waits in the queue is let go of after it.
    _alarm: Alarm,
    desk: Desk,
    store: Box<dyn Appends>,
    index: Index,
    clock: Clock,
    last_recorded: Timestamp,
    head: watch::Sender<Head>,
    callers: Option<Handle>,
    incoming: Receiver<Message>,
    waiting: Arc<Waiting>,
    settled: (Sender<Settled>, Receiver<Settled>),
    open: Batch,
    answers: Answers,
    /// Handed to the store, oldest first.
    in_flight: VecDeque<Batch>,
    /// An append failed, and those behind it have not all been reported.
    failing: Option<AppendError>,
    /// Why nothing will be acknowledged any more.
    finished: Option<Unavailable>,
    stopping: bool,
}

impl Rounds {
    pub(super) fn new(office: Office, incoming: Receiver<Message>, waiting: Arc<Waiting>) -> Self {
        Self {
            _alarm: Alarm(Arc::clone(&waiting)),
            desk: Desk::new(office.index.clone(), office.reader),
            store: office.store,
            index: office.index,
            clock: office.clock,
            last_recorded: office.last_recorded,
            head: office.head,
            callers: office.callers,
            incoming,
            waiting,
            settled: unbounded(),
            open: Batch::new(1),
            answers: Vec::new(),
            in_flight: VecDeque::new(),
            failing: None,
            finished: None,
            stopping: false,
        }
    }

    pub(super) fn run(mut self) -> Box<dyn Appends> {
        while !self.stopping || !self.in_flight.is_empty() || !self.answers.is_empty() {
            self.wait();
            while let Ok(settled) = self.settled.1.try_recv() {
                self.settle(&settled);
            }
            while self.takes_more() {
                match self.incoming.try_recv() {
                    Ok(message) => self.message(message),
                    Err(_) => break,
                }
            }
            self.hand_over();
        }
        while let Ok(message) = self.incoming.try_recv() {
            if let Message::Job(job) = message {
                tell(job.reply, Err(Unavailable::Stopping));
            }
        }
        self.store
    }

    /// May another job be ruled on now?
    fn takes_more(&self) -> bool {
        self.failing.is_none() && self.open.events.len() < MOST_EVENTS && !self.stopping
    }

    /// Waits for something to do. While an append is under way, commands are taken in handfuls: to be woken for each would
    /// cost more than to decide it.
    fn wait(&mut self) {
        if self.in_flight.is_empty() {
            match self.incoming.recv() {
                Ok(message) => self.message(message),
                Err(_) => self.stopping = true,
            }
        } else {
            let settled = if self.takes_more() {
                self.settled.1.recv_timeout(HANDFUL).ok()
            } else {
                self.settled.1.recv().ok()
            };
            if let Some(settled) = settled {
                self.settle(&settled);
            }
        }
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Stop => self.stopping = true,
            Message::Job(job) => {
                self.waiting.jobs.fetch_sub(1, Ordering::Relaxed);
                self.waiting.commands.fetch_sub(job.commands.len(), Ordering::Relaxed);
                self.job(job);
            }
        }
    }

    fn job(&mut self, job: Job) {
        if self.finished.is_none() && self.index.failure().is_some() {
            self.finish(Unavailable::StoreDamaged);
        }
        if let Some(why) = self.finished {
            return tell(job.reply, Err(why));
        }
        self.last_recorded = self.last_recorded.max((self.clock)());
        let mut rulings = Vec::with_capacity(job.commands.len());
        for command in job.commands.iter() {
            match self.desk.rule(command, self.last_recorded, &mut self.open) {
                Ok(ruling) => rulings.push(ruling),
                Err(error) => return self.damaged(&error, job.reply),
            }
        }
        self.answers.push((job.reply, rulings));
    }

    /// The desk can't be trusted any more: nothing is decided until a new process has looked.
    fn damaged(&mut self, error: &DeskError, reply: Reply) {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(%error, cause, "the clerk stops: what it decides on can't be read");
        self.finish(Unavailable::StoreDamaged);
        tell(reply, Err(Unavailable::StoreDamaged));
        // Part of the job may be in the open batch: none of that batch is appended.
        self.abandon_open(|_| Unavailable::StoreDamaged);
    }

    fn finish(&mut self, why: Unavailable) {
        self.finished = Some(why);
        *self.waiting.trouble.lock() = Some(why);
    }

    fn abandon_open(&mut self, why: impl Fn(&[Ruling]) -> Unavailable) {
        self.desk.take_back(&self.open);
        self.open = Batch::new(self.open.number + 1);
        for (reply, rulings) in self.answers.drain(..) {
            tell(reply, Err(why(&rulings)));
        }
    }

    /// Hands the open batch to the store, if it is the store's turn.
    fn hand_over(&mut self) {
        if self.failing.is_some() || self.answers.is_empty() {
            return;
        }
        if self.open.events.is_empty() {
            // Nothing to append; but what was decided on may still be in flight.
            if self.in_flight.is_empty() {
                let durable = self.head.borrow().position;
                send(self.callers.as_ref(), std::mem::take(&mut self.answers), durable);
            }
            return;
        }
        if self.in_flight.len() >= IN_FLIGHT {
            return;
        }
        self.index.wait_for_room(self.open.events.len(), || self.waiting.stopping.load(Ordering::Relaxed));
        let next = Batch::new(self.open.number + 1);
        let batch = std::mem::replace(&mut self.open, next);
        let answers = std::mem::take(&mut self.answers);
        let report = self.report(&batch, answers);
        self.store.submit(&batch.events, report);
        self.in_flight.push_back(batch);
    }

    /// What happens when the append is reported, on the store's thread: remember, publish, answer, tell the clerk.
    fn report(&self, batch: &Batch, answers: Answers) -> crate::store::Report {
        let index = self.index.clone();
        let head = self.head.clone();
        let owed =
            Owed { settled: self.settled.0.clone(), callers: self.callers.clone(), answers: Some(answers) };
        let waiting = Arc::clone(&self.waiting);
        let events = batch.events.clone();
        let streams = batch.streams.clone();
        let accounts: Vec<Tracked> = self.desk.touched(batch);
        Box::new(move |outcome: Result<Landed, AppendError>| match outcome {
            Ok(landed) => {
                let last = landed.first + events.len() as u64 - 1;
                let placed = streams.into_iter().zip(landed.first..).zip(&events);
                let placed = placed.map(|((stream, position), event)| (stream, position, event.as_ref()));
                index.apply(placed, accounts, (last, landed.hash));
                head.send_modify(|head| {
                    head.position = last;
                    head.hash = landed.hash;
                });
                waiting.commits.fetch_add(1, Ordering::Relaxed);
                waiting.events.fetch_add(events.len() as u64, Ordering::Relaxed);
                owed.landed(last);
            }
            Err(error) => owed.failed(error),
        })
    }

    fn settle(&mut self, settled: &Settled) {
        match settled.0 {
            Ok(()) => {
                if let Some(batch) = self.in_flight.pop_front() {
                    self.desk.settle(&batch);
                }
            }
            Err(error) => {
                if self.failing.is_none() {
                    self.failing = Some(error);
                    // Nothing of the open batch was appended, but it may have found an event of the failed one.
                    let rests_on_it = |ruling: &Ruling| matches!(ruling, Ruling::SeenNow(_));
                    self.abandon_open(|rulings| unavailable(error, rulings.iter().any(rests_on_it)));
                }
                // The newest goes first: count the reports, and undo when all are in.
                if let Some(batch) = self.in_flight.pop_back() {
                    self.desk.take_back(&batch);
                }
                if self.in_flight.is_empty() {
                    self.store.take_back();
                    self.failing = None;
                    if error != AppendError::Full {
                        self.finish(Unavailable::StoreUnavailable);
                    }
                }
            }
        }
    }
}

/// What is owed to the clerk and to the callers for an append. Dropped before it is paid (the store's thread panicked),
/// it says that nobody knows what became of the append: nobody waits for ever.
struct Owed {
    settled: Sender<Settled>,
    callers: Option<Handle>,
    answers: Option<Answers>,
}

impl Owed {
    fn landed(mut self, last: u64) {
        if let Some(answers) = self.answers.take() {
            // The clerk is woken before the callers, so that the next append starts first.
            let _clerk_gone = self.settled.send(Settled(Ok(())));
            send(self.callers.as_ref(), answers, last);
        }
    }

    fn failed(mut self, error: AppendError) {
        self.refuse(error);
    }

    fn refuse(&mut self, error: AppendError) {
        if let Some(answers) = self.answers.take() {
            // The clerk hears first, so that a caller that comes again is not ruled on what failed.
            let _clerk_gone = self.settled.send(Settled(Err(error)));
            refuse(answers, error);
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.refuse(AppendError::Unknown);
    }
}

/// Says that no job will be ruled on any more, should the clerk's thread panic.
struct Alarm(Arc<Waiting>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.trouble.lock() = Some(Unavailable::StoreUnavailable);
        }
    }
}

fn unavailable(error: AppendError, appended: bool) -> Unavailable {
    match error {
        AppendError::Full => Unavailable::StorageFull,
        AppendError::Unknown if appended => Unavailable::OutcomeUnknown,
        AppendError::Unknown | AppendError::NotWritten => Unavailable::StoreUnavailable,
    }
}

fn refuse(answers: Answers, error: AppendError) {
    for (reply, rulings) in answers {
        let appended = rulings.iter().any(|ruling| matches!(ruling, Ruling::Booked(_) | Ruling::SeenNow(_)));
        tell(reply, Err(unavailable(error, appended)));
    }
}

/// Sends the answers from within the callers' runtime, where there is one: a thread of its own would wake a worker for
/// each of them.
fn send(callers: Option<&Handle>, answers: Answers, durable: u64) {
    let tell_all = move || {
        for (reply, rulings) in answers {
            tell(reply, Ok((rulings, durable)));
        }
    };
    match callers {
        Some(runtime) => {
            runtime.spawn(async move { tell_all() });
        }
        None => tell_all(),
    }
}

/// A caller that has gone away misses its answer; its ID keeps it.
fn tell(reply: Reply, rulings: Result<Rulings, Unavailable>) {
    let _caller_gone = reply.send(rulings);
}
