//! These reads say how destinations stand, and read again what is sent to them.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::delivery::Destination;
use crate::domain::delivery::event::DeliveryEvent;
use crate::domain::delivery::name::DestinationName;
use crate::domain::kind::Kind;
use crate::domain::letter::{Letter, LetterId};
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::index::record::{Series, StreamKey};
use crate::index::{Index, IndexError};
use crate::store::embedded::holder::{self, Found};
use crate::store::{Reader, codec, lines_of};

use super::handle::Ledger;
use super::history::placed;
use super::lag::{Counting, Lag, ORDINARY, PAGE};
use super::types::{Placed, Position, ReadError};

/// This is how many lines are read together where some are counted.
const LINES: usize = 4_096;

/// A `FolderId` says which data folder it is, as far as messages go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderId {
    /// This is its id; `None` where it is a copy in which nothing was resumed, or may be one, and over an event store.
    pub id: Option<Uuid>,
    /// This is true where it is a copy, or may be one.
    pub is_copy: bool,
}

/// This is how many events are looked at together where one of a kind is looked for.
const TURNS: usize = 64;

impl Ledger {
    /// Returns a destination as it stands; `None` when there never was one of this name.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn destination(&self, name: &DestinationName) -> Result<Option<Destination>, ReadError> {
        let stream = StreamName::Delivery(name.clone());
        self.0.clerk.stream_readable(&stream)?;
        let index = self.0.index.clone();
        self.blocking(move || Ok(state(&index, &stream)?)).await
    }

    /// Returns the events that set up a destination in this life of its name, in their order. The filter of each counts from
    /// its position on.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn destination_sets(&self, name: &DestinationName) -> Result<Vec<Placed>, ReadError> {
        let stream = StreamName::Delivery(name.clone());
        self.0.clerk.stream_readable(&stream)?;
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || {
            let Some(destination) = state(&index, &stream)? else { return Ok(Vec::new()) };
            let key = StreamKey::of(&stream);
            let mut positions = Vec::with_capacity(destination.sets.len());
            for revision in destination.sets.iter() {
                let found = index.revisions(key, *revision..=*revision, false, 1)?;
                positions.extend(found.first().map(|(_, facts)| facts.position));
            }
            let events = placed(&reader, &positions)?;
            let is_set = |placed: &Placed| {
                placed.event.stream == stream
                    && matches!(placed.event.delivery(), Some(DeliveryEvent::Set { .. }))
            };
            if events.len() == destination.sets.len() && events.iter().all(is_set) {
                Ok(events)
            } else {
                Err(IndexError::damaged("an event is not what the index says of a destination").into())
            }
        })
        .await
    }

    /// Returns up to `limit` lines of a stream after a revision, each with its line feed.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn lines_of(
        &self,
        stream: &StreamName,
        after: u64,
        limit: usize,
    ) -> Result<Vec<u8>, ReadError> {
        self.0.clerk.stream_readable(stream)?;
        let (index, reader, key) = (self.0.index.clone(), self.0.reader.clone(), StreamKey::of(stream));
        self.page(move || {
            let mut lines = Vec::new();
            for (_, facts) in index.revisions(key, after.saturating_add(1)..=u64::MAX, false, limit)? {
                lines.append(&mut line_at(&reader, facts.position)?);
            }
            Ok(lines)
        })
        .await
    }

    /// Returns the line at a position, with its line feed.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, or no event is there.
    pub async fn line(&self, position: Position) -> Result<Vec<u8>, ReadError> {
        let reader = self.0.reader.clone();
        self.blocking(move || line_at(&reader, position)).await
    }

    /// Returns the id that the data folder has for messages, which tells it from its copies.
    ///
    /// # Errors
    /// Fails when the folder can't be looked at.
    pub async fn folder_id(&self) -> Result<FolderId, ReadError> {
        let Some(folder) = &self.0.folder else { return Ok(FolderId::default()) };
        let held = Arc::clone(folder.held());
        self.blocking(move || found(&held.path())).await
    }

    /// Gives a data folder that is a copy an id of its own for messages, made of a random number, where it has none yet. It
    /// stays a copy to transfers. It is `None` over an event store.
    ///
    /// # Errors
    /// Fails when the folder can't be looked at, or the id can't be written.
    pub async fn own_for_messages(&self, fresh: Uuid) -> Result<Option<Uuid>, ReadError> {
        let Some(folder) = &self.0.folder else { return Ok(None) };
        let held = Arc::clone(folder.held());
        self.blocking(move || match found(&held.path())?.id {
            Some(id) => Ok(Some(id)),
            None => holder::write_for_messages(&held.path(), fresh).map(Some).map_err(ReadError::unreadable),
        })
        .await
    }

    /// Counts the lines after a position and up to another one that `chooses` says are wanted. It is a long read.
    ///
    /// # Errors
    /// Fails as a long read does, and when a line is none that this program could have written.
    pub async fn count_lines(
        &self,
        after: Position,
        to: Position,
        chooses: impl Fn(&[u8]) -> Option<bool> + Send + 'static,
    ) -> Result<u64, ReadError> {
        let reader = self.0.reader.clone();
        self.long(move |wanted| {
            let (mut count, mut after) = (0_u64, after);
            while after < to {
                wanted.check()?;
                let lines = reader.lines(after, LINES)?;
                let mut is_any = false;
                for line in lines_of(&lines) {
                    let position = codec::position_of(line).ok_or(ReadError::Damaged)?;
                    if position > to {
                        return Ok(count);
                    }
                    (after, is_any) = (position, true);
                    count = count.saturating_add(u64::from(chooses(line).ok_or(ReadError::Damaged)?));
                }
                if !is_any {
                    return Ok(count);
                }
            }
            Ok(count)
        })
        .await
    }

    /// Returns all destinations, in the order of their names. Those that were removed are among them.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn destinations(&self) -> Result<Vec<(DestinationName, Destination)>, ReadError> {
        let index = self.0.index.clone();
        self.blocking(move || Ok(index.overlay(|overlay| overlay.destinations())?)).await
    }

    /// Returns up to `limit` letters of the messages to a destination by their ids, from after `after`.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn letters_of(
        &self,
        name: &DestinationName,
        after: Option<LetterId>,
        limit: usize,
    ) -> Result<Vec<Letter>, ReadError> {
        let (index, name) = (self.0.index.clone(), name.clone());
        self.page(move || Ok(index.overlay(|overlay| overlay.letters(&name, after, limit))?)).await
    }
}

impl Ledger {
    /// Returns how many letters of the messages to a destination there are. It reads one row for each.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn count_letters(&self, name: &DestinationName) -> Result<u64, ReadError> {
        let (index, name) = (self.0.index.clone(), name.clone());
        self.page(move || Ok(index.overlay(|overlay| overlay.count_letters(&name))?)).await
    }

    /// Returns what the ledger has of accounts and transfers after a position.
    ///
    /// # Errors
    /// Fails when the ledger can't be read, and as a long read does where the lag is long and was not counted before. What was
    /// counted until then is kept, so that the next count comes further.
    pub async fn lag(&self, after: Position) -> Result<Lag, ReadError> {
        let (index, blocks) = (self.0.index.clone(), Arc::clone(&self.0.blocks));
        let (next, end) = (after.saturating_add(1), index.reached());
        let mut counting = Counting { next, end, lag: Lag::default() };
        let begun = self.page(move || Ok((counting.go_on(&index, &blocks, ORDINARY)?, counting)));
        let (is_done, mut counting) = begun.await?;
        if is_done {
            return Ok(counting.lag);
        }
        let (index, blocks) = (self.0.index.clone(), Arc::clone(&self.0.blocks));
        self.long(move |wanted| {
            while !counting.go_on(&index, &blocks, PAGE)? {
                wanted.check()?;
            }
            Ok(counting.lag)
        })
        .await
    }

    /// Returns the newest event of one of these kinds in a destination's stream. They must be kinds that say whether and by
    /// whom it is served. Events that an older version of the index took in are not found.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn turn(
        &self,
        name: &DestinationName,
        kinds: &'static [Kind],
    ) -> Result<Option<Placed>, ReadError> {
        let stream = StreamName::Delivery(name.clone());
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || {
            let (key, mut last) = (StreamKey::of(&stream), u64::MAX);
            loop {
                let turns = index.series(key, Series::Status, 0..=last, true, TURNS)?;
                if let Some((_, facts)) = turns.iter().find(|(_, facts)| kinds.contains(&facts.kind)) {
                    let found = placed(&reader, &[facts.position])?.pop();
                    return Ok(found.filter(|found| found.event.stream == stream));
                }
                match turns.last().and_then(|(revision, _)| revision.checked_sub(1)) {
                    Some(before) if turns.len() == TURNS => last = before,
                    Some(_) | None => return Ok(None),
                }
            }
        })
        .await
    }

    /// Returns when the event at a position was recorded; `None` where none is.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn recorded_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError> {
        let index = self.0.index.clone();
        self.blocking(move || {
            let found = index.places(position..=position, false, 1)?;
            Ok(found.first().map(|(micros, _)| Timestamp::from_micros(*micros)))
        })
        .await
    }
}

fn found(folder: &Path) -> Result<FolderId, ReadError> {
    let own = holder::find_for_messages(folder).map_err(ReadError::unreadable)?;
    Ok(match holder::find(folder).map_err(ReadError::unreadable)? {
        Found::Own(id) => FolderId { id: Some(own.unwrap_or(id)), is_copy: false },
        Found::Unmarked | Found::Doubtful(_) => FolderId { id: own, is_copy: true },
    })
}

fn line_at(reader: &Reader, position: Position) -> Result<Vec<u8>, ReadError> {
    let line = reader.line(position)?;
    if codec::position_of(&line) == Some(position) { Ok(line) } else { Err(ReadError::Damaged) }
}

fn state(index: &Index, stream: &StreamName) -> Result<Option<Destination>, IndexError> {
    let tracked = index.tracked(stream)?;
    Ok(tracked.as_ref().and_then(|tracked| tracked.state.destination()).cloned())
}
