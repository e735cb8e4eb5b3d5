//! One append is the events that are given to the store, and what is done when the outcome is known. The index takes the
//! events in, the new head is published, and then the callers are answered.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clerk::rule::{First, Ruling};
use crate::clerk::verdict::Unavailable;
use crate::domain::digest::EndedSum;
use crate::index::record::StreamKey;
use crate::index::{Besides, Index, Tracked};
use crate::store::draft::Draft;
use crate::store::{AppendError, Appends, Head};

use super::queue::{Reply, Rulings, Waiting};

/// An `Append` is a decided batch that is to be appended. It owns the store meanwhile, so that no other append can be
/// under way.
pub(super) struct Append {
    pub(super) store: Box<dyn Appends>,
    pub(super) draft: Draft,
    pub(super) keys: Vec<StreamKey>,
    /// These are the states of the streams that have an event in it.
    pub(super) states: Vec<Tracked>,
    /// This is by how much it changes the sum of the transfers that have ended.
    pub(super) ended: EndedSum,
    pub(super) index: Index,
    pub(super) head: watch::Sender<Head>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) answers: Answers,
}

/// An `Appended` is an append that has ended: the store, and the outcome.
pub(super) struct Appended {
    pub(super) store: Box<dyn Appends>,
    pub(super) outcome: Result<(), AppendError>,
}

impl Append {
    /// Appends the events, and then updates the index and the head. The answers are returned unsent: the clerk must
    /// learn the outcome first, so that a caller that comes again is not ruled on what failed.
    pub(super) fn run(self) -> (Appended, Due) {
        let Self { mut store, draft, keys, states, ended, index, head, waiting, answers } = self;
        let mut due = Due { answers: Some(answers), outcome: Err(AppendError::Unknown) };
        // When the store panics, it is not known what it has done.
        let append = AssertUnwindSafe(|| store.append(&draft));
        let begun = Instant::now();
        let outcome = std::panic::catch_unwind(append).unwrap_or(Err(AppendError::Unknown));
        if matches!(outcome, Err(AppendError::Unknown)) {
            // Before any caller is told: one who then asks what became of its ID hears the same.
            waiting.leave_unresolved(&draft.events);
        }
        due.outcome = outcome.map(|()| {
            waiting.commits.add(draft.events.len(), begun.elapsed());
            remember(&draft, keys, (states, ended), &index);
            head.send_modify(|head| (head.position, head.hash) = (draft.last(), draft.hash));
            draft.last()
        });
        (Appended { store, outcome: due.outcome.map(drop) }, due)
    }
}

/// Takes durable events into the index.
fn remember(draft: &Draft, keys: Vec<StreamKey>, (states, ended): (Vec<Tracked>, EndedSum), index: &Index) {
    let placed = keys.into_iter().zip(draft.first..).zip(&draft.events);
    let placed = placed.map(|((key, position), event)| (key, position, event.as_ref()));
    let besides = Besides { ended, ..Besides::default() };
    index.apply_with(placed, states, besides, (draft.last(), draft.hash));
}

/// The answers that are owed to the callers of an append that has ended. When it is dropped before it is paid, it tells
/// them that the outcome is unknown, so that no caller waits for ever.
pub(super) struct Due {
    answers: Option<Answers>,
    outcome: Result<u64, AppendError>,
}

impl Due {
    pub(super) fn pay(mut self) {
        match (self.answers.take(), self.outcome) {
            (Some(answers), Ok(last)) => answers.send(last),
            (Some(answers), Err(error)) => answers.refuse(error),
            (None, _) => {}
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        if let Some(answers) = self.answers.take() {
            answers.refuse(AppendError::Unknown);
        }
    }
}

/// `Answers` are the rulings on jobs, and the callers that wait for them.
#[derive(Default)]
pub(super) struct Answers {
    jobs: Vec<(Reply, Vec<Ruling>)>,
    /// This is the async runtime on which the callers wait, if they wait on one.
    callers: Option<Handle>,
}

impl Answers {
    pub(super) fn for_callers(callers: Option<Handle>) -> Self {
        Self { jobs: Vec::new(), callers }
    }

    /// Takes out all answers that are in it, and leaves it empty for the next ones.
    pub(super) fn take(&mut self) -> Self {
        Self { jobs: std::mem::take(&mut self.jobs), callers: self.callers.clone() }
    }

    pub(super) fn push(&mut self, reply: Reply, rulings: Vec<Ruling>) {
        self.jobs.push((reply, rulings));
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Sends the rulings. More than one are sent from a task of the callers' runtime, where there is one: a thread
    /// outside it would have to wake a worker for each of them.
    pub(super) fn send(self, durable: u64) {
        let Self { jobs, callers } = self;
        let many = jobs.len() > 1;
        let send_all =
            move || jobs.into_iter().for_each(|(reply, rulings)| tell(reply, Ok((rulings, durable))));
        match callers.filter(|_| many) {
            Some(runtime) => drop(runtime.spawn(async move { send_all() })),
            None => send_all(),
        }
    }

    /// Tells every caller of a failed append why there is no answer. A caller is told that the outcome is unknown only
    /// when an event of its job may have been appended.
    pub(super) fn refuse(self, error: AppendError) {
        let appended = |ruling: &Ruling| matches!(ruling, Ruling::Booked(_) | Ruling::Seen(First::AtHand(_)));
        self.refuse_by(|rulings| unavailable(error, rulings.iter().any(appended)));
    }

    /// Tells every caller whose job was decided on top of a failed append and was not appended itself. Its outcome is
    /// unknown only where it was answered with an event of that append.
    pub(super) fn refuse_on_top(self, error: AppendError) {
        let rests_on_it = |ruling: &Ruling| matches!(ruling, Ruling::Seen(First::AtHand(_)));
        self.refuse_by(|rulings| unavailable(error, rulings.iter().any(rests_on_it)));
    }

    pub(super) fn refuse_by(self, why: impl Fn(&[Ruling]) -> Unavailable) {
        for (reply, rulings) in self.jobs {
            tell(reply, Err(why(&rulings)));
        }
    }
}

fn unavailable(error: AppendError, appended: bool) -> Unavailable {
    match error {
        AppendError::Full => Unavailable::StorageFull,
        AppendError::Unknown if appended => Unavailable::OutcomeUnknown,
        AppendError::Unknown | AppendError::NotWritten | AppendError::NotBegun => {
            Unavailable::StoreUnavailable
        }
    }
}

/// Tells one caller. A caller that has gone away misses its answer; the same ID sent again gets it.
pub(super) fn tell(reply: Reply, rulings: Result<Rulings, Unavailable>) {
    let _caller_gone = reply.send(rulings);
}
