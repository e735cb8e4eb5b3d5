//! What comes to a stream's task: commands that came together, their verdicts so far, and who waits for them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::clerk::verdict::{Unavailable, Verdict};
use crate::domain::command::Command;
use crate::domain::ids::Id;

use super::admission::Admitted;
use super::reserved_ids::ReservedIds;

/// Verdicts, each with the place of its command among those that came together.
pub(super) type Verdicts = Vec<(usize, Verdict)>;

/// The commands of one caller for one stream.
pub(super) struct Errand {
    pub(super) asked: Asked,
    pub(super) reply: oneshot::Sender<Verdicts>,
}

/// What is asked. The IDs that its commands have reserved, and its place in the queue, are given back when it is dropped:
/// before its answer is sent, or when its task comes to nothing.
pub(super) struct Asked {
    pub(super) reserved: Arc<ReservedIds>,
    pub(super) commands: Arc<[Command]>,
    /// Which of them are for this stream.
    pub(super) at: Vec<usize>,
    pub(super) _admitted: Arc<Admitted>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let commands = self.at.iter().filter_map(|place| self.commands.get(*place));
        commands.for_each(|command| self.reserved.release(command.id));
    }
}

/// What a task is told.
pub(super) enum Message {
    /// Commands to rule on.
    Errand(Errand),
    /// What is known of the stream may be wrong: read it anew.
    LookAgain,
}

impl Message {
    /// Answers what it asks, if it asks anything.
    pub(super) fn refuse(self, why: Unavailable) {
        let Self::Errand(errand) = self else { return };
        let mut work = Work::default();
        work.add(errand);
        while !work.is_done() {
            work.answer(Verdict::Unavailable(why));
        }
    }
}

/// A command that waits: of which errand, and its place there.
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
    /// Those that are not answered yet, in order: the verdicts are given in the same.
    errands: VecDeque<Open>,
    /// How many were answered before them. Nothing of those is kept: on a busy stream there is always more.
    answered: usize,
    /// What has no verdict yet, in order.
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

    /// How many commands have no verdict yet.
    pub(super) fn left(&self) -> usize {
        self.todo.len()
    }

    pub(super) fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    /// The commands that come next, at most so many.
    pub(super) fn next(&self, limit: usize) -> impl Iterator<Item = &Command> + Clone {
        let command = |item: &Item| {
            let open = self.errands.get(item.errand.checked_sub(self.answered)?)?;
            open.errand.asked.commands.get(item.place)
        };
        self.todo.iter().take(limit).filter_map(command)
    }

    /// The ID of the command that comes next.
    pub(super) fn next_id(&self) -> Option<Id> {
        self.next(1).next().map(|command| command.id)
    }

    /// Gives the first command's verdict, and takes it out.
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
            // A caller that has gone away misses its answer; its ID keeps it.
            let _caller_gone = errand.reply.send(verdicts);
        }
    }
}
