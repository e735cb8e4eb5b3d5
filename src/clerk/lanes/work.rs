//! What lies on a lane's desk: commands that came together, their verdicts so far, and who waits for them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::domain::command::Command;
use crate::domain::ids::TransactionId;
use crate::ledger::Verdict;

/// Verdicts, each with the place of its command among those that came together.
pub(super) type Verdicts = Vec<(usize, Verdict)>;

/// The commands of one caller for one account.
pub(super) struct Errand {
    pub(super) commands: Arc<[Command]>,
    /// Which of them are for this account.
    pub(super) at: Vec<usize>,
    pub(super) reply: oneshot::Sender<Verdicts>,
}

/// A command on the desk: of which errand, and its place there.
#[derive(Clone, Copy, Debug)]
struct Item {
    errand: usize,
    place: usize,
}

struct Open {
    commands: Arc<[Command]>,
    left: usize,
    verdicts: Verdicts,
    reply: Option<oneshot::Sender<Verdicts>>,
}

#[derive(Default)]
pub(super) struct Work {
    errands: Vec<Open>,
    /// What has no verdict yet, in order.
    todo: VecDeque<Item>,
}

impl Work {
    pub(super) fn add(&mut self, errand: Errand) {
        let number = self.errands.len();
        self.todo.extend(errand.at.iter().map(|place| Item { errand: number, place: *place }));
        self.errands.push(Open {
            commands: errand.commands,
            left: errand.at.len(),
            verdicts: Vec::with_capacity(errand.at.len()),
            reply: Some(errand.reply),
        });
    }

    /// How many commands have no verdict yet.
    pub(super) fn left(&self) -> usize {
        self.todo.len()
    }

    pub(super) fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    /// The commands that come next, at most so many.
    pub(super) fn next(&self, limit: usize) -> impl Iterator<Item = &Command> {
        let command = |item: &Item| self.errands.get(item.errand)?.commands.get(item.place);
        self.todo.iter().take(limit).filter_map(command)
    }

    /// The ID of the command that comes next.
    pub(super) fn next_id(&self) -> Option<TransactionId> {
        self.next(1).next().map(|command| command.transaction_id)
    }

    /// Gives the first command's verdict, and takes it off the desk.
    pub(super) fn answer(&mut self, verdict: Verdict) {
        let Some(item) = self.todo.pop_front() else { return };
        let Some(errand) = self.errands.get_mut(item.errand) else { return };
        errand.verdicts.push((item.place, verdict));
        errand.left = errand.left.saturating_sub(1);
        if errand.left == 0
            && let Some(reply) = errand.reply.take()
        {
            // A caller that has gone away misses its answer; its ID keeps it.
            let _caller_gone = reply.send(std::mem::take(&mut errand.verdicts));
        }
    }
}
