//! One append until it is known what became of it.
//!
//! A node that was asked and did not answer may append later, so reading the old end back proves nothing. What ends the
//! doubt is that the revision is occupied: the same bytes are sent there again until they are acknowledged, or until an
//! event is read there. A conflict alone proves nothing: it is answered before the other's event can be read, and that
//! event may even vanish with the leader that took it.

use std::time::Duration;

use crate::domain::stream::StreamName;

use super::{Appended, Error, Proposed, Recorded, Store};

/// So long between two looks, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(500));
/// So long a look waits until it is known that the store is the one it was.
const PROOF: Duration = Duration::from_secs(1);
/// After so many looks for the event that is said to be in the way, the append is sent again.
const LOOKS: u32 = 8;

/// What became of an append.
#[derive(Debug)]
pub enum Settled {
    /// Every event is at its own revision; the last one at this position.
    Stored(u64),
    /// Another's event is there; none of these was or ever will be stored.
    Overtaken,
    /// Nothing was stored, and nothing can arrive late.
    NotStored(Error),
}

/// An append under way.
#[derive(Debug)]
pub struct Settling<'a> {
    store: &'a Store,
    stream: &'a StreamName,
    proposed: &'a Proposed,
    /// May an attempt still land of which no answer came?
    doubtful: bool,
    pause: Duration,
    looks: u32,
}

impl<'a> Settling<'a> {
    /// An append of these events, not sent yet.
    #[must_use]
    pub fn new(store: &'a Store, stream: &'a StreamName, proposed: &'a Proposed) -> Self {
        Self { store, stream, proposed, doubtful: false, pause: PAUSE.0, looks: 0 }
    }

    /// Can nobody know at the moment what became of it?
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Goes on until it is settled. May be dropped and called again at any time.
    pub async fn settle(&mut self) -> Settled {
        loop {
            if self.looks == 0 {
                if let Some(settled) = self.send().await {
                    return settled;
                }
            } else if let Some(settled) = self.look().await {
                return settled;
            }
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(PAUSE.1);
        }
    }

    async fn send(&mut self) -> Option<Settled> {
        // Whoever drops this while it waits for the answer has sent it.
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
                    // Acknowledged, but by which attempt, or where? The stream says.
                    None => self.look().await,
                }
            }
            Appended::Conflict => {
                self.doubtful = doubtful;
                self.look().await
            }
            Appended::Unknown(why) => {
                tracing::debug!(stream = %self.stream, why, "an append may or may not have been stored");
                // What is there ends the doubt; that nothing is there proves nothing, and it is sent again.
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

    /// Looks who is at the first revision.
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
        // Also when its first event is there and not its last: an append is stored as a whole, so that is another's.
        Some(Settled::Overtaken)
    }
}
