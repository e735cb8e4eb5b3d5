//! The queue in front of the clerk's thread has the jobs, and the counts of what waits.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::clerk::commits::Commits;
use crate::clerk::port::{Limits, OWN_JOBS, is_own};
use crate::clerk::rule::Ruling;
use crate::clerk::unreadable::Unreadable;
use crate::clerk::verdict::Unavailable;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::ids::Id;
use crate::store::Position;

/// `Rulings` are the rulings on a job's commands, in order, and a position at or before which all that they rest on is
/// durable.
pub(super) type Rulings = (Vec<Ruling>, Position);

/// A `Reply` is the channel on which a caller waits for the rulings on its job.
pub(super) type Reply = oneshot::Sender<Result<Rulings, Unavailable>>;

/// A `Job` is a job: commands that came together, and the channel on which their caller waits for the rulings.
pub(super) struct Job {
    pub(super) commands: Arc<[Command]>,
    pub(super) reply: Reply,
}

/// A job of more commands than this is a long one.
const LONG: usize = 64;

/// Says whether a job is a long one, which has several turns.
pub(super) fn is_long(commands: &[Command]) -> bool {
    commands.len() > LONG
}

pub(super) enum Message {
    Job(Job),
    Stop,
}

/// The counts of what is waiting and of what was done, and the flags that the handle and the clerk's thread share.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) jobs: AtomicUsize,
    /// This is how many commands of short jobs wait.
    short: AtomicUsize,
    /// This is how many commands of long jobs wait. They are counted apart, so that batches, which have to rest, keep no single
    /// command out.
    long: AtomicUsize,
    /// This is how many of the jobs are the service's own.
    pub(super) own_jobs: AtomicUsize,
    pub(super) stopping: AtomicBool,
    /// The reason why no job is ruled on any more, if there is one.
    pub(super) trouble: parking_lot::Mutex<Option<Unavailable>>,
    pub(super) unreadable: Unreadable,
    /// These are the IDs of the events of an append whose outcome nobody knows. A restart reads back what is there.
    pub(super) unresolved: parking_lot::Mutex<HashSet<Id>>,
    pub(super) commits: Commits,
}

impl Waiting {
    /// Says whether one more job must not wait.
    pub(super) fn is_full_for(&self, commands: &[Command], limits: Limits) -> bool {
        let own = self.own_jobs.load(Ordering::Relaxed);
        if is_own(commands) {
            return own >= OWN_JOBS;
        }
        self.jobs.load(Ordering::Relaxed).saturating_sub(own) >= limits.jobs
            || self.commands_like(commands).load(Ordering::Relaxed) >= limits.commands
    }

    /// Returns the count of the commands that wait in jobs like this one.
    fn commands_like(&self, commands: &[Command]) -> &AtomicUsize {
        if is_long(commands) { &self.long } else { &self.short }
    }

    /// Counts a job that waits. Returns how many waited before it.
    pub(super) fn count_in(&self, commands: &[Command]) -> usize {
        if is_own(commands) {
            self.own_jobs.fetch_add(1, Ordering::Relaxed);
        } else {
            self.commands_like(commands).fetch_add(commands.len(), Ordering::Relaxed);
        }
        self.jobs.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a job that waits no more.
    pub(super) fn count_out(&self, commands: &[Command]) {
        if is_own(commands) {
            self.own_jobs.fetch_sub(1, Ordering::Relaxed);
        } else {
            self.commands_like(commands).fetch_sub(commands.len(), Ordering::Relaxed);
        }
        self.jobs.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes that nobody knows whether these events are in the store.
    pub(super) fn leave_unresolved(&self, events: &[Arc<Event>]) {
        let ids = events.iter().map(|event| event.id).filter(|id| !id.is_absent());
        self.unresolved.lock().extend(ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::domain::command::Operation;
    use crate::domain::ids::{AccountName, Step, TransactionId};
    use crate::domain::metadata::{Origin, SERVICE};
    use crate::domain::stream::StreamName;

    fn job(step: Option<Step>) -> [Command; 1] {
        let of = TransactionId::from_uuid(uuid::Uuid::from_u128(1)).unwrap();
        [Command {
            id: step.map_or(Id::Client(of), |step| Id::first_of(of, step)),
            stream: StreamName::Account(AccountName::parse("alice").unwrap()),
            operation: Operation::Expire(of),
            origin: Origin { correlation: None, causation: None, actor: SERVICE.into() },
        }]
    }

    /// Guards against: clients that keep the steps of transfers out, and steps that keep clients out.
    #[test]
    fn the_services_own_jobs_and_those_of_clients_have_room_apart() {
        let (waiting, limits) = (Waiting::default(), Limits { jobs: 2, commands: 10 });
        let (client, own) = (job(None), job(Some(Step::Hold)));
        assert_eq!([waiting.count_in(&client), waiting.count_in(&client)], [0, 1]);
        assert!(waiting.is_full_for(&client, limits) && !waiting.is_full_for(&own, limits));
        for _ in 0..OWN_JOBS {
            assert!(!waiting.is_full_for(&own, limits));
            waiting.count_in(&own);
        }
        assert!(waiting.is_full_for(&own, limits));
        waiting.count_out(&client);
        assert!(!waiting.is_full_for(&client, limits), "steps take no room of clients");
        waiting.count_out(&own);
        assert!(!waiting.is_full_for(&own, limits));
    }
    /// Guards against: batches that wait, and have to rest, while every single command is refused as too much.
    #[test]
    fn batches_keep_no_single_command_out() {
        let (waiting, limits) = (Waiting::default(), Limits { jobs: 10, commands: 100 });
        let (single, batch) = (job(None).to_vec(), vec![job(None).to_vec(); 100].concat());
        waiting.count_in(&batch);
        assert!(waiting.is_full_for(&batch, limits) && !waiting.is_full_for(&single, limits));
        waiting.count_out(&batch);
        assert!(!waiting.is_full_for(&batch, limits));
    }
}
