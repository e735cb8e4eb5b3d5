//! The inbox of a stream's task holds the commands that came, their verdicts so far, and the callers that wait for them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::clerk::verdict::{Unavailable, Verdict};
use crate::domain::command::Command;
use crate::domain::ids::Id;

use super::admission::Admitted;
use super::reserved_ids::ReservedIds;

/// `Verdicts` are given each with the place of its command among those that came together.
pub(super) type Verdicts = Vec<(usize, Verdict)>;

/// An `Errand` has the commands of one caller for one stream.
pub(super) struct Errand {
    pub(super) asked: Asked,
    pub(super) reply: oneshot::Sender<Verdicts>,
}

/// An `Asked` has the commands of an errand, with what they hold: their reserved IDs and their place in the queue. Both
/// are given back when this is dropped: before the answer is sent, or when the task ends without an answer.
pub(super) struct Asked {
    pub(super) reserved: Arc<ReservedIds>,
    pub(super) commands: Arc<[Command]>,
    /// These are the places of those commands that are for this stream.
    pub(super) at: Vec<usize>,
    pub(super) _admitted: Arc<Admitted>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let commands = self.at.iter().filter_map(|place| self.commands.get(*place));
        commands.for_each(|command| self.reserved.release(command.id));
    }
}

/// A `Message` is a message to a stream's task.
pub(super) enum Message {
    /// The task must rule on these commands.
    Errand(Errand),
    /// The task's knowledge of the stream may be wrong: it must read the stream again.
    LookAgain,
}

impl Message {
    /// Answers every command of the message, if it has any, with the reason why it was not taken.
    pub(super) fn refuse(self, why: Unavailable) {
        let Self::Errand(errand) = self else { return };
        let mut work = Work::default();
        work.add(errand);
        while !work.is_done() {
            work.answer(Verdict::Unavailable(why));
        }
    }
}

/// An `Item` is a command that waits: the number of its errand, and its place among the errand's commands.
#[derive(Clone, Copy, Debug)]
struct Item {
    errand: usize,
    place: usize,
}

struct Open {
    errand: Errand,
    left: usize,
    verdicts: Verdicts,
}

#[derive(Default)]
pub(super) struct Work {
    /// These are the errands that are not answered yet, in the order in which they came. The verdicts are given in the
    /// same order.
    errands: VecDeque<Open>,
    /// This is the number of errands that were answered before these. Nothing else is kept of them, because on a busy
    /// stream this list is never empty.
    answered: usize,
    /// These are the commands that have no verdict yet, in order.
    todo: VecDeque<Item>,
}

impl Work {
    pub(super) fn add(&mut self, errand: Errand) {
        let number = self.answered + self.errands.len();
        let places = &errand.asked.at;
        self.todo.extend(places.iter().map(|place| Item { errand: number, place: *place }));
        let left = places.len();
        self.errands.push_back(Open { errand, left, verdicts: Vec::with_capacity(left) });
    }

    /// Returns the number of commands that have no verdict yet.
    pub(super) fn left(&self) -> usize {
        self.todo.len()
    }

    pub(super) fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    /// Returns the commands that come next, at most `limit` of them.
    pub(super) fn next(&self, limit: usize) -> impl Iterator<Item = &Command> + Clone {
        let command = |item: &Item| {
            let open = self.errands.get(item.errand.checked_sub(self.answered)?)?;
            open.errand.asked.commands.get(item.place)
        };
        self.todo.iter().take(limit).filter_map(command)
    }

    /// Returns the ID of the command that comes next.
    pub(super) fn next_id(&self) -> Option<Id> {
        self.next(1).next().map(|command| command.id)
    }

    /// Gives the verdict on the first command that has none. The last verdict of an errand sends its answer.
    pub(super) fn answer(&mut self, verdict: Verdict) {
        let Some(item) = self.todo.pop_front() else { return };
        let Some(first) = self.errands.front_mut() else { return };
        first.verdicts.push((item.place, verdict));
        first.left = first.left.saturating_sub(1);
        if first.left == 0
            && let Some(Open { errand, verdicts, .. }) = self.errands.pop_front()
        {
            self.answered += 1;
            drop(errand.asked);
            // A caller that has gone away misses its answer; the same ID sent again gets it.
            let _caller_gone = errand.reply.send(verdicts);
        }
    }
}
