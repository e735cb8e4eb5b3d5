//! The follower keeps the index of this instance up with a store that several instances write.
//!
//! It reads the journal to its end, then subscribes after the last position that it has. When the subscription is
//! dropped, which a busy node does all the time, it does the same again. So it does not rely on a subscription to begin
//! or to go on where it should: what comes twice is left out, and a gap in an account's revisions is read again from
//! the journal before it is believed. No answer depends on it, because the clerk reads the streams themselves.
//!
//! Before each reading the index's last event is compared with the store, so that a store which was put back from an
//! older backup is found.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::ids::AccountName;
use crate::domain::stream::StreamName;
use crate::index::feed::Feed;
use crate::index::{Checkpoint, Reached};
use crate::store::Head;
use crate::store::eventstoredb::Error;
use crate::tasks::{sleep, timeout};

use super::common::Common;
use super::last_event::{Compared, LastEvent};
use super::observed::Observed;
use super::reading::{Arrived, ArrivedPage, Reading};
use super::stopped::Stopped;

/// This is the most events that are taken in together.
const TOGETHER: usize = 1_000;
/// This is how long it waits before it tries a store again that can't be reached.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// This is how often the index's last event is looked for before it is said to be gone. A node that has just begun, or
/// has just become the leader, may not show it yet.
const LOOKS: u32 = 8;
/// This is how many events that arrive together show that more are coming. From there on they are taken in handfuls,
/// since to be woken for each costs more than to fold it.
const BUSY: usize = 4;
/// This is how long events of a busy store gather. A read that waits for one of them waits so much longer.
const HANDFUL: Duration = Duration::from_millis(1);
/// This is how long a silence may last before the follower asks the store; [`DEAF`] is the time after a silence in
/// which events were missed.
const SILENCE: Duration = Duration::from_millis(400);
const DEAF: Duration = Duration::from_millis(100);
/// A `Following` is the follower's state: what it has read and what the index has.
pub(super) struct Following {
    pub(super) common: Arc<Common>,
    pub(super) feed: Feed,
    pub(super) head: watch::Sender<Head>,
    /// This is the last event that the index has.
    pub(super) reached: Reached,
    /// This is the position of the last record that was received, in a read or as an event of a subscription. Nothing
    /// else is believed: least of all what a subscription says of how far it has looked.
    pub(super) looked_at: u64,
    /// This is how long a silence may last.
    pub(super) silence: Duration,
    /// This is the position at which an event did not follow. It is believed when it is read there a second time.
    pub(super) doubted: Option<u64>,
    /// This is how often in a row the index's last event was looked for and not found.
    pub(super) missing: u32,
}

impl Following {
    pub(super) fn after(checkpoint: Checkpoint, common: Arc<Common>, head: watch::Sender<Head>) -> Self {
        let Checkpoint { position, hash, event, .. } = checkpoint;
        let reached = Reached { position, hash, event };
        common.seen.set_last(LastEvent::new(reached, None));
        common.seen.look_at(position);
        Self {
            feed: Feed::new(common.index.clone()),
            common,
            head,
            reached,
            looked_at: position,
            silence: SILENCE,
            doubted: None,
            missing: 0,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.follow().await {
                Stopped::Store(Error::Dropped(why)) => tracing::debug!(why, "following again"),
                Stopped::Store(error) => {
                    self.seen().connected.store(false, Ordering::Release);
                    self.seen().complain(&error);
                    self.begin_at_the_last_event();
                    sleep(RETRY_AFTER).await;
                }
                Stopped::Doubt => {
                    tracing::warn!(position = self.doubted, "an event does not follow; reading again")
                }
                Stopped::Again => {
                    tracing::debug!(position = self.reached.position, "following anew from the last event");
                    self.begin_at_the_last_event();
                }
                Stopped::Index(error) => {
                    tracing::error!(%error, "the index can't go on; the service must be restarted");
                    self.common.damage.set_whole(error.to_string());
                    return;
                }
                Stopped::Whole(why) => return self.common.damage.set_whole(why),
            }
        }
    }

    pub(super) fn seen(&self) -> &Observed {
        &self.common.seen
    }

    pub(super) fn look_at(&mut self, position: u64) {
        self.looked_at = position;
        self.common.seen.look_at(position);
    }

    /// Lets what was looked at after the last event of the index be looked at again.
    fn begin_at_the_last_event(&mut self) {
        self.looked_at = self.reached.position;
    }

    /// Reads to the end of the journal, then as it grows, until it is stopped.
    async fn follow(&mut self) -> Stopped {
        match self.compare().await {
            Ok(()) => {}
            Err(stopped) => return stopped,
        }
        match self.catch_up().await {
            Ok(()) => self.seen().content(),
            Err(stopped) => return stopped,
        }
        if !self.seen().connected.swap(true, Ordering::AcqRel) || !self.common.is_ready() {
            tracing::info!(store = %self.common.store.shown(), position = self.reached.position, "following the store");
        }
        if let Err(stopped) = self.set_ready().await {
            return stopped;
        }
        // A subscription that a busy node dropped comes here, too: nobody can tell it from a node that came back as
        // another.
        self.listen().await
    }

    /// Says that the index knows everything that was in the store. Before the first time it asks something whose answer
    /// does not matter, so that the connection for the appends is made now and the first command does not wait for it.
    async fn set_ready(&self) -> Result<(), Stopped> {
        let common = &self.common;
        if let Some(anybody) = AccountName::parse("anybody").filter(|_| !common.is_ready()) {
            let _no_matter = common.store.stream(&StreamName::Account(anybody), 0, 1).await;
        }
        if !common.is_ready() {
            self.tell_the_last_time().await?;
        }
        common.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// Tells when the last event was recorded, before the first command is taken. It costs one read.
    async fn tell_the_last_time(&self) -> Result<(), Stopped> {
        if self.reached.position > 0
            && let Some(found) = self.common.store.at_leader(self.reached.position).await?
            && let Ok(read) = found.read()
        {
            (self.common.begins_after)(read.line.event.recorded_at);
        }
        Ok(())
    }

    /// Compares the last event of the index with the store. When it is still there, those who wait for the proof may
    /// append.
    async fn compare(&mut self) -> Result<(), Stopped> {
        let epoch = self.common.store.epoch();
        match self.common.seen.last().compare(&self.common.store).await? {
            Compared::Same => {
                self.missing = 0;
                self.common.store.prove(epoch);
                Ok(())
            }
            Compared::Missing(why) => {
                self.missing += 1;
                let found = self.missing >= LOOKS;
                Err(if found { Stopped::Whole(why) } else { Error::Unreachable(why).into() })
            }
            Compared::Other(why) => Err(Stopped::Whole(why)),
        }
    }

    async fn catch_up(&mut self) -> Result<(), Stopped> {
        let end = self.common.store.newest(u64::MAX).await?.last;
        self.seen().begin_reading(self.looked_at, end);
        let mut reading = Reading::after(&self.common.store, self.looked_at);
        loop {
            let ArrivedPage { events, seen } = reading.next().await?;
            let count = events.len();
            self.take_in(events).await?;
            self.seen().has_read(count);
            self.look_at(seen);
            if count == 0 {
                return Ok(());
            }
        }
    }

    async fn listen(&mut self) -> Stopped {
        let after = (self.looked_at > 0).then_some(self.looked_at);
        let mut subscription = match self.common.store.follow(after).await {
            Ok(subscription) => subscription,
            Err(error) => return error.into(),
        };
        loop {
            let next = timeout(self.silence, subscription.next_many(TOGETHER));
            let next = tokio::select! {
                biased;
                () = self.common.seen.again.notified() => return Stopped::Again,
                next = next => next,
            };
            let followed = match next {
                Ok(Ok(followed)) => followed,
                Ok(Err(error)) => return error.into(),
                Err(_silent) => match self.is_deaf().await {
                    Ok(false) => continue,
                    Ok(true) => return Error::Dropped("it missed events that are there".into()).into(),
                    Err(stopped) => return stopped,
                },
            };
            let events: Vec<Arrived> = followed.into_iter().filter_map(Arrived::in_subscription).collect();
            let (count, last) = (events.len(), events.last().map(|last| last.recorded.position));
            if let Err(stopped) = self.take_in(events).await {
                return stopped;
            }
            if let Some(last) = last {
                self.silence = SILENCE;
                self.look_at(self.looked_at.max(last));
            }
            if count >= BUSY {
                sleep(HANDFUL).await;
            }
        }
    }

    /// Says whether events are there of which the subscription did not tell. It is asked when nothing came for a while.
    async fn is_deaf(&mut self) -> Result<bool, Stopped> {
        let page = self.common.store.followable(self.looked_at, 1).await?;
        if page.events.is_empty() {
            self.look_at(page.seen);
            return Ok(false);
        }
        self.silence = DEAF;
        Ok(true)
    }
}
