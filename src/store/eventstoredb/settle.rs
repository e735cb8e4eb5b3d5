//! [`Settling`] is one append that goes on until it is known what became of it.
//!
//! A node that was asked and did not answer may still store the append later, so it proves nothing that the events can't
//! be read. The doubt ends only when the revision is occupied: the same bytes are sent again until they are acknowledged,
//! or until an event is read at their revision. A conflict proves nothing by itself: the node answers it before the other
//! event can be read, and that event may vanish with the leader that took it.

use std::time::Duration;

use crate::domain::stream::StreamName;
use crate::tasks::sleep;

use super::{Appended, Error, Proposed, Recorded, Store};

/// These are the pauses between two looks: the first one, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(500));
/// This is how long a look waits until it is known that the store is the one that it was.
const PROOF: Duration = Duration::from_secs(1);
/// This is how many times it looks for the event that caused a conflict before it sends the append again.
const LOOKS: u32 = 8;

/// A `Settled` says for certain what became of an append.
#[derive(Debug)]
pub enum Settled {
    /// Every event is stored at its own revision; the last one is at this position.
    Stored(u64),
    /// Another event is at the revision. None of these events was stored, and none ever will be.
    Overtaken,
    /// Nothing was stored, and nothing can arrive late.
    NotStored(Error),
}

/// A `Settling` is an append that is not settled yet.
#[derive(Debug)]
pub struct Settling<'a> {
    store: &'a Store,
    stream: &'a StreamName,
    proposed: &'a Proposed,
    /// This is true when an attempt got no answer, and may still be stored.
    doubtful: bool,
    pause: Duration,
    looks: u32,
}

impl<'a> Settling<'a> {
    /// Makes an append of these events. It is not sent yet.
    #[must_use]
    pub fn new(store: &'a Store, stream: &'a StreamName, proposed: &'a Proposed) -> Self {
        Self { store, stream, proposed, doubtful: false, pause: PAUSE.0, looks: 0 }
    }

    /// Says whether at the moment nobody can know what became of it.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Goes on until the append is settled. The future may be dropped, and the function called again, at any time.
    pub async fn settle(&mut self) -> Settled {
        loop {
            if self.looks == 0 {
                if let Some(settled) = self.send().await {
                    return settled;
                }
            } else if let Some(settled) = self.look().await {
                return settled;
            }
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(PAUSE.1);
        }
    }

    async fn send(&mut self) -> Option<Settled> {
        // The future may be dropped while it waits for the answer; the append was sent then.
        let doubtful = std::mem::replace(&mut self.doubtful, true);
        match self.store.append(self.stream, self.proposed).await {
            Appended::Stored { last_revision, position } => {
                let expected = self.proposed.first_revision() + self.proposed.len() as u64 - 1;
                if last_revision != expected && !doubtful {
                    self.doubtful = false;
                    return Some(Settled::NotStored(Error::Damaged(format!(
                        "an event was appended at revision {last_revision} in place of {expected}: the stream was deleted \
                         or cut"
                    ))));
                }
                match position.filter(|_| !doubtful) {
                    Some(position) => {
                        self.doubtful = false;
                        Some(Settled::Stored(position))
                    }
                    // It is acknowledged, but it is not known at which position, or for which attempt: the stream says it.
                    None => self.look().await,
                }
            }
            Appended::Conflict => {
                self.doubtful = doubtful;
                self.look().await
            }
            Appended::Unknown(why) => {
                tracing::debug!(stream = %self.stream, why, "an append may or may not have been stored");
                // An event that is found ends the doubt. When none is found the append is sent again.
                let settled = self.look().await;
                self.looks = 0;
                settled
            }
            Appended::NotSent(error) => {
                self.doubtful = doubtful;
                if doubtful { None } else { Some(Settled::NotStored(error)) }
            }
            Appended::Deleted => {
                self.doubtful = false;
                Some(Settled::NotStored(Error::Deleted))
            }
        }
    }

    /// Looks which event is at the first revision.
    async fn look(&mut self) -> Option<Settled> {
        // What another store has at this revision says nothing.
        let epoch = self.store.proven(PROOF).await?;
        let found = self.store.stream(self.stream, self.proposed.first_revision(), self.proposed.len()).await;
        self.looks = (self.looks + 1) % LOOKS;
        let found = match found {
            Ok(found) => found,
            Err(Error::Deleted) if self.store.proven_epoch() == Some(epoch) => {
                return Some(Settled::NotStored(Error::Deleted));
            }
            // It is asked again.
            Err(_) => return None,
        };
        let settled = self.judge(&found).filter(|_| self.store.proven_epoch() == Some(epoch))?;
        self.doubtful = false;
        Some(settled)
    }

    fn judge(&self, found: &[Recorded]) -> Option<Settled> {
        let first = found.first()?;
        if self.proposed.is_stored_as(found) {
            return found.last().map(|last| Settled::Stored(last.position));
        }
        if first.revision != self.proposed.first_revision() {
            let why = format!("revision {} is gone from the stream", self.proposed.first_revision());
            return Some(Settled::NotStored(Error::Damaged(why)));
        }
        // This holds even when the first event is there and the last is not: an append is stored as a whole, so these are
        // the events of another one.
        Some(Settled::Overtaken)
    }
}
