//! The memtable has what the index knows of events that are durable but not yet in its files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Bound, Range};

use foldhash::fast::RandomState;

use crate::domain::account::event::{AccountEvent, Effect};
use crate::domain::currency::Currency;
use crate::domain::digest::EndedSum;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, CounterAccount, Id};
use crate::domain::money::Money;
use crate::domain::stream::StreamName;
use crate::store::chain::Hash;

use crate::index::layers::{InternalKey, Layers, Tracked};
use crate::index::record::{
    Facts, Mark, Record, Role, Series, StreamKey, id_key, naming_key, place_key, ruled_out_key,
};
use crate::index::spans::{Moved, Span, counts, shortest_span};
use crate::index::timer_key::timer_key;

type Map<K, V> = HashMap<K, V, RandomState>;

/// A `Reached` is the place in the journal up to which events were taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// This is the last event's position.
    pub position: u64,
    /// This is the journal's hash there.
    pub hash: Hash,
    /// This is the hash of that event itself. It equals `hash` where the chain runs along the journal.
    pub event: Hash,
}

impl From<(u64, Hash)> for Reached {
    fn from((position, hash): (u64, Hash)) -> Self {
        Self { position, hash, event: hash }
    }
}

/// A `Note` is a note: something about the journal that must not be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The ID was recorded on two streams, in a race between two instances.
    Twice(Id),
    /// The stream is not what the ledger wrote; its events from there on are not in the index.
    Damaged(StreamName, String),
    /// The stream lacks so many events, which this index never had: nobody knows which IDs they booked.
    Missing(StreamName, u64),
}

/// A `ReversedKey` is an ID, and the stream on which it was taken back.
pub type ReversedKey = (Id, StreamName);

/// A `Memtable` has the events since some checkpoint, in maps for each question that the index answers.
#[derive(Debug)]
pub struct Memtable {
    /// This is the index's seed, with which the keys of some IDs are made.
    seed: u64,
    booked: Map<u128, u64>,
    others: Map<u128, Vec<Mark>>,
    /// These are the records of each stream and own account, by series, each in the order of its revisions.
    revisions: Map<(StreamKey, Series), Vec<Record>>,
    /// These are the keys of the ledger's own accounts, which are kept because computing one costs a hash.
    own_keys: Map<CounterAccount, StreamKey>,
    places: Vec<Record>,
    /// These are the IDs that were ruled out on some stream, with the position of the first event that did so.
    ruled_out: Map<u128, u64>,
    reversed: Map<ReversedKey, (Currency, Money)>,
    /// These are the sums of the backdated events of each stream, by spans of time.
    moved: Map<StreamName, BTreeMap<Span, (Currency, Moved)>>,
    /// These layers say how streams and own accounts stand.
    layers: Layers,
    /// These are the accounts that were opened, by name: a page of accounts finds all others in the catalog.
    opened: BTreeSet<AccountName>,
    notes: Vec<Note>,
    /// These are the timers of the streams, by time. One may be past already: the state of its stream says so.
    timers: BTreeSet<Vec<u8>>,
    /// This is by how many holds more are open after its events than before them.
    open_holds: i64,
    last: Option<Reached>,
}

impl Memtable {
    /// Makes an empty memtable of an index with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            booked: Map::default(),
            others: Map::default(),
            ruled_out: Map::default(),
            revisions: Map::default(),
            own_keys: Map::default(),
            places: Vec::new(),
            reversed: Map::default(),
            moved: Map::default(),
            layers: Layers::default(),
            opened: BTreeSet::new(),
            notes: Vec::new(),
            timers: BTreeSet::new(),
            open_holds: 0,
            last: None,
        }
    }

    /// Takes in one event.
    pub fn event(&mut self, stream: StreamKey, event: &Event, position: u64) {
        let known = Facts::of(event, position);
        let facts = known.pack();
        let key = id_key(event.id, self.seed);
        if let Some(elsewhere) = self.booked.insert(key, position) {
            let mark = Mark { position: elsewhere, role: Role::Booked };
            self.others.entry(key).or_default().push(mark);
        }
        self.revision(stream, Series::All, event.revision, facts);
        if let Some(series) = known.series() {
            self.revision(stream, series, event.revision, facts);
        }
        self.places.push(Record { key: place_key(position, event.recorded_at.micros()), value: facts });
        let Some(body) = event.account() else { return };
        if event.revision == 0 {
            self.opened.extend(event.stream.account().cloned());
        }
        if known.series() == Some(Series::Backdated) {
            self.backdated(event, body, facts);
        }
        if let Some((named, effect)) = event.names() {
            let role = match effect {
                Effect::RuledOut => Role::RuledOut,
                Effect::Settled => Role::Settled,
                Effect::TakenBack(amount) => {
                    let none = (body.currency, Money::zero(body.currency));
                    let key = (named, event.stream.clone());
                    let (_, sum) = self.reversed.entry(key).or_insert(none);
                    *sum = sum.plus(amount.money()).unwrap_or(*sum);
                    Role::Reversed
                }
            };
            let mark = Mark { position, role };
            self.others.entry(naming_key(named, self.seed)).or_default().push(mark);
            if role == Role::RuledOut {
                self.others.entry(ruled_out_key(named, &event.stream, self.seed)).or_default().push(mark);
                // One position is enough: it only says that the ID was ruled out on some stream.
                self.ruled_out.entry(id_key(named, self.seed)).or_insert(position);
            }
        }
        for id in body.corrects() {
            self.revision(StreamKey::of_corrections(Id::Client(*id)), Series::All, position, facts);
        }
        if let Some(change) = body.sets_aside() {
            self.open_holds += if change.is_negative() { -1 } else { 1 };
        }
        if let Some(entries) = body.entries() {
            let own = match self.own_keys.get(entries.counter_account) {
                Some(key) => *key,
                None => {
                    let key = StreamKey::of_own(entries.counter_account);
                    self.own_keys.insert(entries.counter_account.clone(), key);
                    key
                }
            };
            self.revision(own, Series::All, position, facts);
            self.layers.add(&(entries.counter_account.clone(), body.currency), entries.guarded.negated());
        }
    }

    /// Takes in an event of which the client said when it happened.
    fn backdated(&mut self, event: &Event, body: &AccountEvent, facts: u64) {
        let span = StreamKey::of_span(&event.stream, shortest_span(body.effective_at));
        self.revision(span, Series::All, event.revision, facts);
        let moved = body.entries().map_or_else(|| Money::zero(body.currency), |entries| entries.guarded);
        let spans = self.moved.entry(event.stream.clone()).or_default();
        let times = (body.effective_at, event.recorded_at);
        for (span, moved) in counts(body.currency, moved, event.revision, times) {
            let (_, sum) = spans.entry(span).or_insert((body.currency, Moved::nothing(body.currency)));
            // A sum that can't be counted could not be booked either: the balance would be too large.
            *sum = sum.with(moved).unwrap_or(*sum);
        }
    }

    /// Returns what the events here moved in some spans of time.
    pub(in crate::index) fn moved(
        &self,
        stream: &StreamName,
        spans: Range<Span>,
    ) -> impl Iterator<Item = Moved> {
        let of = self.moved.get(stream).filter(|_| spans.start < spans.end);
        of.into_iter().flat_map(move |of| of.range(spans.clone())).map(|(_, (_, moved))| *moved)
    }

    /// Returns all that the events here moved, by stream and span of time.
    pub(in crate::index) fn all_moved(&self) -> impl Iterator<Item = (&StreamName, Span, Currency, &Moved)> {
        self.moved.iter().flat_map(|(stream, spans)| {
            spans.iter().map(move |(span, (currency, moved))| (stream, *span, *currency, moved))
        })
    }

    fn revision(&mut self, stream: StreamKey, series: Series, revision: u64, facts: u64) {
        let record = Record { key: stream.revision(series, revision), value: facts };
        // Where there are many streams most have one event here, and room for more is not made before it is needed.
        self.revisions.entry((stream, series)).or_insert_with(|| Vec::with_capacity(1)).push(record);
    }

    /// Takes in how a stream stands after the events that were taken in.
    pub fn state(&mut self, tracked: Tracked) {
        if let Some(at) = tracked.state.timer() {
            self.timers.insert(timer_key(at, &tracked.state.stream()));
        }
        self.layers.set(tracked);
    }

    /// Takes in by how much the events changed the sum of the transfers that have ended.
    pub fn ended(&mut self, change: EndedSum) {
        self.layers.add_ended(change);
    }

    /// Notes that everything up to this place was taken in.
    pub fn reached(&mut self, last: Reached) {
        self.last = Some(last);
    }

    /// Returns by how many holds more are open after its events than before them.
    pub(in crate::index) fn open_holds(&self) -> i64 {
        self.open_holds
    }

    /// Returns the first timers after this one, in their order.
    pub(in crate::index) fn timers(&self, after: &[u8], limit: usize) -> impl Iterator<Item = &Vec<u8>> {
        self.timers.range::<[u8], _>((Bound::Excluded(after), Bound::Unbounded)).take(limit)
    }

    /// Says whether any timer is set here.
    pub(in crate::index) fn has_timers(&self) -> bool {
        !self.timers.is_empty()
    }

    /// Takes out a timer that is past.
    pub(in crate::index) fn forget_timer(&mut self, timer: &[u8]) {
        self.timers.remove(timer);
    }

    /// Takes a note.
    pub fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// Returns the notes that were taken, in order.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Returns the number of events that it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Says whether it holds no event and no note.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.notes.is_empty()
    }

    /// Returns the place that was last given to [`reached`](Self::reached).
    #[must_use]
    pub fn last(&self) -> Option<Reached> {
        self.last
    }

    /// Appends the marks that stand under a key of the tree of IDs.
    pub fn marks(&self, key: u128, out: &mut Vec<Mark>) {
        let ruled_out = self.ruled_out.get(&key);
        out.extend(ruled_out.map(|position| Mark { position: *position, role: Role::RuledOut }));
        out.extend(self.booked.get(&key).map(|position| Mark { position: *position, role: Role::Booked }));
        out.extend(self.others.get(&key).into_iter().flatten());
    }

    /// Returns how the stream stands, if it has an event here.
    #[must_use]
    pub fn tracked(&self, stream: &StreamName) -> Option<&Tracked> {
        self.layers.get(stream)
    }

    /// Returns all streams that have an event here, in no order.
    pub fn all_streams(&self) -> impl Iterator<Item = &Tracked> {
        self.layers.streams()
    }

    /// Returns the sums that the events here took back, by ID and stream.
    pub fn all_reversed(&self) -> impl Iterator<Item = (&ReversedKey, &(Currency, Money))> {
        self.reversed.iter()
    }

    /// Returns how much was taken back of an ID on a stream by the events here.
    #[must_use]
    pub fn reversed(&self, key: &ReversedKey) -> Option<Money> {
        self.reversed.get(key).map(|(_, amount)| *amount)
    }

    /// Returns the sums by which the events here changed the ledger's own accounts. One account may come several times.
    pub fn all_internal(&self) -> impl Iterator<Item = (&InternalKey, &Money)> {
        self.layers.internal()
    }

    /// Returns the accounts that were opened by events here, by name, from after `after`.
    pub(in crate::index) fn opened(&self, after: Option<&AccountName>) -> impl Iterator<Item = &AccountName> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.opened.range::<AccountName, _>((after, Bound::Unbounded))
    }

    /// Returns the layers, which say how streams and own accounts stand.
    pub(in crate::index) fn layers(&self) -> &Layers {
        &self.layers
    }

    /// Returns the layers, so that they can be sealed.
    pub(in crate::index) fn layers_mut(&mut self) -> &mut Layers {
        &mut self.layers
    }

    /// Appends records of a stream's series with `low <= key <= high`, about `limit` from one end.
    pub fn revisions(
        &self,
        series: (StreamKey, Series),
        low: u128,
        high: u128,
        backwards: bool,
        limit: usize,
        out: &mut Vec<Record>,
    ) {
        if let Some(records) = self.revisions.get(&series) {
            slice(records, low, high, backwards, limit, out);
        }
    }

    /// Appends place records with `low <= key <= high`, about `limit` from one end.
    pub fn places(&self, low: u128, high: u128, backwards: bool, limit: usize, out: &mut Vec<Record>) {
        slice(&self.places, low, high, backwards, limit, out);
    }

    /// Returns all records for the tree of IDs, sorted.
    #[must_use]
    pub fn id_records(&self) -> Vec<Record> {
        let booked = self.booked.iter().map(|(key, position)| Record {
            key: *key,
            value: Mark { position: *position, role: Role::Booked }.pack(),
        });
        let others = self
            .others
            .iter()
            .flat_map(|(key, marks)| marks.iter().map(|mark| Record { key: *key, value: mark.pack() }));
        let ruled_out = self.ruled_out.iter().map(|(key, position)| Record {
            key: *key,
            value: Mark { position: *position, role: Role::RuledOut }.pack(),
        });
        let mut records: Vec<_> = booked.chain(others).chain(ruled_out).collect();
        records.sort_unstable();
        records
    }

    /// Returns all records for the tree of revisions, sorted.
    #[must_use]
    pub fn revision_records(&self) -> Vec<Record> {
        let mut records: Vec<_> = self.revisions.values().flatten().copied().collect();
        records.sort_unstable();
        records
    }

    /// Returns all records for the tree of places, which come sorted.
    #[must_use]
    pub fn place_records(&self) -> &[Record] {
        &self.places
    }
}

/// Appends the records of a range of keys. The records are in the order of their keys, so a range of them is a slice.
fn slice(records: &[Record], low: u128, high: u128, backwards: bool, limit: usize, out: &mut Vec<Record>) {
    let start = records.partition_point(|record| record.key < low);
    let end = records.partition_point(|record| record.key <= high);
    let inside = records.get(start..end).unwrap_or_default();
    if backwards {
        out.extend(inside.iter().rev().take(limit));
    } else {
        out.extend(inside.iter().take(limit));
    }
}
