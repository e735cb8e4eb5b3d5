//! A fold works out from the journal how every stream stood after an old position.
//!
//! It holds no more states at once than [`ReadLimits::long_bytes`] allows, however many streams there are: it goes over the
//! journal in passes, and each pass keeps the streams of one range of names. A range is as large as the room for it. When it
//! has no room any more, the last names of the range are left to a later pass. Costs: each pass reads all lines up to the
//! position, and decodes and proves those of its range.
//!
//! [`ReadLimits::long_bytes`]: super::long_reads::ReadLimits::long_bytes

use std::collections::BTreeMap;

use crate::domain::event::Event;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::index::IndexError;
use crate::store::codec::{self, Line};
use crate::store::{Journal, lines_of};

use super::long_reads::Wanted;
use super::types::{Position, ReadError};

/// This is the number of lines that are read at a time.
const PAGE: usize = 4_096;
/// This is about how many bytes an account takes here, with its name.
const ACCOUNT: usize = 256;
/// This is about how many bytes an open hold takes.
const HOLD: usize = 72;
/// This is about how many bytes a parked message takes.
const PARKED: usize = 512;
/// This is about how many bytes a transfer takes, or a destination, with its terms.
const TRANSFER: usize = 512;

/// A `Fold` is a fold of the journal up to a position.
pub(super) struct Fold<'a> {
    /// This is the journal.
    pub(super) reader: &'a dyn Journal,
    /// This is the position of the last event that counts.
    pub(super) last: Position,
    /// It says whether the fold is still wanted, and how much room it has.
    pub(super) wanted: &'a Wanted,
}

impl Fold<'_> {
    /// Visits how each stream stands, in the order of the names: first the accounts, and at the end the transfers by their IDs.
    /// Returns the position of the last event that counts.
    ///
    /// # Errors
    /// Fails when the journal can't be read, or the fold is not wanted any more.
    pub(super) fn every_stream(&self, visit: impl FnMut(&State)) -> Result<Position, ReadError> {
        self.fold(None, visit)
    }

    /// Does what [`every_stream`](Self::every_stream) does, and visits each event besides, before all streams.
    ///
    /// # Errors
    /// Fails as `every_stream` does.
    pub(super) fn every_event_and_stream(
        &self,
        mut each: impl FnMut(&Event),
        visit: impl FnMut(&State),
    ) -> Result<Position, ReadError> {
        self.fold(Some(&mut each), visit)
    }

    fn fold(
        &self,
        mut each: Option<&mut dyn FnMut(&Event)>,
        mut visit: impl FnMut(&State),
    ) -> Result<Position, ReadError> {
        let mut from = String::new();
        loop {
            let mut pass = Pass::starting_at(from, self.wanted.bytes());
            let mut reached = 0;
            each_line(self.reader, self.last, self.wanted, |line, position| {
                reached = position;
                if each.is_none() && !pass.may_want(line) {
                    return Ok(());
                }
                let event = decoded(line, position)?.event;
                each.iter_mut().for_each(|each| each(&event));
                pass.take(&event)
            })?;
            pass.streams.values().for_each(|state| visit(state));
            match pass.until {
                Some(next) => from = next,
                None => return Ok(reached),
            }
            // All events were visited in the first pass.
            each = None;
        }
    }
}

/// A `Pass` has the states of the streams of a range of names.
struct Pass {
    /// This is the first name of the range, as text.
    from: String,
    /// This is the first name after the range; `None` while it has no end.
    until: Option<String>,
    streams: BTreeMap<StreamName, Box<State>>,
    /// These are about how many bytes the states take, and may take.
    bytes: usize,
    most: usize,
}

impl Pass {
    fn starting_at(from: String, most: usize) -> Self {
        Self { from, until: None, streams: BTreeMap::new(), bytes: 0, most }
    }

    /// Says whether a stream is in the range. The names as text are in the order of the streams.
    fn has(&self, stream: &str) -> bool {
        stream >= self.from.as_str() && self.until.as_ref().is_none_or(|until| stream < until.as_str())
    }

    /// Says whether a line may be of a stream of the range. A line that does not say its stream in the usual way may be: it is
    /// then decoded, and refused for that.
    fn may_want(&self, line: &[u8]) -> bool {
        codec::stream_of(line).is_none_or(|stream| self.has(stream))
    }

    /// Takes in the next event of a stream, where the stream is in the range.
    fn take(&mut self, event: &Event) -> Result<(), ReadError> {
        if !event.stream.with_text(|stream| self.has(stream)) {
            return Ok(());
        }
        let before = self.streams.get_mut(&event.stream);
        let next = before.as_ref().map_or(0, |state| state.revision().saturating_add(1));
        // A stream that is damaged has events that do not follow from those before them; the index leaves them out, too.
        if next != event.revision {
            return Ok(());
        }
        let after =
            State::evolve(before.as_deref().map(Box::as_ref), event).map_err(ReadError::unreadable)?;
        self.bytes = self.bytes.saturating_add(weight(&after));
        match before {
            Some(state) => {
                self.bytes = self.bytes.saturating_sub(weight(state));
                **state = after;
            }
            None => drop(self.streams.insert(event.stream.clone(), Box::new(after))),
        }
        if self.bytes > self.most {
            self.shorten();
        }
        Ok(())
    }

    /// Leaves the last eighth of the streams to a later pass, and at least one of several.
    fn shorten(&mut self) {
        let kept = self.streams.len() - self.streams.len().div_ceil(8);
        let Some(first) = self.streams.keys().nth(kept.max(1)).cloned() else { return };
        self.streams.split_off(&first).values().for_each(|state| {
            self.bytes = self.bytes.saturating_sub(weight(state));
        });
        self.until = Some(first.to_string());
    }
}

/// Returns about how many bytes a state takes here.
fn weight(state: &State) -> usize {
    match state {
        State::Account(account) => ACCOUNT + HOLD * account.holds.len(),
        State::Transfer(_) => TRANSFER,
        State::Delivery(_, destination) => TRANSFER + PARKED * destination.parked.len(),
        State::Letter(_) => ACCOUNT,
    }
}

/// Reads the events of the journal from its beginning up to a position, while that is wanted.
///
/// # Errors
/// Fails when the journal can't be read, or is not wanted any more.
pub(super) fn each_event(
    reader: &dyn Journal,
    last: Position,
    wanted: &Wanted,
    mut visit: impl FnMut(&Event, Position),
) -> Result<(), ReadError> {
    each_line(reader, last, wanted, |line, position| {
        visit(&decoded(line, position)?.event, position);
        Ok(())
    })
}

/// Reads the lines of the journal from its beginning up to a position, while that is wanted.
fn each_line(
    reader: &dyn Journal,
    last: Position,
    wanted: &Wanted,
    mut visit: impl FnMut(&[u8], Position) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut looked_at = 0;
    while looked_at < last {
        wanted.check()?;
        let lines = reader.lines(looked_at, PAGE)?;
        if lines.is_empty() {
            return Err(IndexError::damaged("the journal ends before its head").into());
        }
        for line in lines_of(&lines) {
            let position = codec::position_of(line);
            let position = position.ok_or_else(|| IndexError::damaged("a line has no position"))?;
            looked_at = position;
            if position > last {
                break;
            }
            visit(line, position)?;
        }
    }
    Ok(())
}

/// Decodes a line that says to stand at this position.
fn decoded(line: &[u8], position: Position) -> Result<Line, ReadError> {
    let line = codec::decode_proven(line).map_err(ReadError::unreadable)?;
    if line.position == position {
        Ok(line)
    } else {
        Err(IndexError::damaged("a line has two positions").into())
    }
}
