//! A [`Seat`] is the place of a clerk: whoever asks it wakes it where it can't be woken otherwise, and notes the rare states
//! that its verdicts show.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bookonce::clerk::{Condition, Port, Unavailable, Verdict, Verdicts};
use bookonce::domain::command::{Command, Operation};
use bookonce::domain::ids::Id;
use bookonce::domain::refusal::Refusal;
use bookonce::domain::stream::StreamName;
use bookonce::domain::transfer::command::TransferOperation;
use bookonce::store::CloseError;
use tokio::sync::Notify;

use crate::executor::Owner;
use crate::world::World;

/// A `Seat` is a clerk in one life of an instance. It is cheap to clone.
#[derive(Clone)]
pub struct Seat(Arc<Inner>);

struct Inner {
    world: World,
    owner: Owner,
    born: Duration,
    clerk: Box<dyn Port>,
    called: Arc<Notify>,
}

impl Seat {
    /// Seats a clerk. A caller wakes it by the notice, once it has the job.
    pub fn new(world: &World, owner: Owner, clerk: Box<dyn Port>, called: Arc<Notify>) -> Self {
        let (world, born) = (world.clone(), world.time());
        Self(Arc::new(Inner { world, owner, born, clerk, called }))
    }

    /// Returns the condition of the clerk.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.0.clerk.condition()
    }

    /// Notes who claims a payout, and when.
    fn note_claims(&self, commands: &[Command]) {
        for command in commands {
            if let (Operation::Transfer(TransferOperation::Send(_)), Some(transfer)) =
                (&command.operation, command.stream.transfer())
                && self.0.world.claims(transfer, self.0.owner)
            {
                self.0.world.mark("payout: two claims in one microsecond");
            }
        }
    }

    /// Notes what a verdict shows.
    fn note(&self, command: &Command, verdict: &Verdict) {
        let world = &self.0.world;
        match (&command.operation, verdict) {
            (Operation::Expire(hold), verdict) => {
                let booked = matches!(verdict, Verdict::Booked(..) | Verdict::Seen(..));
                world.step("expiry", format!("{hold} by {}: {booked}", self.0.owner));
                if booked {
                    world.mark("expiry by a timer");
                    if world.time().saturating_sub(self.0.born) < Duration::from_secs(2) && self.0.owner > 32
                    {
                        world.mark("expiry soon after a start");
                    }
                } else if matches!(verdict, Verdict::Refused(Refusal::NotDue)) {
                    world.is_late(*hold, self.0.owner);
                }
            }
            (Operation::Transfer(TransferOperation::TimeOut), Verdict::Refused(_)) => {
                world.mark("timeout after a cancel or an end");
            }
            (
                Operation::RuleOut(_) | Operation::Release(_),
                Verdict::Unavailable(Unavailable::StorageFull),
            ) if matches!(command.id, Id::Step { .. }) => world.mark("disk full while stopping"),
            _ => {}
        }
    }
}

impl Port for Seat {
    fn rule(&self, commands: Arc<[Command]>) -> Verdicts<'_> {
        let asked = Arc::clone(&commands);
        self.note_claims(&commands);
        let mut ruling = self.0.clerk.rule(commands);
        Box::pin(async move {
            let ruled = std::future::poll_fn(|cx| {
                let polled = ruling.as_mut().poll(cx);
                if polled.is_pending() {
                    self.0.called.notify_one();
                }
                polled
            })
            .await;
            match &ruled {
                Ok(verdicts) => {
                    asked.iter().zip(verdicts).for_each(|(command, verdict)| self.note(command, verdict));
                }
                Err(why) => {
                    let all = Verdict::Unavailable(*why);
                    asked.iter().for_each(|command| self.note(command, &all));
                }
            }
            ruled
        })
    }

    fn answered(&self) -> u64 {
        self.0.clerk.answered()
    }

    fn spread(&self) -> Duration {
        self.0.clerk.spread()
    }

    fn is_unresolved(&self, id: Id) -> bool {
        self.0.clerk.is_unresolved(id)
    }

    fn readable(&self) -> Result<(), Unavailable> {
        self.0.clerk.readable()
    }

    fn stream_readable(&self, stream: &StreamName) -> Result<(), Unavailable> {
        self.0.clerk.stream_readable(stream)
    }

    fn damaged(&self, limit: usize) -> Vec<StreamName> {
        self.0.clerk.damaged(limit)
    }

    fn cause(&self) -> Option<String> {
        self.0.clerk.cause()
    }

    fn condition(&self) -> Condition {
        self.0.clerk.condition()
    }

    fn seen_at(&self) -> Option<Instant> {
        self.0.clerk.seen_at()
    }

    fn is_alone(&self) -> bool {
        self.0.clerk.is_alone()
    }

    fn stop(&self) {
        self.0.clerk.stop();
    }

    fn close(&self) -> Result<(), CloseError> {
        self.0.clerk.close()
    }
}
