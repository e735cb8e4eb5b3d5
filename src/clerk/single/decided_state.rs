//! The decided state is what the next decision needs to know. All decisions before it count in it, durable or not.
//!
//! What is durable is in the index. What is kept here is what the index does not know yet, and what it was asked for not
//! long ago. It is bounded by about [`MOST_CACHED`] streams, [`RECENT`] durable events, and one append under way with what
//! is decided on top of it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::clerk::rule::{Decided, First, Past, Seen};
use crate::clerk::verdict::Unavailable;
use crate::domain::account::event::Effect;
use crate::domain::currency::Currency;
use crate::domain::digest::EndedSum;
use crate::domain::event::{Event, EvolveError};
use crate::domain::ids::{AccountName, Id};
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::trace::Trace;
use crate::index::record::StreamKey;
use crate::index::{Index, IndexError, RunError, Tracked, Used};
use crate::store::{Position, ReadError, Reader};

/// This is the number of streams in memory beyond which those that the last append did not touch are removed. A removed
/// stream is looked up again when it is needed. With two appends of new streams there are no more than a table of 131,072
/// places takes, which is not made twice as large then.
pub(super) const MOST_CACHED: usize = 81_920;

/// This is the most events that are kept after they became durable. Most retries come soon, and then cost no reading.
const RECENT: usize = 16_384;

type Map<K, V> = HashMap<K, V, RandomState>;

/// The reason why a command can't be decided.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    /// The index can't be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// An event that the command needs can't be read.
    #[error(transparent)]
    Store(#[from] ReadError),
    /// An event that the command needs is not what the index says of it.
    #[error("the event at position {0} has not the part that the index says")]
    Misplaced(Position),
    /// A decided event does not follow from those before it, which is a fault of this program.
    #[error(transparent)]
    Evolve(#[from] EvolveError),
}

impl StateError {
    /// Returns what the caller of this one command is told.
    pub(super) fn unavailable(&self) -> Unavailable {
        match self {
            Self::Index(IndexError::Damaged(_) | IndexError::Run(RunError::Damaged(_)))
            | Self::Store(ReadError::Damaged(_) | ReadError::Failed(_))
            | Self::Misplaced(_)
            | Self::Evolve(_) => Unavailable::StoreDamaged,
            // The same may be readable in a moment: for example, too many files were open.
            Self::Index(IndexError::Catalog(_) | IndexError::Io(_) | IndexError::Run(RunError::Io(..)))
            | Self::Store(ReadError::Unreachable(_)) => Unavailable::StoreUnavailable,
        }
    }
}

/// A `Batch` is a batch: decisions that are appended together.
#[derive(Default)]
pub(super) struct Batch {
    number: u64,
    pub(super) events: Vec<Arc<Event>>,
    /// This is the key of each event's stream.
    pub(super) keys: Vec<StreamKey>,
    /// This is by how much its events change the sum of the transfers that have ended.
    pub(super) ended: EndedSum,
    /// These are the streams that have an event in the batch, each once.
    touched: Vec<StreamName>,
}

struct Slot {
    tracked: Tracked,
    /// This is the number of the batch that touched the stream last; 0 for none.
    batch: u64,
}

/// A `Named` is the trace of an ID on one stream, kept while an event that names the ID is not durable yet.
struct Named {
    stream: StreamName,
    trace: Trace,
    /// This is the number of events that name the ID and are not durable yet.
    undurable: usize,
}

pub(super) struct DecidedState {
    index: Index,
    reader: Reader,
    /// This is the batch of what was decided since the last batch was taken.
    open: Batch,
    streams: Map<StreamName, Slot>,
    /// These are the events that are not durable yet or became durable not long ago, by their ID.
    booked: Map<Id, Arc<Event>>,
    /// These are the IDs of the durable events in `booked`, oldest first.
    recent: VecDeque<Id>,
    /// These are the traces of each ID that is named by an event that is not durable yet. The index can't be asked for
    /// these: it takes in an append when that becomes durable, and this state is told a moment later.
    named: Map<Id, Vec<Named>>,
}

impl DecidedState {
    pub(super) fn new(index: Index, reader: Reader) -> Self {
        Self {
            index,
            reader,
            open: Batch { number: 1, ..Batch::default() },
            streams: Map::default(),
            booked: Map::default(),
            recent: VecDeque::new(),
            named: Map::default(),
        }
    }

    /// Returns the events that were decided since the last batch was taken.
    pub(super) fn open(&self) -> &[Arc<Event>] {
        &self.open.events
    }

    /// Takes out what was decided, to be appended, with the states of the streams that it touched.
    pub(super) fn take_batch(&mut self) -> (Batch, Vec<Tracked>) {
        let next = Batch { number: self.open.number + 1, ..Batch::default() };
        let batch = std::mem::replace(&mut self.open, next);
        let tracked = |stream: &StreamName| self.streams.get(stream).map(|slot| slot.tracked.clone());
        let touched = batch.touched.iter().filter_map(tracked).collect();
        (batch, touched)
    }

    /// Notes that a batch is durable and in the index, and removes what was kept for it.
    pub(super) fn settle(&mut self, batch: &Batch) {
        for event in &batch.events {
            if let Some((id, _)) = event.names() {
                self.let_go(id, &event.stream);
            }
        }
        self.recent.extend(batch.events.iter().map(|event| event.id));
        while self.recent.len() > RECENT {
            if let Some(oldest) = self.recent.pop_front() {
                self.booked.remove(&oldest);
            }
        }
        if self.streams.len() > MOST_CACHED {
            self.streams.retain(|_, slot| slot.batch > batch.number);
        }
    }

    fn let_go(&mut self, id: Id, stream: &StreamName) {
        let Some(traces) = self.named.get_mut(&id) else { return };
        traces.retain_mut(|named| {
            named.undurable = named.undurable.saturating_sub(usize::from(named.stream == *stream));
            named.undurable > 0
        });
        if traces.is_empty() {
            self.named.remove(&id);
        }
    }

    /// Takes back a batch whose append failed, and everything that was decided on top of it. None of it will become
    /// durable; the states of its streams are read from the index again.
    pub(super) fn take_back(&mut self, failed: &Batch) {
        let (on_top, _) = self.take_batch();
        for batch in [failed, &on_top] {
            batch.touched.iter().for_each(|stream| drop(self.streams.remove(stream)));
            batch.events.iter().for_each(|event| drop(self.booked.remove(&event.id)));
        }
        self.named.clear();
    }

    /// Reads the event at a position that the index names, and checks that it is what the index says of it.
    fn proven(&self, position: Position, part: impl Fn(&Event) -> bool) -> Result<Event, StateError> {
        let event = self.reader.event(position)?.event;
        if part(&event) { Ok(event) } else { Err(StateError::Misplaced(position)) }
    }

    /// Returns how a stream stands after its last durable event.
    fn stored(&self, stream: &StreamName) -> Result<Option<Tracked>, StateError> {
        self.index.stands(stream, |positions| {
            let lines = self.reader.events(positions)?;
            Ok(lines.into_iter().map(|line| line.event).collect())
        })
    }

    /// Returns the durable event with this ID on this stream.
    fn booked_on(&self, id: Id, stream: &StreamName, used: &Used) -> Result<Option<Event>, StateError> {
        for position in &used.booked {
            let event = self.proven(*position, |event| event.id == id)?;
            if event.stream == *stream {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Returns the ID of the durable event that ruled this ID out on this stream.
    fn ruled_out_by(&self, id: Id, stream: &StreamName, used: &Used) -> Result<Option<Id>, StateError> {
        if !used.ruled_out {
            return Ok(None);
        }
        let Some(position) = self.index.ruled_out(id, stream)? else { return Ok(None) };
        let rules_out =
            |event: &Event| event.stream == *stream && event.names() == Some((id, Effect::RuledOut));
        Ok(Some(self.proven(position, rules_out)?.id))
    }

    /// Updates the traces that an event changes: that of its own ID, and that of the other ID that it names.
    fn follow_traces(&mut self, event: &Arc<Event>, known: Option<Trace>) {
        let own = self.named.get_mut(&event.id).into_iter().flatten();
        own.filter(|named| named.stream == event.stream).for_each(|own| own.trace.take_in(event.id, event));
        let (Some((id, _)), Some(trace)) = (event.names(), known) else { return };
        let traces = self.named.entry(id).or_default();
        let place = traces.iter().position(|named| named.stream == event.stream).unwrap_or(traces.len());
        if place == traces.len() {
            traces.push(Named { stream: event.stream.clone(), trace, undurable: 0 });
        }
        if let Some(named) = traces.get_mut(place) {
            named.trace.take_in(id, event);
            named.undurable += 1;
        }
    }

    fn named(&self, id: Id, stream: &StreamName) -> Option<&Trace> {
        let traces = self.named.get(&id)?;
        traces.iter().find(|named| named.stream == *stream).map(|named| &named.trace)
    }
}

impl Past for DecidedState {
    type Error = StateError;

    fn seen(&mut self, id: Id, stream: &StreamName) -> Result<Seen, StateError> {
        if let Some(event) = self.booked.get(&id) {
            return Ok(Seen::Booked(First::AtHand(Arc::clone(event))));
        }
        let used = self.index.used(id)?;
        if let Some(position) = used.booked.first() {
            return Ok(Seen::Booked(First::Stored(*position)));
        }
        let ruled_out_by = match self.named(id, stream) {
            Some(trace) => trace.ruled_out_by,
            None => self.ruled_out_by(id, stream, &used)?,
        };
        Ok(ruled_out_by.map_or(Seen::Never, Seen::RuledOut))
    }

    fn trace(&mut self, id: Id, stream: &StreamName) -> Result<Trace, StateError> {
        if let Some(trace) = self.named(id, stream) {
            return Ok(trace.clone());
        }
        let used = self.index.used(id)?;
        let first = match self.booked.get(&id) {
            Some(event) => Some(Arc::clone(event)).filter(|event| event.stream == *stream),
            None => self.booked_on(id, stream, &used)?.map(Arc::new),
        };
        if first.is_none() {
            let ruled_out_by = self.ruled_out_by(id, stream, &used)?;
            return Ok(Trace { ruled_out_by, ..Trace::default() });
        }
        Ok(Trace { first, taken_back: self.index.taken_back(id, stream)?.sum, ruled_out_by: None })
    }

    fn state(&mut self, stream: &StreamName) -> Result<Option<&State>, StateError> {
        if !self.streams.contains_key(stream)
            && let Some(tracked) = self.stored(stream)?
        {
            self.streams.insert(stream.clone(), Slot { tracked, batch: 0 });
        }
        Ok(self.streams.get(stream).map(|slot| &slot.tracked.state))
    }

    fn currency(&mut self, account: &AccountName) -> Result<Option<Currency>, StateError> {
        let state = self.state(&StreamName::Account(account.clone()))?;
        Ok(state.and_then(State::account).map(|account| account.currency))
    }

    fn take_in(&mut self, decided: Decided) -> bool {
        let Decided { event, state, named } = decided;
        let number = self.open.number;
        let key = match self.streams.get_mut(&event.stream) {
            Some(slot) => {
                self.open.ended.went_on(Some(&slot.tracked.state), &state);
                if slot.batch != number {
                    self.open.touched.push(event.stream.clone());
                }
                (slot.tracked.state, slot.batch) = (state, number);
                slot.tracked.key
            }
            None => {
                self.open.ended.went_on(None, &state);
                let key = StreamKey::of(&event.stream);
                let slot = Slot { tracked: Tracked { state, key, hash: None }, batch: number };
                self.streams.insert(event.stream.clone(), slot);
                self.open.touched.push(event.stream.clone());
                key
            }
        };
        self.follow_traces(&event, named);
        self.booked.insert(event.id, Arc::clone(&event));
        self.open.keys.push(key);
        self.open.events.push(event);
        true
    }
}
