//! The work at the desk is to rule on jobs and to append their events.
//!
//! One append is under way at a time. When jobs come one by one, the thread at the desk appends. When more waits, or came
//! with the append before, a second thread, the writer, appends, and the thread at the desk goes on deciding meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clerk::port::is_own;
use crate::clerk::room::is_long;
use crate::clerk::rule::{Ruling, rule};
use crate::clerk::verdict::Unavailable;
use crate::domain::command::Command;
use crate::domain::time::{Clock, Now, Timestamp};
use crate::index::Index;
use crate::store::codec::Encoder;
use crate::store::draft::Draft;
use crate::store::{AppendError, Appends, Head, Reader};
use crate::with_causes::with_causes;

use super::append::{Answers, Append, Appended, tell};
use super::decided_state::{Batch, DecidedState, StateError};
use super::pace::Pace;
use super::queue::{Job, Waiting};
use super::writer::{Lost, Writer};

/// This is the most events that are decided while an append is under way.
const MOST_EVENTS: usize = 16_384;

/// An `Office` is everything that the clerk works with.
pub struct Office {
    /// This is the store's writing side.
    pub store: Box<dyn Appends>,
    /// This is the store's reading side.
    pub reader: Reader,
    /// This is the index of what was booked.
    pub index: Index,
    /// This is the clock from which it takes the time.
    pub clock: Clock,
    /// This is the time at which the last event was recorded. No later event is recorded with an earlier time.
    pub last_recorded: Timestamp,
    /// This is the head of the journal, which is updated after each durable append.
    pub head: watch::Sender<Head>,
    /// This is the async runtime on which the callers wait, if they wait on one.
    pub callers: Option<Handle>,
    /// This is the thread that appends for a job that is alone.
    pub alone: Alone,
}

/// An `Alone` is the thread that appends when one job is decided and nothing else waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alone {
    /// The caller's own thread rules on the job and appends, where it may block; else the clerk's thread does. So the job
    /// passes fewer threads. What comes meanwhile is decided afterwards.
    #[default]
    Appends,
    /// The writer's thread appends, as when more waits. What comes meanwhile is decided at once.
    HandsOver,
}

/// A `Work` is the work that is in hand, and what is needed for it.
pub(super) struct Work {
    state: DecidedState,
    index: Index,
    clock: Clock,
    last_recorded: Timestamp,
    head: watch::Sender<Head>,
    waiting: Arc<Waiting>,
    /// This is the store; `None` while an append is under way.
    store: Option<Box<dyn Appends>>,
    alone: Alone,
    writer: Writer,
    /// These are the jobs that are not fully decided, in the order of their turns.
    jobs: VecDeque<Begun>,
    encoder: Encoder,
    /// This has the events that were decided since the last append began, as they will stand in the journal.
    draft: Draft,
    /// These are the callers that wait for what was decided since the last append began, and their rulings.
    answers: Answers,
    /// This is the batch that is being appended.
    under_way: Option<Batch>,
    /// It says when long jobs may have a turn.
    pace: Pace,
    /// It says that the last append was of one job, and that no other waited when it began.
    is_calm: bool,
    /// The reason why no job will be ruled on any more, if there is one.
    finished: Option<Unavailable>,
}

impl Work {
    pub(super) fn new(office: Office, waiting: Arc<Waiting>, writer: Writer, pace: Pace) -> Self {
        let end = *office.head.borrow();
        Self {
            state: DecidedState::new(office.index.clone(), office.reader),
            index: office.index,
            clock: office.clock,
            last_recorded: office.last_recorded,
            head: office.head,
            waiting,
            store: Some(office.store),
            alone: office.alone,
            writer,
            jobs: VecDeque::new(),
            encoder: Encoder::default(),
            draft: Draft::after(end.position, end.hash),
            answers: Answers::for_callers(office.callers),
            under_way: None,
            pace,
            is_calm: true,
            finished: None,
        }
    }

    /// Rules on a job that is alone, makes it durable and answers it.
    pub(super) fn at_once(&mut self, job: Job) {
        self.take(job);
        self.give_turns();
        self.hand_over();
    }

    pub(super) fn take(&mut self, job: Job) {
        let begun = Begun { job, rulings: Vec::new() };
        if !begun.is_long() {
            self.pace.short_came(is_own(&begun.job.commands));
        }
        self.jobs.push_back(begun);
    }

    /// Gives the store back, when no job will be ruled on any more.
    pub(super) fn leave(&mut self) -> Option<Box<dyn Appends>> {
        self.finished.get_or_insert(Unavailable::Stopping);
        self.writer.stop();
        self.store.take()
    }

    /// Says whether any job was begun or decided and is not answered yet.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.is_some() || self.answers.len() > 0 || !self.jobs.is_empty()
    }

    /// Says whether a caller may rule on its own job: nothing is in hand, and the jobs before came one by one.
    pub(super) fn is_free_for_callers(&self) -> bool {
        self.alone == Alone::Appends && self.is_calm && !self.is_busy()
    }

    /// Says whether there is room for more events while an append is under way.
    fn takes_more(&self) -> bool {
        self.state.open().len() < MOST_EVENTS
    }

    /// Says whether there is room for more events of this job.
    fn has_room_for(&self, begun: &Begun) -> bool {
        self.takes_more() && (!begun.is_long() || self.pace.allows_long(Instant::now()))
    }

    /// Waits while an append is under way, at most for a handful of commands to gather: waking up for each command
    /// would cost more than deciding it. While jobs have turns to come, it does not wait.
    pub(super) fn wait(&mut self, handful: Duration) {
        if self.under_way.is_none() {
            return;
        }
        let has_turns = self.jobs.iter().any(|begun| self.has_room_for(begun));
        let at_most = match (self.takes_more(), has_turns) {
            (false, _) => None,
            (true, false) => Some(handful),
            (true, true) => Some(Duration::ZERO),
        };
        match self.writer.wait(at_most) {
            Ok(Some(appended)) => self.settle(appended),
            Ok(None) => {}
            Err(Lost) => self.lost(),
        }
    }

    /// Returns for how long there is nothing to do but to wait for other jobs, because all that are here rest.
    pub(super) fn rests_for(&self) -> Option<Duration> {
        let all_rest = self.under_way.is_none() && self.jobs.iter().all(|begun| !self.has_room_for(begun));
        self.pace.rests_for(Instant::now()).filter(|_| all_rest)
    }

    /// Gives each waiting job one turn, where there is room. A long job needs several turns, so that no other job waits for
    /// its end. A job without room is the first of the next time, so that several long jobs take turns.
    pub(super) fn give_turns(&mut self) {
        let mut passed_over = Vec::new();
        for _ in 0..self.jobs.len() {
            let Some(mut begun) = self.jobs.pop_front() else { return };
            if !self.has_room_for(&begun) {
                passed_over.push(begun);
                continue;
            }
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
        passed_over.into_iter().rev().for_each(|begun| self.jobs.push_front(begun));
    }

    fn count_out(&self, job: &Job) {
        self.waiting.room.count_out(&job.commands);
    }

    /// Rules on the next commands of a job.
    fn turn(&mut self, begun: &mut Begun) -> Result<(), Unavailable> {
        if self.finished.is_none() && self.index.failure().is_some() {
            self.finish(Unavailable::StoreDamaged);
        }
        if let Some(why) = self.finished {
            return Err(why);
        }
        let now = Now::after(self.last_recorded, (self.clock)());
        self.last_recorded = now.recorded_at;
        let commands = Arc::clone(&begun.job.commands);
        let (began, before) = (begun.is_long().then(Instant::now), begun.rulings.len());
        for command in commands.iter().skip(before).take(self.pace.slice()) {
            match rule(&mut self.state, command, now) {
                Ok(ruling) => begun.rulings.extend(ruling),
                Err(error) => begun.rulings.push(Ruling::Unavailable(self.unreadable(command, &error))),
            }
        }
        self.draft_on();
        if let Some(began) = began {
            self.pace.long_had_turn(began, begun.rulings.len() - before);
        }
        Ok(())
    }

    /// Adds what was decided to the draft. It is done here and not when the append begins, because here it is beside the
    /// append before.
    fn draft_on(&mut self) {
        for event in self.state.open().get(self.draft.events.len()..).unwrap_or_default() {
            self.draft.add(Arc::clone(event), &mut self.encoder);
        }
    }

    /// Notes that something that a command needs can't be read. Only this command fails; the others are ruled on.
    fn unreadable(&self, command: &Command, error: &StateError) -> Unavailable {
        self.waiting.unreadable.add(command.id, &with_causes(error));
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

    /// Ends all ruling after a panic at the desk. Whoever waits is told that the outcome is unknown.
    pub(super) fn give_up(&mut self) {
        self.finish(Unavailable::StoreUnavailable);
        (self.under_way, self.store) = (None, None);
        for begun in std::mem::take(&mut self.jobs) {
            self.count_out(&begun.job);
        }
        self.answers.take().refuse(AppendError::Unknown);
    }

    /// Appends what was decided, if no other append is under way.
    pub(super) fn hand_over(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        self.pace.append_begins(self.state.open().len());
        if self.state.open().is_empty() {
            self.pace.append_ended(0, Instant::now());
            let durable = self.head.borrow().position;
            return self.answers.take().send(durable);
        }
        let Some(store) = self.store.take() else { return };
        let room = self.state.open().len();
        self.index.wait_for_room(room, || self.waiting.stopping.load(Ordering::Relaxed));
        let is_alone = self.answers.len() == 1 && self.waiting.room.jobs() == 0;
        let was_calm = std::mem::replace(&mut self.is_calm, is_alone);
        let (batch, states) = self.state.take_batch();
        let next = self.draft.next();
        let append = Append {
            store,
            draft: std::mem::replace(&mut self.draft, next),
            keys: batch.keys.clone(),
            states,
            ended: batch.ended,
            index: self.index.clone(),
            head: self.head.clone(),
            waiting: Arc::clone(&self.waiting),
            answers: self.answers.take(),
        };
        self.under_way = Some(batch);
        match self.alone {
            Alone::Appends if was_calm && is_alone => {
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
        self.pace.append_ended(batch.events.len(), Instant::now());
        match outcome {
            Ok(()) => self.state.settle(&batch),
            Err(error) => {
                self.state.take_back(&batch);
                let end = *self.head.borrow();
                self.draft = Draft::after(end.position, end.hash);
                // These were decided on top of what failed, and not appended; but one may have been answered with an
                // event of it.
                self.answers.take().refuse_on_top(error);
                self.refuse_begun(error);
                match error {
                    // Nothing was written, and the next append may succeed.
                    AppendError::Full | AppendError::NotBegun => {}
                    AppendError::NotWritten | AppendError::Unknown => {
                        self.finish(Unavailable::StoreUnavailable)
                    }
                }
            }
        }
    }
}

/// A `Begun` is a job that was begun, and the rulings on its first commands.
struct Begun {
    job: Job,
    rulings: Vec<Ruling>,
}

impl Begun {
    fn is_long(&self) -> bool {
        is_long(&self.job.commands)
    }

    fn is_decided(&self) -> bool {
        self.rulings.len() >= self.job.commands.len()
    }
}
