//! [`Clerk`] is the callers' end of the shared clerk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::clerk::port::{Condition, Limits, Port, Verdicts};
use crate::clerk::verdict::{Unavailable, Verdict};
use crate::domain::command::Command;
use crate::domain::ids::Id;
use crate::domain::stream::StreamName;
use crate::domain::time::Clock;
use crate::index::{Index, IndexError};
use crate::store::eventstoredb::Store;
use crate::store::{CloseError, Head, Position};
use crate::tasks::Runtime;

use super::admission::Admitted;
use super::common::{BeginsAfter, Common, Waits};
use super::dispatch;
use super::follower::Follower;
use super::inbox::{Asked, Errand, Message};

/// This is the most booked IDs that the index may not know yet.
const MOST_BEHIND: usize = 262_144;

/// This text says why an index that lacks events is not ready.
const LACKS: &str = "The store lacks events, and nobody knows which IDs they booked. \
                     `bookonce rebuild --accept-missing` builds an index that goes on without them.";

/// An `Office` is everything that the clerk works with.
pub struct Office {
    /// This is the store.
    pub store: Store,
    /// The index has what has been seen: the follower keeps it up with the store.
    pub index: Index,
    /// The clock says what time it is.
    pub clock: Clock,
    /// This is told when the last event was recorded that was in the store at the start.
    pub begins_after: BeginsAfter,
    /// This tells how far the index has come.
    pub head: watch::Sender<Head>,
    /// The limits say how much may wait.
    pub limits: Limits,
    /// The waits say how long a task waits.
    pub waits: Waits,
    /// This is true when an operator has accepted that the index lacks events.
    pub accept_missing: bool,
}

/// A `Clerk` is the shared clerk, with the follower that keeps its index up.
pub struct Clerk {
    common: Arc<Common>,
    follower: Follower,
}

impl Clerk {
    /// Starts a clerk over a store. It takes commands when the store has been reached and the index has caught up with
    /// it. It must be called inside a tokio runtime, or where an executor was entered.
    ///
    /// # Errors
    /// Fails when the index can't be read.
    pub fn start(office: Office) -> Result<Self, IndexError> {
        let Office { store, index, clock, begins_after, head, limits, waits, accept_missing } = office;
        let (checkpoint, notes) = (index.checkpoint()?, index.notes()?);
        let common = Common::new(store, index, (clock, begins_after), limits, waits, Runtime::current());
        common.seen.set_accepts_missing(accept_missing);
        let common = Arc::new(common);
        let follower = Follower::start(Arc::clone(&common), checkpoint, head, notes);
        Ok(Self { common, follower })
    }

    async fn verdicts(&self, commands: Arc<[Command]>) -> Result<Vec<Verdict>, Unavailable> {
        let admitted = Arc::new(self.admit(&commands)?);
        let mut verdicts: Vec<Option<Verdict>> = Vec::new();
        verdicts.resize_with(commands.len(), || None);
        // In the order of the streams' names, so that the same job is always passed on in the same order.
        let mut groups: BTreeMap<&StreamName, Vec<usize>> = BTreeMap::new();
        for (place, (command, verdict)) in commands.iter().zip(&mut verdicts).enumerate() {
            if self.common.reserved.reserve(command.id, &command.stream) {
                groups.entry(&command.stream).or_default().push(place);
            } else {
                *verdict = Some(Verdict::Unavailable(Unavailable::InProgress));
            }
        }
        let mut replies = Vec::with_capacity(groups.len());
        for (stream, at) in groups {
            let (reply, answers) = oneshot::channel();
            let (reserved, commands) = (Arc::clone(&self.common.reserved), Arc::clone(&commands));
            let asked = Asked { reserved, commands, at, _admitted: Arc::clone(&admitted) };
            dispatch::send(&self.common, stream, Message::Errand(Errand { asked, reply }));
            replies.push(answers);
        }
        for answers in replies {
            // A task may have panicked: what it appended is found by a retry.
            for (place, answer) in answers.await.unwrap_or_default() {
                if let Some(verdict) = verdicts.get_mut(place) {
                    *verdict = Some(answer);
                }
            }
        }
        let unknown = || Verdict::Unavailable(Unavailable::OutcomeUnknown);
        Ok(verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(unknown)).collect())
    }

    fn admit(&self, commands: &Arc<[Command]>) -> Result<Admitted, Unavailable> {
        let common = &self.common;
        if common.stopping.load(Ordering::Acquire) {
            return Err(Unavailable::Stopping);
        }
        if common.damage.is_whole() || common.index.failure().is_some() {
            return Err(Unavailable::StoreDamaged);
        }
        if !common.is_ready() {
            return Err(Unavailable::StoreUnavailable);
        }
        if common.reserved.not_indexed() >= MOST_BEHIND {
            return Err(Unavailable::Overloaded);
        }
        common.admission.admit(commands).ok_or(Unavailable::Overloaded)
    }
}

impl Port for Clerk {
    fn rule(&self, commands: Arc<[Command]>) -> Verdicts<'_> {
        Box::pin(self.verdicts(commands))
    }

    fn answered(&self) -> Position {
        self.common.answered()
    }

    fn spread(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn is_unresolved(&self, id: Id) -> bool {
        self.common.reserved.is_unresolved(id)
    }

    fn is_alone(&self) -> bool {
        false
    }

    fn seen_at(&self) -> Option<Instant> {
        self.common.seen.seen_at()
    }

    fn readable(&self) -> Result<(), Unavailable> {
        if self.common.damage.is_whole() {
            return Err(Unavailable::StoreDamaged);
        }
        if self.common.is_ready() { Ok(()) } else { Err(Unavailable::StoreUnavailable) }
    }

    fn stream_readable(&self, stream: &StreamName) -> Result<(), Unavailable> {
        if self.common.damage.has(stream) { Err(Unavailable::StoreDamaged) } else { Ok(()) }
    }

    fn damaged(&self, limit: usize) -> Vec<StreamName> {
        self.common.damage.streams(limit)
    }

    fn cause(&self) -> Option<String> {
        let seen = &self.common.seen;
        self.common.damage.why_whole().or_else(|| seen.lacking()).or_else(|| seen.cause())
    }

    fn condition(&self) -> Condition {
        let common = &self.common;
        let lag = common.seen.lag();
        let (reason, kind) = if common.damage.is_whole() {
            let reason = "The store is not the one that the index was made of; a rebuild must be ordered.";
            (Some(reason), Some("other_store"))
        } else if common.seen.is_outdated() || !(self.follower.is_connected() || common.seen.is_catching_up())
        {
            match common.seen.trouble_kind() {
                "upgrade" => (Some("A newer version of bookonce writes to the store."), Some("upgrade")),
                kind => (Some("The store can't be followed."), Some(kind)),
            }
        } else if !common.is_ready() {
            (Some("The index is catching up with the store."), Some("catching_up"))
        } else if common.seen.lacks_events() {
            (Some(LACKS), Some("missing_events"))
        } else if !common.seen.sees() {
            (Some("The index does not show what is in the store."), Some("not_seen"))
        } else {
            (None, None)
        };
        Condition {
            reason,
            kind,
            waiting: common.admission.jobs(),
            done: common.done(),
            lag_events: lag.events,
            lag: lag.time,
            unreadable: common.unreadable.count(),
            unresolved: common.unresolved_count(),
            in_use: common.tasks.lock().len(),
            damaged: common.damage.count(),
            missing_events: common.seen.missing().values().sum(),
            booked_twice: self.follower.twice(),
        }
    }

    fn stop(&self) {
        self.common.stop();
        self.follower.stop();
    }

    fn close(&self) -> Result<(), CloseError> {
        self.common.stop();
        self.follower.close();
        Ok(())
    }
}
