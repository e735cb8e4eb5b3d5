//! The room is the counts of what waits for a clerk. It says whether one more job is taken, and which jobs are long.
//!
//! Three kinds of commands are counted apart, so that none of them keeps another one out: the service's own, those of short
//! jobs and those of long ones, which may have to rest. Counting costs two atomic additions for a job.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::command::Command;

use super::port::{Limits, OWN_JOBS, is_own};

/// A job of more commands than this is a long one.
const LONG: usize = 64;

/// Says whether a job is a long one, which has several turns.
pub(super) fn is_long(commands: &[Command]) -> bool {
    commands.len() > LONG
}

/// The `Room` is how much waits.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// This is how many jobs wait.
    jobs: AtomicUsize,
    /// This is how many of the jobs are the service's own.
    own_jobs: AtomicUsize,
    /// This is how many commands of short jobs wait.
    short: AtomicUsize,
    /// This is how many commands of long jobs wait. They are counted apart, so that batches, which have to rest, keep no single
    /// command out.
    long: AtomicUsize,
}

impl Room {
    /// Returns how many jobs wait.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.load(Ordering::Relaxed)
    }

    /// Says whether commands of short jobs wait.
    pub(super) fn has_short(&self) -> bool {
        self.short.load(Ordering::Relaxed) > 0
    }

    /// Says whether one more job must not wait.
    pub(super) fn is_full_for(&self, commands: &[Command], limits: Limits) -> bool {
        let own = self.own_jobs.load(Ordering::Relaxed);
        if is_own(commands) {
            return own >= OWN_JOBS;
        }
        self.jobs().saturating_sub(own) >= limits.jobs
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
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::domain::command::Operation;
    use crate::domain::ids::{AccountName, Id, Step, TransactionId};
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
        let (room, limits) = (Room::default(), Limits { jobs: 2, commands: 10 });
        let (client, own) = (job(None), job(Some(Step::Hold)));
        assert_eq!([room.count_in(&client), room.count_in(&client)], [0, 1]);
        assert!(room.is_full_for(&client, limits) && !room.is_full_for(&own, limits));
        for _ in 0..OWN_JOBS {
            assert!(!room.is_full_for(&own, limits));
            room.count_in(&own);
        }
        assert!(room.is_full_for(&own, limits));
        room.count_out(&client);
        assert!(!room.is_full_for(&client, limits), "steps take no room of clients");
        room.count_out(&own);
        assert!(!room.is_full_for(&own, limits));
    }

    /// Guards against: batches that wait, and have to rest, while every single command is refused as too much.
    #[test]
    fn batches_keep_no_single_command_out() {
        let (room, limits) = (Room::default(), Limits { jobs: 10, commands: 100 });
        let (single, batch) = (job(None).to_vec(), vec![job(None).to_vec(); 100].concat());
        room.count_in(&batch);
        assert!(room.is_full_for(&batch, limits) && !room.is_full_for(&single, limits));
        room.count_out(&batch);
        assert!(!room.is_full_for(&batch, limits));
    }
}
