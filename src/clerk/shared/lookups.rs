//! [`Lookups`] have what the index and the journal say of the IDs that some commands name. They are fetched before any
//! of the commands is decided, so that the decisions themselves wait for nothing. How often an ID was named does not
//! matter: only the events that were booked with it and the one that ruled it out are read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::domain::account::event::Effect;
use crate::domain::command::Command;
use crate::domain::currency::Currency;
use crate::domain::event::Event;
use crate::domain::ids::{AccountName, Id};
use crate::domain::stream::StreamName;
use crate::index::{Index, IndexError, TakenBack, Used};
use crate::store::Position;
use crate::store::eventstoredb::Store;

use super::booked::Booked;
use super::common::Common;
use super::trouble::Trouble;

type Map<K, V> = HashMap<K, V, RandomState>;

/// `Lookups` are what the index knows of the IDs, for one stream.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    found: Map<Id, Found>,
    /// These are the currencies of the accounts of transfers that are asked for; an account that is not there does not exist.
    currencies: Map<AccountName, Currency>,
}

/// A `Found` is what the index knows of an ID.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// These are the events that were booked with it, on this stream or others.
    pub(super) booked: Vec<Booked>,
    /// This is the ID of the event that ruled it out on this stream.
    pub(super) ruled_out_by: Option<Id>,
    /// This is the sum that was taken back of it on this stream.
    pub(super) taken_back: Option<TakenBack>,
    /// This is the reason why an event that concerns the ID can't be read, if there is one.
    pub(super) unreadable: Option<String>,
}

/// `Places` are the positions of the events that concern an ID, and the sum that was taken back.
struct Places {
    used: Used,
    ruled_out: Option<Position>,
    taken_back: Option<TakenBack>,
}

impl Lookups {
    /// Looks up every ID that these commands on a stream name.
    pub(super) async fn fetch<'a>(
        common: &Common,
        stream: &StreamName,
        commands: impl Iterator<Item = &'a Command> + Clone,
    ) -> Result<Self, Trouble> {
        let Common { store, index, reserved, .. } = common;
        let mut lookups = Self::default();
        // This must come before the index is asked: what the index has learned is not reserved any more.
        let corrected = |command: &'a Command| command.corrects().iter().copied().map(Id::Client);
        let its = |command: &Command| Some(command.id).filter(|id| !id.is_absent());
        let own = commands.clone().flat_map(|command| its(command).into_iter().chain(corrected(command)));
        for id in own.clone() {
            if let Some(booked) = reserved.booked_elsewhere(id, stream) {
                let found = lookups.found.entry(id).or_default();
                if found.booked.is_empty() {
                    found.booked.push(booked);
                }
            }
        }
        let named: HashSet<Id> = commands.clone().filter_map(Command::names).collect();
        // Their order is that in which the store is asked, so it must not be a random one.
        let parties: BTreeSet<AccountName> = commands
            .clone()
            .filter_map(Command::parties)
            .flat_map(|(from, to)| std::iter::once(from).chain(to))
            .cloned()
            .collect();
        let others = own.chain(commands.flat_map(Command::followers)).filter(|id| !named.contains(id));
        let asked: HashSet<Id> = others.chain(named.iter().copied()).collect();
        let places = asked.into_iter().map(|id| {
            let places = places(index, id, stream, named.contains(&id))?;
            Ok::<_, IndexError>((id, places))
        });
        let places: Vec<(Id, Places)> = places.collect::<Result<_, _>>().map_err(|error| {
            tracing::error!(%error, "the index can't be read");
            Trouble::Unreachable
        })?;
        let mut positions: Vec<Position> = places.iter().flat_map(|(_, places)| places.all()).collect();
        positions.sort_unstable();
        positions.dedup();
        let events = fetch(common, &positions).await?;
        for (id, places) in places {
            lookups.found.entry(id).or_default().fill(id, stream, places, &events);
        }
        for account in parties {
            if let Some(currency) = currency(store, index, &account).await? {
                lookups.currencies.insert(account, currency);
            }
        }
        Ok(lookups)
    }

    /// Returns the currency of an account of a transfer; `None` when there is no such account.
    pub(super) fn currency(&self, account: &AccountName) -> Option<Currency> {
        self.currencies.get(account).copied()
    }

    /// Returns what the index knows of an ID.
    pub(super) fn of(&self, id: Id) -> Option<&Found> {
        self.found.get(&id)
    }
}

fn places(index: &Index, id: Id, stream: &StreamName, named: bool) -> Result<Places, IndexError> {
    let used = index.used(id)?;
    let ruled_out = if used.ruled_out { index.ruled_out(id, stream)? } else { None };
    let taken_back = if named { Some(index.taken_back(id, stream)?) } else { None };
    Ok(Places { used, ruled_out, taken_back })
}

impl Places {
    fn all(&self) -> impl Iterator<Item = Position> {
        self.used.booked.iter().copied().chain(self.ruled_out)
    }
}

/// Returns the currency of an account. An account that the index does not know may have been opened a moment ago, by another
/// instance, so that its stream is asked then.
async fn currency(store: &Store, index: &Index, account: &AccountName) -> Result<Option<Currency>, Trouble> {
    let stream = StreamName::Account(account.clone());
    let tracked = index.tracked(&stream).map_err(|error| {
        tracing::error!(%error, "the index can't be read");
        Trouble::Unreachable
    })?;
    if let Some(account) = tracked.as_ref().and_then(|tracked| tracked.state.account()) {
        return Ok(Some(account.currency));
    }
    let Some(opening) = store.stream(&stream, 0, 1).await?.into_iter().next() else { return Ok(None) };
    let read = opening.read().map_err(|foreign| Trouble::foreign(&foreign, 0))?;
    Ok(read.line.event.account().map(|body| body.currency))
}

/// `Events` are the events at some positions; in place of an event that can't be read stands the reason.
type Events = Map<Position, Result<Arc<Event>, String>>;

impl Found {
    /// Takes in what was found. It checks that each event is what the index says of it.
    fn fill(&mut self, id: Id, stream: &StreamName, places: Places, events: &Events) {
        self.taken_back = places.taken_back;
        for position in places.used.booked {
            if let Some(event) = self.proven(events, position, |event| event.id == id) {
                self.booked.push(Booked { event, position });
            }
        }
        let rules_out =
            |event: &Event| event.stream == *stream && event.names() == Some((id, Effect::RuledOut));
        if let Some(position) = places.ruled_out {
            self.ruled_out_by = self.proven(events, position, rules_out).map(|event| event.id);
        }
    }

    fn proven(
        &mut self,
        events: &Events,
        position: Position,
        part: impl Fn(&Event) -> bool,
    ) -> Option<Arc<Event>> {
        let why = match events.get(&position) {
            Some(Ok(event)) if part(event) => return Some(Arc::clone(event)),
            Some(Ok(_)) => format!("the event at position {position} has not the part that the index says"),
            Some(Err(why)) => why.clone(),
            None => format!("the event that was seen at position {position} is gone"),
        };
        self.unreadable = Some(why);
        None
    }
}

/// Returns the events at these positions: the recent ones as they are kept, the others from the store.
async fn fetch(common: &Common, positions: &[Position]) -> Result<Events, Trouble> {
    let (mut events, mut others) = (Events::default(), Vec::new());
    for position in positions {
        match common.recent.at(*position) {
            Some(event) => drop(events.insert(*position, Ok(event))),
            None => others.push(*position),
        }
    }
    if others.is_empty() {
        return Ok(events);
    }
    let found = common.store.all_at(&others).await?;
    events.extend(found.into_iter().map(|recorded| {
        let read = recorded.read().map(|read| Arc::new(read.line.event));
        (recorded.position, read.map_err(|foreign| format!("position {}: {foreign}", recorded.position)))
    }));
    Ok(events)
}
