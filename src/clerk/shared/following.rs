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
use tokio::time::timeout;

use crate::domain::ids::AccountName;
use crate::domain::stream::StreamName;
use crate::index::feed::{Feed, FeedError};
use crate::index::{Checkpoint, IndexError, Note, Reached};
use crate::store::Head;
use crate::store::chain::Hash;
use crate::store::eventstoredb::{Error, Foreign, Read, Recorded};

use super::common::Common;
use super::dispatch;
use super::last_event::{Compared, LastEvent};
use super::observed::Observed;
use super::page::Page;
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
pub(super) struct Following {
    common: Arc<Common>,
    feed: Feed,
    head: watch::Sender<Head>,
    /// This is the last event that the index has.
    reached: Reached,
    /// This is the position of the last record that was received, in a read or as an event of a subscription. Nothing
    /// else is believed: least of all what a subscription says of how far it has looked.
    looked_at: u64,
    /// This is how long a silence may last.
    silence: Duration,
    /// This is the position at which an event did not follow. It is believed when it is read there a second time.
    doubted: Option<u64>,
    /// This is how often in a row the index's last event was looked for and not found.
    missing: u32,
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
                    tokio::time::sleep(RETRY_AFTER).await;
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

    fn seen(&self) -> &Observed {
        &self.common.seen
    }

    fn look_at(&mut self, position: u64) {
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
                next = next => next,
                () = self.common.seen.again.notified() => return Stopped::Again,
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
                tokio::time::sleep(HANDFUL).await;
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

    /// Takes in events that follow on what was read before.
    async fn take_in(&mut self, arrived: Vec<Arrived>) -> Result<(), Stopped> {
        let mut page = Page::after(self.reached, self.looked_at);
        let mut stopped = None;
        let looked_at = self.looked_at;
        let is_new = |arrived: &Arrived| arrived.recorded.position > looked_at;
        for Arrived { recorded, read } in arrived.into_iter().filter(is_new) {
            let Some(stream) = recorded.stream_name() else { continue };
            if let Err(why) = self.take_one(&recorded, read, &stream, &mut page).await {
                stopped = Some(why);
                break;
            }
            page.looked_at = recorded.position;
        }
        // What was taken before it stopped must reach the index all the same.
        let looked_at = page.looked_at;
        self.apply(page).await?;
        match stopped {
            Some(stopped) => {
                self.look_at(self.looked_at.max(looked_at));
                Err(stopped)
            }
            None => Ok(()),
        }
    }

    async fn take_one(
        &mut self,
        recorded: &Recorded,
        read: Result<Read, Foreign>,
        stream: &StreamName,
        page: &mut Page,
    ) -> Result<(), Stopped> {
        if recorded.is_deletion() {
            self.note_unseen(stream, page)?;
        }
        if recorded.is_metadata() {
            tracing::warn!(%stream, "somebody changed the stream's metadata");
            dispatch::look_again(&self.common, stream);
            return Ok(());
        }
        if self.common.damage.is_lasting(stream) {
            return Ok(());
        }
        let Err(why) = self.fold(recorded, read, stream, page)? else { return Ok(()) };
        if self.doubted != Some(recorded.position) {
            self.doubted = Some(recorded.position);
            return Err(Stopped::Doubt);
        }
        self.nothing_was_missed(stream, recorded.position).await?;
        self.doubted = None;
        let next = self.feed.next_revision(stream)?;
        let missing = recorded.revision.saturating_sub(next);
        if missing > 0 && !recorded.is_tombstone() {
            page.taken.note(Note::Missing(stream.clone(), missing));
            self.common.seen.lack(stream, missing);
        }
        page.taken.note(Note::Damaged(stream.clone(), why.clone()));
        self.common.damage.stream(stream, &why, true);
        dispatch::look_again(&self.common, stream);
        Ok(())
    }

    /// Notes that a deleted stream had events that the index never saw: they were scavenged before it was built, so that
    /// nobody knows which IDs they booked, nor how many. A stream that is deleted while it is followed has been seen whole.
    fn note_unseen(&mut self, stream: &StreamName, page: &mut Page) -> Result<(), Stopped> {
        if self.seen().is_catching_up() && self.feed.tracked(stream)?.is_none() {
            page.taken.note(Note::Missing(stream.clone(), 1));
            self.common.seen.lack(stream, 1);
        }
        Ok(())
    }

    /// Folds one event. It is checked against its own bytes, its stream's chain and its stream's state, and what is
    /// wrong with it is returned as text.
    fn fold(
        &mut self,
        recorded: &Recorded,
        read: Result<Read, Foreign>,
        stream: &StreamName,
        page: &mut Page,
    ) -> Result<Result<(), String>, Stopped> {
        let wrong = |why: &dyn std::fmt::Display| Ok(Err(format!("position {}: {why}", recorded.position)));
        let read = match read {
            Ok(read) => read,
            Err(foreign) => match foreign.newer() {
                // This is no damage: this program is too old for the event.
                Some(newer) => return Err(Error::Newer(newer).into()),
                None => return wrong(&foreign),
            },
        };
        let next = self.feed.next_revision(stream)?;
        let before = self.feed.tracked(stream)?;
        let previous = before.and_then(|tracked| tracked.hash).unwrap_or_else(|| Hash::of_stream(stream));
        let hash = previous.then(&read.canonical);
        let event = read.line.event;
        let id = event.id;
        let follows = event.revision == next;
        if follows && hash != read.line.hash {
            return wrong(&"its hash does not follow from the event before it");
        }
        match self.feed.take(event, recorded.position, Some(hash), &mut page.taken) {
            Ok(()) => {}
            Err(FeedError::Evolve(error)) => return wrong(&error),
            Err(FeedError::Index(error)) => return Err(error.into()),
        }
        if self.feed.note_if_booked_twice(id, &mut page.taken)? {
            tracing::warn!(%stream, transaction_id = %id, "the ID was recorded on another account, too");
        }
        page.event(recorded, stream, hash);
        Ok(Ok(()))
    }

    /// Checks that a gap is in the stream itself. Where the stream has the event, it was missed on the way here, and
    /// the index lacks it.
    async fn nothing_was_missed(&mut self, stream: &StreamName, position: u64) -> Result<(), Stopped> {
        let next = self.feed.next_revision(stream)?;
        let found = match self.common.store.stream(stream, next, 1).await {
            // The stream is gone for good: that is no gap.
            Err(Error::Deleted) => Vec::new(),
            found => found?,
        };
        match found.first() {
            Some(missed) if missed.revision == next && missed.position < position => Err(Stopped::Whole(
                format!("the index has missed the event at position {}; it must be rebuilt", missed.position),
            )),
            _ => Ok(()),
        }
    }

    async fn apply(&mut self, page: Page) -> Result<(), Stopped> {
        let Page { taken, journal_id, reached, place, .. } = page;
        if taken.is_empty() {
            return Ok(());
        }
        let common = &self.common;
        while common.index.lacks_room(taken.len()) {
            if let Some(why) = common.index.failure() {
                return Err(IndexError::Damaged(why).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if let Some(journal_id) = journal_id {
            common.index.adopt(journal_id);
        }
        common.seen.twice.fetch_add(taken.booked_twice(), Ordering::Relaxed);
        common.seen.measured(taken.len(), reached.position.saturating_sub(self.reached.position));
        self.feed.apply(taken, reached);
        if place.is_some() {
            common.seen.set_last(LastEvent::new(reached, place));
        }
        self.reached = reached;
        self.common.reserved.indexed(reached.position);
        self.head.send_modify(|head| {
            head.journal_id = journal_id.unwrap_or(head.journal_id);
            head.position = reached.position;
            head.hash = reached.hash;
        });
        Ok(())
    }
}
