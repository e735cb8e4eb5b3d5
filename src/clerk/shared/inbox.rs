//! The inbox of a stream's task holds the commands that came, their verdicts so far, and the callers that wait for them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::clerk::room::is_long;
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

/// The `Work` is what a task has to do. Commands of short jobs come before those of long ones; among each, who came first is
/// first.
#[derive(Default)]
pub(super) struct Work {
    short: Lane,
    long: Lane,
    /// This is how many commands of long jobs may be decided now.
    long_now: usize,
}

/// A `Lane` has errands that are not answered yet, in the order in which they came. The verdicts are given in the same
/// order.
#[derive(Default)]
struct Lane {
    errands: VecDeque<Open>,
    /// This is the number of errands that were answered before these. Nothing else is kept of them, because on a busy
    /// stream this list is never empty.
    answered: usize,
    /// These are the commands that have no verdict yet, in order.
    todo: VecDeque<Item>,
}

impl Work {
    pub(super) fn add(&mut self, errand: Errand) {
        if is_long(&errand.asked.commands) { self.long.add(errand) } else { self.short.add(errand) }
    }

    /// Returns the number of commands that have no verdict yet.
    pub(super) fn left(&self) -> usize {
        self.short.todo.len() + self.long.todo.len()
    }

    /// Returns the number of commands of short jobs that have no verdict yet.
    pub(super) fn left_short(&self) -> usize {
        self.short.todo.len()
    }

    /// Returns the number of commands of long jobs that have no verdict yet.
    pub(super) fn left_long(&self) -> usize {
        self.long.todo.len()
    }

    pub(super) fn is_done(&self) -> bool {
        self.left() == 0
    }

    /// Says how many commands of long jobs may be decided now.
    pub(super) fn allow_long(&mut self, commands: usize) {
        self.long_now = commands;
    }

    /// Returns the commands that are decided next: at most `limit` of short jobs, and those of long ones that may be decided
    /// now. Where short ones are left over, there are no long ones: the verdicts are given in the same order, so that theirs
    /// would go to what is left over.
    pub(super) fn next(&self, limit: usize) -> impl Iterator<Item = &Command> + Clone {
        let long = if self.short.todo.len() > limit { 0 } else { self.long_now };
        self.short.next(limit).chain(self.long.next(long))
    }

    /// Returns the ID of the command whose verdict comes next.
    pub(super) fn next_id(&self) -> Option<Id> {
        self.short.next(1).chain(self.long.next(1)).next().map(|command| command.id)
    }

    /// Gives the verdict on the first command that has none. The last verdict of an errand sends its answer.
    pub(super) fn answer(&mut self, verdict: Verdict) {
        if self.short.todo.is_empty() { self.long.answer(verdict) } else { self.short.answer(verdict) }
    }
}

impl Lane {
    fn add(&mut self, errand: Errand) {
        let number = self.answered + self.errands.len();
        let places = &errand.asked.at;
        self.todo.extend(places.iter().map(|place| Item { errand: number, place: *place }));
        let left = places.len();
        self.errands.push_back(Open { errand, left, verdicts: Vec::with_capacity(left) });
    }

    fn next(&self, limit: usize) -> impl Iterator<Item = &Command> + Clone {
        let command = |item: &Item| {
            let open = self.errands.get(item.errand.checked_sub(self.answered)?)?;
            open.errand.asked.commands.get(item.place)
        };
        self.todo.iter().take(limit).filter_map(command)
    }

    fn answer(&mut self, verdict: Verdict) {
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::clerk::port::Limits;
    use crate::clerk::shared::admission::Admission;
    use crate::domain::command::Operation;
    use crate::domain::ids::{AccountName, TransactionId};
    use crate::domain::metadata::{Origin, SERVICE};
    use crate::domain::stream::StreamName;

    /// Makes an errand of so many commands, whose IDs begin with this number.
    fn errand(first: u128, count: u128) -> (Errand, oneshot::Receiver<Verdicts>) {
        let commands: Arc<[Command]> = (first..first + count)
            .map(|n| {
                let of = TransactionId::from_uuid(uuid::Uuid::from_u128(n)).unwrap();
                Command {
                    id: Id::Client(of),
                    stream: StreamName::Account(AccountName::parse("alice").unwrap()),
                    operation: Operation::Expire(of),
                    origin: Origin { correlation: None, causation: None, actor: SERVICE.into() },
                }
            })
            .collect();
        let admitted = Arc::new(Admission::new(Limits::default())).admit(&commands).unwrap();
        let at = (0..commands.len()).collect();
        let (reply, answer) = oneshot::channel();
        let asked = Asked { reserved: Arc::default(), commands, at, _admitted: Arc::new(admitted) };
        (Errand { asked, reply }, answer)
    }

    /// Guards against: a verdict that goes to another caller than the one whose command was decided.
    #[test]
    fn short_jobs_go_first_and_each_caller_gets_its_own_verdicts() {
        let (mut work, (long, mut to_long), (short, mut to_short)) =
            (Work::default(), errand(1_000, 100), errand(1, 2));
        work.add(long);
        work.add(short);
        work.allow_long(3);
        let next: Vec<Id> = work.next(10).map(|command| command.id).collect();
        assert_eq!(next.len(), 2 + 3);
        assert!(work.next(1).map(|command| command.id).eq(next[..1].iter().copied()), "one is left over");
        for id in next {
            assert_eq!(work.next_id(), Some(id), "they are answered in the order in which they are decided");
            work.answer(Verdict::Unavailable(Unavailable::Stopping));
        }
        assert_eq!(to_short.try_recv().unwrap().len(), 2);
        assert!(to_long.try_recv().is_err(), "97 commands have no verdict");
        assert_eq!((work.left_short(), work.left_long(), work.is_done()), (0, 97, false));
        for _ in 0..97 {
            work.answer(Verdict::Unavailable(Unavailable::Stopping));
        }
        assert_eq!(to_long.try_recv().unwrap().len(), 100);
        assert!(work.is_done());
    }
}
