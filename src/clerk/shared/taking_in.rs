//! The follower takes events into the index: it checks that each follows on the one before it, folds it, and publishes the new
//! head.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::domain::event::Event;
use crate::domain::stream::StreamName;
use crate::index::feed::FeedError;
use crate::index::{IndexError, Note};
use crate::store::chain::Hash;
use crate::store::eventstoredb::{Error, Foreign, Read, Recorded};
use crate::tasks::sleep;

use super::dispatch;
use super::following::Following;
use super::last_event::LastEvent;
use super::page::Page;
use super::reading::Arrived;
use super::stopped::Stopped;

impl Following {
    /// Takes in events that follow on what was read before.
    pub(super) async fn take_in(&mut self, arrived: Vec<Arrived>) -> Result<(), Stopped> {
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
        self.learn_past(recorded, stream).await?;
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
        if self.seen().is_catching_up() && self.feed.next_revision(stream)? == 0 {
            page.taken.note(Note::Missing(stream.clone(), 1));
            self.common.seen.lack(stream, 1);
        }
        Ok(())
    }

    /// Folds the events of a transfer that has ended, where an event of it comes all the same: the index has no state of it.
    /// Where the store does not have them as they were seen, nothing is learnt, and the event does not follow.
    async fn learn_past(&mut self, recorded: &Recorded, stream: &StreamName) -> Result<(), Stopped> {
        let Some(past) = self.feed.lacks(stream, recorded.revision)? else { return Ok(()) };
        let found = match self.common.store.stream(stream, 0, past.positions().len()).await {
            Err(Error::Deleted) => return Ok(()),
            found => found?,
        };
        let mut last = Hash::of_stream(stream);
        let mut events: Vec<Event> = Vec::new();
        for (recorded, position) in found.iter().zip(past.positions()) {
            let Ok(read) = recorded.read() else { return Ok(()) };
            last = last.then(&read.canonical);
            if recorded.position != *position || read.line.hash != last {
                return Ok(());
            }
            events.push(read.line.event);
        }
        if let Ok(tracked) = past.fold(&events, Some(last)) {
            self.feed.learn(tracked);
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
        self.common.recent.keep(&event, recorded.position);
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
            sleep(Duration::from_millis(20)).await;
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
