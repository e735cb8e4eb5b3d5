//! The commit loop: it takes what is waiting, rules on it, appends the events, and sends the answers when they are
//! durable.
//!
//! One append is under way at a time. When one job is alone, the clerk's own thread appends, so that the job passes one
//! thread and not two. When more waits, a second thread, the writer, appends, and the clerk goes on deciding meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clerk::rule::{Ruling, rule};
use crate::clerk::verdict::Unavailable;
use crate::domain::command::Command;
use crate::domain::time::{Clock, Timestamp};
use crate::index::Index;
use crate::store::{AppendError, Appends, Head, Reader};

use super::append::{Answers, Append, Appended, tell};
use super::decided_state::{Batch, DecidedState, StateError};
use super::queue::{Job, Message, Waiting, chain};

/// The most events that are decided while an append is under way.
const MOST_EVENTS: usize = 16_384;

/// The most commands of one job that are decided before others get their turn.
const SLICE: usize = 256;

/// The time for which commands gather while an append is under way, before they are taken together.
const HANDFUL: Duration = Duration::from_micros(50);

/// Everything that the clerk works with.
pub struct Office {
    /// The store's writing side.
    pub store: Box<dyn Appends>,
    /// The store's reading side.
    pub reader: Reader,
    /// The index of what was booked.
    pub index: Index,
    /// The clock from which it takes the time.
    pub clock: Clock,
    /// The time at which the last event was recorded. No later event is recorded with an earlier time.
    pub last_recorded: Timestamp,
    /// The head of the journal, which is updated after each durable append.
    pub head: watch::Sender<Head>,
    /// The async runtime on which the callers wait, if they wait on one.
    pub callers: Option<Handle>,
    /// The thread that appends for a job that is alone.
    pub alone: Alone,
}

/// The thread that appends when one job is decided and nothing else waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alone {
    /// The clerk's own thread appends, so that the job passes one thread less. What comes meanwhile is decided
    /// afterwards.
    #[default]
    Appends,
    /// The writer's thread appends, as when more waits. What comes meanwhile is decided at once.
    HandsOver,
}

/// The clerk's running thread; it gives back the store's writing side when it stops.
pub(super) type Thread = JoinHandle<Option<Box<dyn Appends>>>;

pub(super) struct CommitLoop {
    /// It is the first field, because fields are dropped in order: a panic is noted before the queue is dropped, so
    /// that a caller who comes then finds the reason.
    _alarm: Alarm,
    state: DecidedState,
    index: Index,
    clock: Clock,
    last_recorded: Timestamp,
    head: watch::Sender<Head>,
    incoming: Receiver<Message>,
    waiting: Arc<Waiting>,
    /// The store; `None` while an append is under way.
    store: Option<Box<dyn Appends>>,
    alone: Alone,
    writer: Writer,
    /// The jobs that are not fully decided, in the order of their turns.
    jobs: VecDeque<Begun>,
    /// The callers that wait for what was decided since the last append began, and their rulings.
    answers: Answers,
    /// The batch that is being appended.
    under_way: Option<Batch>,
    /// The reason why no job will be ruled on any more, if there is one.
    finished: Option<Unavailable>,
    stopping: bool,
}

impl CommitLoop {
    pub(super) fn start(
        office: Office,
        incoming: Receiver<Message>,
        waiting: Arc<Waiting>,
    ) -> std::io::Result<Thread> {
        let writer = Writer::start()?;
        let commit_loop = Self {
            _alarm: Alarm(Arc::clone(&waiting)),
            state: DecidedState::new(office.index.clone(), office.reader),
            index: office.index,
            clock: office.clock,
            last_recorded: office.last_recorded,
            head: office.head,
            incoming,
            waiting,
            store: Some(office.store),
            alone: office.alone,
            writer,
            jobs: VecDeque::new(),
            answers: Answers::for_callers(office.callers),
            under_way: None,
            finished: None,
            stopping: false,
        };
        std::thread::Builder::new().name("clerk".into()).spawn(move || commit_loop.run())
    }

    fn run(mut self) -> Option<Box<dyn Appends>> {
        while !self.stopping || self.is_busy() {
            self.wait();
            while !self.stopping
                && let Ok(message) = self.incoming.try_recv()
            {
                self.message(message);
            }
            self.give_turns();
            self.hand_over();
        }
        while let Ok(message) = self.incoming.try_recv() {
            if let Message::Job(job) = message {
                tell(job.reply, Err(Unavailable::Stopping));
            }
        }
        self.writer.stop();
        self.store
    }

    /// Says whether any job was begun or decided and is not answered yet.
    fn is_busy(&self) -> bool {
        self.under_way.is_some() || self.answers.len() > 0 || !self.jobs.is_empty()
    }

    /// Says whether there is room for more events while an append is under way.
    fn takes_more(&self) -> bool {
        self.state.open_events() < MOST_EVENTS
    }

    /// Waits for something to do. While an append is under way, it waits for the append and takes new commands every
    /// [`HANDFUL`]: waking up for each command would cost more than deciding it. While jobs have turns to come, it does
    /// not wait.
    fn wait(&mut self) {
        if self.under_way.is_none() {
            if self.jobs.is_empty() && !self.stopping {
                match self.incoming.recv() {
                    Ok(message) => self.message(message),
                    Err(_) => self.stopping = true,
                }
            }
            return;
        }
        let at_most = match (self.takes_more(), self.jobs.is_empty()) {
            (false, _) => None,
            (true, true) => Some(HANDFUL),
            (true, false) => Some(Duration::ZERO),
        };
        match self.writer.wait(at_most) {
            Ok(Some(appended)) => self.settle(appended),
            Ok(None) => {}
            Err(Lost) => self.lost(),
        }
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Stop => self.stopping = true,
            Message::Job(job) => self.jobs.push_back(Begun { job, rulings: Vec::new() }),
        }
    }

    /// Gives each waiting job one turn. A long job needs several turns, so that no other job waits for its end.
    fn give_turns(&mut self) {
        for _ in 0..self.jobs.len() {
            if !self.takes_more() {
                return;
            }
            let Some(mut begun) = self.jobs.pop_front() else { return };
            match self.turn(&mut begun) {
                Ok(()) if begun.is_decided() => {
                    self.count_out(&begun.job);
                    self.answers.push(begun.job.reply, begun.rulings);
                }
                Ok(()) => self.jobs.push_back(begun),
                Err(why) => {
                    self.count_out(&begun.job);
                    tell(begun.job.reply, Err(why));
                }
            }
        }
    }

    fn count_out(&self, job: &Job) {
        self.waiting.jobs.fetch_sub(1, Ordering::Relaxed);
        self.waiting.commands.fetch_sub(job.commands.len(), Ordering::Relaxed);
    }

    /// Rules on the next commands of a job.
    fn turn(&mut self, begun: &mut Begun) -> Result<(), Unavailable> {
        if self.finished.is_none() && self.index.failure().is_some() {
            self.finish(Unavailable::StoreDamaged);
        }
        if let Some(why) = self.finished {
            return Err(why);
        }
        self.last_recorded = self.last_recorded.max((self.clock)());
        let commands = Arc::clone(&begun.job.commands);
        for command in commands.iter().skip(begun.rulings.len()).take(SLICE) {
            match rule(&mut self.state, command, self.last_recorded) {
                Ok(ruling) => begun.rulings.extend(ruling),
                Err(error) => begun.rulings.push(Ruling::Unavailable(self.unreadable(command, &error))),
            }
        }
        Ok(())
    }

    /// Notes that something that a command needs can't be read. Only this command fails; the others are ruled on.
    fn unreadable(&self, command: &Command, error: &StateError) -> Unavailable {
        self.waiting.unreadable.add(command.id, &chain(error));
        error.unavailable()
    }

    /// Refuses the jobs that are decided in part, because an event of theirs may have been in the append that failed.
    fn refuse_begun(&mut self, error: AppendError) {
        for begun in std::mem::take(&mut self.jobs) {
            if begun.rulings.is_empty() {
                self.jobs.push_back(begun);
            } else {
                self.count_out(&begun.job);
                let mut answers = self.answers.take();
                answers.push(begun.job.reply, begun.rulings);
                answers.refuse(error);
            }
        }
    }

    fn finish(&mut self, why: Unavailable) {
        self.finished = Some(why);
        *self.waiting.trouble.lock() = Some(why);
    }

    /// Appends what was decided, if no other append is under way.
    fn hand_over(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        if self.state.open_events() == 0 {
            let durable = self.head.borrow().position;
            return self.answers.take().send(durable);
        }
        let Some(store) = self.store.take() else { return };
        let room = self.state.open_events();
        self.index.wait_for_room(room, || self.waiting.stopping.load(Ordering::Relaxed));
        let is_alone = self.answers.len() == 1 && self.jobs.is_empty() && self.incoming.is_empty();
        let (batch, states) = self.state.take_batch();
        let append = Append {
            store,
            events: batch.events.clone(),
            keys: batch.keys.clone(),
            states,
            index: self.index.clone(),
            head: self.head.clone(),
            waiting: Arc::clone(&self.waiting),
            answers: self.answers.take(),
        };
        self.under_way = Some(batch);
        match self.alone {
            Alone::Appends if is_alone => {
                let (appended, due) = append.run();
                self.settle(appended);
                due.pay();
            }
            Alone::Appends | Alone::HandsOver => self.writer.append(append),
        }
    }

    fn settle(&mut self, appended: Appended) {
        self.store = Some(appended.store);
        self.settle_batch(appended.outcome);
    }

    /// Takes back what was being appended, after the writer's thread has panicked. The store is lost with that thread.
    fn lost(&mut self) {
        if let Some(batch) = &self.under_way {
            self.waiting.leave_unresolved(&batch.events);
        }
        self.settle_batch(Err(AppendError::Unknown));
    }

    fn settle_batch(&mut self, outcome: Result<(), AppendError>) {
        let Some(batch) = self.under_way.take() else { return };
        match outcome {
            Ok(()) => self.state.settle(&batch),
            Err(error) => {
                self.state.take_back(&batch);
                // These were decided on top of what failed, and not appended; but one may have been answered with an
                // event of it.
                self.answers.take().refuse_on_top(error);
                self.refuse_begun(error);
                if error != AppendError::Full {
                    self.finish(Unavailable::StoreUnavailable);
                }
            }
        }
    }
}

/// A job that was begun, and the rulings on its first commands.
struct Begun {
    job: Job,
    rulings: Vec<Ruling>,
}

impl Begun {
    fn is_decided(&self) -> bool {
        self.rulings.len() >= self.job.commands.len()
    }
}

/// An error that says: the writer's thread has panicked, and the store is lost with it.
struct Lost;

/// The writer: the thread that appends while the clerk goes on deciding.
struct Writer {
    appends: Sender<Append>,
    appended: Receiver<Appended>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn start() -> std::io::Result<Self> {
        let (appends, incoming) = bounded::<Append>(1);
        let (done, appended) = bounded(1);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            for append in incoming {
                let (appended, due) = append.run();
                // The clerk is woken before the callers, so that the next append begins first.
                let _clerk_gone = done.send(appended);
                due.pay();
            }
        })?;
        Ok(Self { appends, appended, thread: Some(thread) })
    }

    fn append(&self, append: Append) {
        // If the thread has panicked, the callers are told when the append is dropped.
        let _lost = self.appends.send(append);
    }

    /// Waits for the append that is under way, at most for the given time if there is one.
    fn wait(&self, at_most: Option<Duration>) -> Result<Option<Appended>, Lost> {
        match at_most {
            None => self.appended.recv().map(Some).map_err(|_| Lost),
            Some(at_most) => match self.appended.recv_timeout(at_most) {
                Ok(appended) => Ok(Some(appended)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(Lost),
            },
        }
    }

    /// Ends the thread, after it has sent the answers that it owes.
    fn stop(&mut self) {
        self.appends = bounded(0).0;
        if let Some(thread) = self.thread.take() {
            let _nothing_is_owed = thread.join();
        }
    }
}

/// A guard that notes, when the clerk's thread panics, that no job will be ruled on any more.
struct Alarm(Arc<Waiting>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.trouble.lock() = Some(Unavailable::StoreUnavailable);
        }
    }
}
