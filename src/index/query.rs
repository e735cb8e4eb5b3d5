//! These functions ask the index. Every question goes through what is active, what is frozen and the files, in one
//! consistent view.

use std::ops::RangeInclusive;
use std::sync::Arc;

use rusqlite::{Connection, Transaction};

use crate::domain::ids::Id;
use crate::domain::money::Money;
use crate::domain::stream::StreamName;

use super::catalog;
use super::error::IndexError;
use super::handle::Index;
use super::layers::{Joined, Layer, Tracked};
use super::lsm::memtable::{Memtable, Note};
use super::lsm::tree::TreeKind;
use super::overlay::Overlay;
use super::record::{
    Facts, Mark, Record, Role, Series, StreamKey, id_key, naming_key, place_key, ruled_out_key,
};
use super::rows::{self, Kind};
use super::shared::State;

/// This is how many connections are kept for the next reader.
const KEPT_READERS: usize = 4;

/// A `Used` says what the index knows of the use of an ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// This is where it was booked, in the order of the journal: at one place, but for a race between two instances.
    pub booked: Vec<u64>,
    /// This is true when the ID was ruled out on some stream.
    pub ruled_out: bool,
}

/// A `TakenBack` says how much of an ID was taken back on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// This is the sum; `None` for nothing.
    pub sum: Option<Money>,
    /// This is the last revision of the stream that the index knows: what comes after it does not count yet.
    pub revision: Option<u64>,
}

impl State {
    /// Returns the two parts in memory, newest first.
    pub(super) fn in_memory(&self) -> impl Iterator<Item = &Memtable> {
        std::iter::once(&self.active).chain(self.frozen.as_deref())
    }

    /// Returns the parts in memory that come after a checkpoint of the catalog, oldest first; `None` where memory has let go of
    /// something that comes after it.
    pub(super) fn beyond(&self, checkpoint: u64) -> Option<Vec<&Memtable>> {
        if self.flushed > checkpoint {
            return None;
        }
        // A frozen part that is in the catalog already is dropped from memory in a moment: not to be counted twice.
        let beyond = |memory: &&Memtable| memory.last().is_some_and(|last| last.position > checkpoint);
        let mut memories: Vec<_> = self.in_memory().filter(beyond).collect();
        memories.reverse();
        Some(memories)
    }
}

impl Index {
    /// Returns every place where this ID plays a role, in the order of the journal. It returns none when no durable
    /// event has to do with the ID. The cost grows with how often the ID was named; the functions that a decision needs
    /// cost always the same.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn marks(&self, id: Id) -> Result<Vec<Mark>, IndexError> {
        let mut marks = self.booked(id)?;
        marks.extend(self.under(naming_key(id, self.0.seed))?);
        marks.sort_unstable_by_key(|mark| mark.position);
        Ok(marks)
    }

    /// Returns up to `limit` of the places where an event names this ID, that is reverses it, rules it out or settles it, after
    /// a position, in the order of the journal. The cost does not grow with how often the ID was named.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn named_after(&self, id: Id, after: u64, limit: usize) -> Result<Vec<Mark>, IndexError> {
        let key = naming_key(id, self.0.seed);
        let mut marks = Vec::new();
        let trees = {
            let state = self.0.state.read();
            state.in_memory().for_each(|memory| memory.marks(key, &mut marks));
            Arc::clone(&state.trees)
        };
        marks.retain(|mark| mark.position > after);
        let from = Record { key, value: Mark::first_at(after.saturating_add(1)) };
        let mut records = Vec::new();
        self.told(
            trees[TreeKind::Ids as usize].get_from(from, limit, &mut records).map_err(IndexError::from),
        )?;
        marks.extend(records.into_iter().map(|record| Mark::unpack(record.value)));
        marks.sort_unstable_by_key(|mark| mark.position);
        marks.dedup();
        marks.truncate(limit);
        Ok(marks)
    }

    /// Returns the places where an ID was booked, in the order of the journal.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn booked(&self, id: Id) -> Result<Vec<Mark>, IndexError> {
        let mut marks = self.under(id_key(id, self.0.seed))?;
        marks.retain(|mark| mark.role == Role::Booked);
        Ok(marks)
    }

    /// Returns what is known of the use of an ID.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn used(&self, id: Id) -> Result<Used, IndexError> {
        let marks = self.under(id_key(id, self.0.seed))?;
        let booked = |mark: &Mark| (mark.role == Role::Booked).then_some(mark.position);
        Ok(Used {
            ruled_out: marks.iter().any(|mark| mark.role == Role::RuledOut),
            booked: marks.iter().filter_map(booked).collect(),
        })
    }

    /// Returns the position of the first event that rules an ID out on this stream.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn ruled_out(&self, id: Id, stream: &StreamName) -> Result<Option<u64>, IndexError> {
        Ok(self.under(ruled_out_key(id, stream, self.0.seed))?.first().map(|mark| mark.position))
    }

    /// Returns what stands under a key of the tree of IDs, in the order of the journal.
    fn under(&self, key: u128) -> Result<Vec<Mark>, IndexError> {
        let mut marks = Vec::new();
        let trees = {
            let state = self.0.state.read();
            state.in_memory().for_each(|memory| memory.marks(key, &mut marks));
            Arc::clone(&state.trees)
        };
        let mut records = Vec::new();
        trees[TreeKind::Ids as usize].get(key, &mut records)?;
        marks.extend(records.into_iter().map(|record| Mark::unpack(record.value)));
        marks.sort_unstable_by_key(|mark| mark.position);
        marks.dedup();
        Ok(marks)
    }

    /// Returns how the stream stands after the last durable event. Of a transfer that has ended it may know nothing any more:
    /// [`stands`](Self::stands) does.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn tracked(&self, stream: &StreamName) -> Result<Option<Tracked>, IndexError> {
        if let Some(tracked) = self.0.state.read().in_memory().find_map(|memory| memory.tracked(stream)) {
            return Ok(Some(tracked.clone()));
        }
        // The row was moved out of memory since the look above, and is in the catalog already.
        let (kind, key) = rows::stream_row(stream);
        let value = self.with_reader(|catalog| self.0.proven.state(catalog, kind, key))?;
        self.told(value.map(|value| rows::read_state(stream, &value)).transpose())
    }

    /// Returns every note that was taken.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn notes(&self) -> Result<Vec<Note>, IndexError> {
        let mut notes: Vec<Note> = {
            let state = self.0.state.read();
            state.in_memory().flat_map(|memory| memory.notes().iter().cloned()).collect()
        };
        let unreadable = || IndexError::damaged("a note can't be read");
        self.with_reader(|catalog| {
            for kind in [Kind::Twice, Kind::Damaged, Kind::Missing] {
                for (key, value) in self.0.proven.states(catalog, kind, b"", usize::MAX)? {
                    notes.push(rows::read_note(kind, &key, value).ok_or_else(unreadable)?);
                }
            }
            Ok(notes)
        })
    }

    /// Returns how much of an ID was taken back on a stream, and up to which revision of the stream that counts.
    ///
    /// # Errors
    /// Fails when the catalog can't be read.
    pub fn taken_back(&self, id: Id, stream: &StreamName) -> Result<TakenBack, IndexError> {
        let key = (id, stream.clone());
        let (row_kind, row_key) = rows::stream_row(stream);
        self.with_reader(|catalog| {
            let (transaction, (newer, tracked)) = self.view(catalog, |checkpoint| {
                let state = self.0.state.read();
                let memories = state.beyond(checkpoint)?;
                let newer: Vec<_> = memories.iter().filter_map(|memory| memory.reversed(&key)).collect();
                let tracked = memories.iter().rev().find_map(|memory| memory.tracked(stream).cloned());
                Some((newer, tracked))
            })?;
            let row = rows::reversed_row_key(&key);
            let sum = match self.0.proven.state(&transaction, Kind::Reversed, &row)? {
                Some(value) => Some(rows::read_sum(&value)?.1),
                None => None,
            };
            let sum = newer.into_iter().try_fold(sum, |sum, more| match sum {
                Some(sum) => sum.plus(more).map(Some),
                None => Some(Some(more)),
            });
            let tracked = match tracked {
                Some(tracked) => Some(tracked),
                None => self
                    .0
                    .proven
                    .state(&transaction, row_kind, row_key)?
                    .map(|value| rows::read_state(stream, &value))
                    .transpose()?,
            };
            Ok(TakenBack {
                sum: sum.ok_or_else(|| IndexError::damaged("a sum can't be counted"))?,
                revision: tracked.map(|tracked| tracked.state.revision()),
            })
        })
    }

    /// Returns up to `limit` events of a stream between two revisions (inclusive), from the low end or the high one.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn revisions(
        &self,
        stream: StreamKey,
        revisions: RangeInclusive<u64>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(u64, Facts)>, IndexError> {
        self.series(stream, Series::All, revisions, backwards, limit)
    }

    /// Returns up to `limit` events of a series of a stream between two revisions (inclusive), from one end. Of one of the
    /// ledger's own accounts, positions stand in the place of revisions.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn series(
        &self,
        stream: StreamKey,
        series: Series,
        revisions: RangeInclusive<u64>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(u64, Facts)>, IndexError> {
        let (low, high) =
            (stream.revision(series, *revisions.start()), stream.revision(series, *revisions.end()));
        let mut records = Vec::new();
        let trees = {
            let state = self.0.state.read();
            let look =
                |m: &Memtable| m.revisions((stream, series), low, high, backwards, limit, &mut records);
            state.in_memory().for_each(look);
            Arc::clone(&state.trees)
        };
        trees[TreeKind::Revisions as usize].range(low, high, backwards, limit, &mut records)?;
        let found = ordered(records, backwards, limit).into_iter();
        self.told(found.map(|record| Ok((StreamKey::revision_in(record.key), facts(record)?))).collect())
    }

    /// Returns up to `limit` events between two positions (inclusive), from one end, with when each was recorded.
    ///
    /// # Errors
    /// Fails when a run can't be read.
    pub fn places(
        &self,
        positions: RangeInclusive<u64>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(i64, Facts)>, IndexError> {
        let (low, high) = (place_key(*positions.start(), 0), place_key(*positions.end(), -1));
        let mut records = Vec::new();
        let trees = {
            let state = self.0.state.read();
            state.in_memory().for_each(|memory| memory.places(low, high, backwards, limit, &mut records));
            Arc::clone(&state.trees)
        };
        trees[TreeKind::Places as usize].range(low, high, backwards, limit, &mut records)?;
        let found = ordered(records, backwards, limit).into_iter();
        self.told(found.map(|record| Ok((super::record::recorded_in(record.key), facts(record)?))).collect())
    }

    /// Calls `work` with everything that the index knows of accounts, after one and the same event. Under the lock that
    /// commits need nothing is copied and nothing is read: the layers in memory are sealed and shared.
    ///
    /// # Errors
    /// Fails when the catalog can't be read, or `work` fails.
    pub fn overlay<T>(
        &self,
        work: impl FnOnce(&Overlay<'_>) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        self.with_reader(|catalog| {
            let (transaction, (layers, position)) = self.view(catalog, |checkpoint| {
                let mut state = self.0.state.write();
                state.active.layers_mut().seal();
                let memories = state.beyond(checkpoint)?;
                let layers: Vec<_> =
                    memories.iter().flat_map(|memory| memory.layers().sealed()).cloned().collect();
                let position = memories.iter().rev().find_map(|memory| memory.last());
                Some((layers, position.map_or(checkpoint, |last| last.position)))
            })?;
            self.join(&layers);
            work(&Overlay { catalog: &transaction, proven: &self.0.proven, layers, position })
        })
    }

    /// Joins small layers, so that the next readers find fewer. One reader at a time does that; the others go on.
    fn join(&self, layers: &[Arc<Layer>]) {
        let Some(_alone) = self.0.joining.try_lock() else { return };
        if let Some(joined) = Joined::newest(layers) {
            self.0.state.write().active.layers_mut().replace(&joined);
        }
    }

    /// Begins a view of the catalog in which nothing is flushed any more, and looks at what is in memory beyond it. `look` is
    /// told the catalog's checkpoint and says `None` where memory has let go of something since.
    pub(super) fn view<'catalog, T>(
        &self,
        catalog: &'catalog Connection,
        mut look: impl FnMut(u64) -> Option<T>,
    ) -> Result<(Transaction<'catalog>, T), IndexError> {
        loop {
            let transaction = catalog.unchecked_transaction()?;
            let checkpoint = catalog::checkpoint(&transaction)?.map_or(0, |checkpoint| checkpoint.position);
            if let Some(found) = look(checkpoint) {
                return Ok((transaction, found));
            }
        }
    }

    /// Tells the whole index of a damage that a reader found.
    pub(super) fn told<T>(&self, result: Result<T, IndexError>) -> Result<T, IndexError> {
        result.inspect_err(|error| {
            if error.is_damage() {
                self.0.failure.damaged(&error.to_string());
            }
        })
    }

    pub(super) fn with_reader<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let kept = self.0.readers.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.0.open_reader()?,
        };
        let result = self.told(work(&connection));
        let mut readers = self.0.readers.lock();
        if readers.len() < KEPT_READERS {
            readers.push(connection);
        }
        result
    }
}

fn ordered(mut records: Vec<Record>, backwards: bool, limit: usize) -> Vec<Record> {
    records.sort_unstable();
    // The same record can come from memory and from the file that it was just written to.
    records.dedup();
    if backwards {
        records.reverse();
    }
    records.truncate(limit);
    records
}

fn facts(record: Record) -> Result<Facts, IndexError> {
    Facts::unpack(record.value).ok_or_else(|| IndexError::damaged("a record can't be read"))
}
