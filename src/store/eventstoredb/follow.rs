//! Following `$all` from a position on. A subscription that ends, for whatever reason, is not taken up again here: the
//! crate's own way of doing so is not asked for, and the caller alone knows what it has seen.

use eventstore::{Position, StreamPosition, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::connection::is_over;
use super::crate_traps::endless::interruptible;
use super::read::recorded;
use super::{Error, METADATA, Recorded, Store};
use crate::domain::stream::StreamName;

/// How many messages may wait to be taken. A node drops a subscriber behind whom 32 wait *with it*, so they wait here.
const MOST_WAITING: usize = 4_096;

/// What a subscription says. What it says of how far it has looked is left out: nodes have said 2^64-1, the same place again
/// and again, and the place of an event that came only later. Whoever goes on goes on from the last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// An event of an account's stream, or of such a stream's metadata.
    Event(Recorded),
    /// What was there when it began has been seen; from now on it is live.
    CaughtUp,
}

/// A subscription. Ends when it is dropped.
#[derive(Debug)]
pub struct Follow {
    arrived: mpsc::Receiver<Result<Followed, Error>>,
    pump: AbortHandle,
    over: Option<Error>,
}

impl Store {
    /// Follows `$all` from after a position (`None`: from its start), the ledger's streams and their metadata alone.
    ///
    /// # Errors
    /// When there is no connection. What is wrong with the subscription itself is said by [`Follow::next`].
    pub async fn follow(&self, after: Option<u64>) -> Result<Follow, Error> {
        let live = self.0.any.live().await?;
        let from = after.map_or(StreamPosition::Start, |after| {
            StreamPosition::Position(Position { commit: after, prepare: after })
        });
        let mut options = SubscribeToAllOptions::default().position(from).filter(filter());
        if let Some(credentials) = &self.0.credentials {
            options = options.authenticated(credentials.clone());
        }
        let mut subscription = live.client.subscribe_to_all(&options).await;
        let (arrives, arrived) = mpsc::channel(MOST_WAITING);
        let store = self.clone();
        // The crate's own future forgets the subscription when it is dropped half-way, so it runs in a task that nobody
        // cancels but to end it.
        let pump = tokio::spawn(interruptible(async move {
            let mut doubt = Doubt(Some(store.clone()));
            loop {
                let next = match subscription.next_subscription_event().await {
                    Ok(SubscriptionEvent::EventAppeared(event)) => recorded(event).map(Followed::Event),
                    Ok(SubscriptionEvent::CaughtUp) => Ok(Followed::CaughtUp),
                    Ok(_) => continue,
                    Err(error) => {
                        if is_over(&error) {
                            store.0.any.give_up(&live);
                        } else {
                            doubt.0 = None;
                        }
                        Err(as_end(error.into()))
                    }
                };
                let over = next.is_err();
                if arrives.send(next).await.is_err() || over {
                    return;
                }
            }
        }));
        Ok(Follow { arrived, pump: pump.abort_handle(), over: None })
    }
}

/// What ends a subscription may have ended the node, which comes back as another, perhaps. Only what the node itself says
/// of the subscription, and goes on, does not.
struct Doubt(Option<Store>);

impl Drop for Doubt {
    fn drop(&mut self) {
        if let Some(store) = &self.0 {
            store.doubt();
        }
    }
}

impl Follow {
    /// The next. May be cancelled: nothing is lost.
    ///
    /// # Errors
    /// When the subscription is over. Follow again after the last position seen.
    pub async fn next(&mut self) -> Result<Followed, Error> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let next = self.arrived.recv().await.unwrap_or_else(|| Err(ended()));
        self.over = next.as_ref().err().cloned();
        next
    }

    /// The next, and what else has already arrived, at most `limit` together: never none, unless `limit` is 0. May be
    /// cancelled: nothing is lost.
    ///
    /// # Errors
    /// As [`Follow::next`], after all that came before it was given out.
    pub async fn next_many(&mut self, limit: usize) -> Result<Vec<Followed>, Error> {
        let mut many = Vec::new();
        if limit > 0 {
            many.push(self.next().await?);
        }
        while many.len() < limit {
            match self.arrived.try_recv() {
                Ok(Ok(next)) => many.push(next),
                Ok(Err(over)) => {
                    self.over = Some(over);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(many)
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// What ends a subscription: a node that can't be reached has only dropped it, and everything else stays what it is.
fn as_end(error: Error) -> Error {
    match error {
        Error::Unreachable(why) => Error::Dropped(why),
        Error::Settings(_)
        | Error::Deleted
        | Error::Denied
        | Error::TooLarge
        | Error::Damaged(_)
        | Error::NoSuchPosition(_)
        | Error::Newer(_)
        | Error::Dropped(_) => error,
    }
}

fn ended() -> Error {
    Error::Dropped("it ended without a word".to_owned())
}

/// Only the ledger's streams, and what is said about them.
fn filter() -> SubscriptionFilter {
    StreamName::PREFIXES.into_iter().fold(SubscriptionFilter::on_stream_name(), |filter, prefix| {
        filter.add_prefix(prefix).add_prefix(format!("{METADATA}{prefix}"))
    })
}
