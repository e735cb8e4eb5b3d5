//! The queue in front of the clerk's thread has the jobs, and the counts of what waits.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::oneshot;

use crate::clerk::commits::Commits;
use crate::clerk::room::Room;
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

pub(super) enum Message {
    Job(Job),
    Stop,
}

/// The counts of what is waiting and of what was done, and the flags that the handle and the clerk's thread share.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// This is how much waits.
    pub(super) room: Room,
    pub(super) stopping: AtomicBool,
    /// The reason why no job is ruled on any more, if there is one.
    pub(super) trouble: parking_lot::Mutex<Option<Unavailable>>,
    pub(super) unreadable: Unreadable,
    /// These are the IDs of the events of an append whose outcome nobody knows. A restart reads back what is there.
    pub(super) unresolved: parking_lot::Mutex<HashSet<Id>>,
    pub(super) commits: Commits,
}

impl Waiting {
    /// Notes that nobody knows whether these events are in the store.
    pub(super) fn leave_unresolved(&self, events: &[Arc<Event>]) {
        let ids = events.iter().map(|event| event.id).filter(|id| !id.is_absent());
        self.unresolved.lock().extend(ids);
    }
}
