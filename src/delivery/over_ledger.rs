//! The port over the ledger: what a delivery reads and records goes through the handle that everybody uses.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::domain::command::Command;
use crate::domain::decide::Refusal;
use crate::domain::delivery::Destination;
use crate::domain::delivery::asking;
use crate::domain::delivery::decide::{DeliveryOperation, Refused};
use crate::domain::delivery::event::DeliveryEvent;
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::terms::Terms;
use crate::domain::letter::DeadLettered;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::ledger::{Follower, Ledger, Placed, ReadError, Unavailable, Verdict};

use super::chunk::Chunk;
use super::message::Message;
use super::port::{Chooses, NotRecorded, Port, Sets, Tail, Unreadable};

impl From<ReadError> for Unreadable {
    fn from(error: ReadError) -> Self {
        Self(Box::new(error))
    }
}

impl From<Unavailable> for NotRecorded {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(Box::new(why))
    }
}

impl Port for Ledger {
    fn journal(&self) -> Uuid {
        Self::head(self).journal_id
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn seen_at(&self) -> Option<Instant> {
        Self::seen_at(self)
    }

    fn head(&self) -> u64 {
        Self::head(self).position
    }

    fn count(&self, after: u64, to: u64, chooses: Chooses) -> BoxFuture<'_, Result<u64, Unreadable>> {
        Box::pin(async move {
            let after = self.at_or_before(after).await?;
            Ok(self.count_lines(after, to, chooses).await?)
        })
    }

    fn own_for_messages(&self, fresh: Uuid) -> BoxFuture<'_, Result<Option<Uuid>, Unreadable>> {
        Box::pin(async move { Ok(Self::own_for_messages(self, fresh).await?) })
    }

    fn follow(&self, after: u64) -> Box<dyn Tail> {
        Box::new(FromNearest { ledger: self.clone(), after, follower: None })
    }

    fn line(&self, position: u64) -> BoxFuture<'_, Result<Vec<u8>, Unreadable>> {
        Box::pin(async move {
            let mut line = Self::line(self, position).await?;
            line.truncate(line.trim_ascii_end().len());
            Ok(line)
        })
    }

    fn lines_of<'a>(
        &'a self,
        stream: &'a StreamName,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, Unreadable>> {
        Box::pin(async move { Ok(Self::lines_of(self, stream, after, limit).await?) })
    }

    fn destinations(&self) -> BoxFuture<'_, Result<Vec<(DestinationName, Destination)>, Unreadable>> {
        Box::pin(async move { Ok(Self::destinations(self).await?) })
    }

    fn destination<'a>(
        &'a self,
        name: &'a DestinationName,
    ) -> BoxFuture<'a, Result<Option<Destination>, Unreadable>> {
        Box::pin(async move { Ok(Self::destination(self, name).await?) })
    }

    fn sets<'a>(&'a self, name: &'a DestinationName) -> BoxFuture<'a, Result<Sets, Unreadable>> {
        Box::pin(async move {
            let sets = self.destination_sets(name).await?;
            Ok(sets.iter().filter_map(terms_of).collect())
        })
    }

    fn record<'a>(
        &'a self,
        name: &'a DestinationName,
        asked: &'a DeliveryOperation,
    ) -> BoxFuture<'a, Result<(), NotRecorded>> {
        Box::pin(async move {
            match ruled(self, asking::record(name, asked.clone())).await? {
                None => Ok(()),
                Some(Refusal::Destination(refused)) => Err(NotRecorded::Refused(refused)),
                Some(_) => Err(NotRecorded::Refused(Refused::Stale)),
            }
        })
    }

    fn bury<'a>(&'a self, letter: DeadLettered, of: &'a Message) -> BoxFuture<'a, Result<(), NotRecorded>> {
        Box::pin(async move {
            let command = asking::give_up(letter, &of.correlation, of.event_id());
            match ruled(self, command).await? {
                None | Some(Refusal::LetterExists) => Ok(()),
                Some(_) => Err(NotRecorded::Refused(Refused::Stale)),
            }
        })
    }
}

/// Asks the ledger to record something of the service's own. Returns why it is refused; `None` where it is durable.
async fn ruled(ledger: &Ledger, command: Command) -> Result<Option<Refusal>, NotRecorded> {
    match ledger.execute([command]).await?.pop() {
        Some(Verdict::Booked(..) | Verdict::Replayed(..)) => Ok(None),
        Some(Verdict::Refused(refusal)) => Ok(Some(refusal)),
        Some(Verdict::Unavailable(why)) => Err(why.into()),
        Some(Verdict::Reused { .. }) | None => Err(NotRecorded::Refused(Refused::Stale)),
    }
}

fn terms_of(placed: &Placed) -> Option<(u64, Arc<Terms>)> {
    match placed.event.delivery() {
        Some(DeliveryEvent::Set { terms, .. }) => Some((placed.position, Arc::clone(terms))),
        Some(
            DeliveryEvent::Paused { .. }
            | DeliveryEvent::Resumed(_)
            | DeliveryEvent::Removed { .. }
            | DeliveryEvent::Taken { .. }
            | DeliveryEvent::Challenged { .. }
            | DeliveryEvent::Confirmed { .. }
            | DeliveryEvent::Released { .. }
            | DeliveryEvent::Tested { .. }
            | DeliveryEvent::Claimed { .. }
            | DeliveryEvent::Progressed(_),
        )
        | None => None,
    }
}

/// `FromNearest` follows the journal from after a position at which no event may be: those of an event store have gaps, and a
/// checkpoint stands right before the first message that is not settled.
struct FromNearest {
    ledger: Ledger,
    after: u64,
    follower: Option<Follower>,
}

impl Tail for FromNearest {
    fn next(&mut self) -> BoxFuture<'_, Result<Chunk, Unreadable>> {
        Box::pin(async move {
            let follower = match &mut self.follower {
                Some(follower) => follower,
                none @ None => {
                    let after = self.ledger.at_or_before(self.after).await?;
                    none.insert(self.ledger.follow(after))
                }
            };
            Ok(Chunk::new(follower.next().await?.bytes))
        })
    }
}
