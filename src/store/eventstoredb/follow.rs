//! [`Follow`] is a subscription to `$all` from a position on. When it ends, for whatever reason, it is not begun again here:
//! only the caller knows which position it has seen. The crate could begin it again by itself, and is told not to.

use eventstore::{Position, StreamPosition, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::connection::is_over;
use super::crate_traps::endless::interruptible;
use super::followed::Followed;
use super::names::METADATA;
use super::read::recorded;
use super::{Error, Store, Way};
use crate::domain::stream::StreamName;

/// This is how many messages may wait here to be taken. A node drops a subscriber for whom more than 32 messages wait
/// *at the node*.
const MOST_WAITING: usize = 4_096;

/// A `Follow` is a subscription. It ends when it is dropped.
#[derive(Debug)]
pub struct Follow {
    arrived: mpsc::Receiver<Result<Followed, Error>>,
    /// This is the task that brings the messages, where one must.
    pump: Option<AbortHandle>,
    over: Option<Error>,
}

impl Store {
    /// Follows `$all` after a position, or from its start. Only the ledger's streams and their metadata are shown.
    ///
    /// # Errors
    /// Fails when there is no connection. [`Follow::next`] says what is wrong with the subscription itself.
    pub async fn follow(&self, after: Option<u64>) -> Result<Follow, Error> {
        let links = match &self.0.way {
            Way::Links(links) => links,
            Way::Node(node) => {
                return Ok(Follow { arrived: node.follow(after).await?, pump: None, over: None });
            }
        };
        let live = links.any.live().await?;
        let from = after.map_or(StreamPosition::Start, |after| {
            StreamPosition::Position(Position { commit: after, prepare: after })
        });
        let mut options = SubscribeToAllOptions::default().position(from).filter(filter());
        if let Some(credentials) = &links.credentials {
            options = options.authenticated(credentials.clone());
        }
        let mut subscription = live.client.subscribe_to_all(&options).await;
        let (arrives, arrived) = mpsc::channel(MOST_WAITING);
        let (store, link) = (self.clone(), links.any.clone());
        // The crate's future loses the subscription when it is dropped half-way, so it runs in a task that is cancelled only
        // to end the subscription.
        let pump = tokio::spawn(interruptible(async move {
            let mut doubt = Doubt(Some(store.clone()));
            loop {
                let next = match subscription.next_subscription_event().await {
                    Ok(SubscriptionEvent::EventAppeared(event)) => recorded(event).map(Followed::Event),
                    Ok(SubscriptionEvent::CaughtUp) => Ok(Followed::CaughtUp),
                    Ok(_) => continue,
                    Err(error) => {
                        if is_over(&error) {
                            link.give_up(&live);
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
        Ok(Follow { arrived, pump: Some(pump.abort_handle()), over: None })
    }
}

/// A `Doubt` takes back the proof of the store when a subscription ends. What ended the subscription may have ended the
/// node, which may come back as another store. Only when the node itself ended the subscription, and goes on, the proof
/// stays.
struct Doubt(Option<Store>);

impl Drop for Doubt {
    fn drop(&mut self) {
        if let Some(store) = &self.0 {
            store.doubt();
        }
    }
}

impl Follow {
    /// Waits for the next message. It may be cancelled, and nothing is lost.
    ///
    /// # Errors
    /// Fails when the subscription is over. The caller may follow again, after the last position that it saw.
    pub async fn next(&mut self) -> Result<Followed, Error> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let next = self.arrived.recv().await.unwrap_or_else(|| Err(ended()));
        self.over = next.as_ref().err().cloned();
        next
    }

    /// Waits for the next message, and takes with it those that have already arrived: at most `limit` in all, and at least
    /// one unless `limit` is 0. It may be cancelled, and nothing is lost.
    ///
    /// # Errors
    /// Fails as [`Follow::next`] does, after all messages that came before.
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
        if let Some(pump) = &self.pump {
            pump.abort();
        }
    }
}

/// Turns an error into the end of a subscription: a lost connection has dropped it, and any other error stays what it is.
fn as_end(error: Error) -> Error {
    match error {
        Error::Unreachable(why) => Error::Dropped(why),
        Error::Settings(_)
        | Error::Deleted
        | Error::Denied
        | Error::Untrusted(_)
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

/// Makes the filter that lets only the ledger's streams and their metadata through.
fn filter() -> SubscriptionFilter {
    StreamName::PREFIXES.into_iter().fold(SubscriptionFilter::on_stream_name(), |filter, prefix| {
        filter.add_prefix(prefix).add_prefix(format!("{METADATA}{prefix}"))
    })
}
