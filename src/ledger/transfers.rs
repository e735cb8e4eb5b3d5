//! These reads say how transfers stand. What a transfer has done is in its own stream and, by the IDs of its steps, in the
//! accounts' streams.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::event::Event;
use crate::domain::ids::{AccountName, Id, Step, TransactionId};
use crate::domain::kind::Kind;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::time::Timestamp;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::event::{Fact, TransferEvent};
use crate::domain::transfer::stage::Stage;
use crate::index::record::Role;
use crate::index::{Index, IndexError, Past};
use crate::store::Reader;

use super::handle::Ledger;
use super::history::placed;
use super::types::{Placed, Position, ReadError, SearchQuery};

/// This is the most events of one transfer's stream that are shown.
const MOST_EVENTS: usize = 1_000;

/// This is about how many events are read together of transfers that have ended.
const TOGETHER: usize = 1_024;

/// This is how many attempts at a capture or a release are looked for.
const MOST_ATTEMPTS: u32 = 12;

/// A `TransferReading` is a transfer with its events and its steps.
#[derive(Clone, Debug)]
pub struct TransferReading {
    /// This is the transfer, as it stands.
    pub transfer: Transfer,
    /// These are the events of its own stream, in order.
    pub events: Vec<Placed>,
    /// These are the events of its steps on accounts, by step and attempt.
    pub steps: Vec<Placed>,
}

/// A `TransferQuery` says which transfers a list wants. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct TransferQuery {
    /// Only transfers in this state are wanted.
    pub state: Option<Stage>,
    /// Only transfers out of this account or into it are wanted.
    pub account: Option<AccountName>,
    /// Only transfers that were requested at or after this moment are wanted.
    pub from: Option<Timestamp>,
    /// Only transfers that were requested before this moment are wanted.
    pub to: Option<Timestamp>,
    /// Only transfers that were requested before this position are wanted; the newest come first.
    pub before: Option<Position>,
    /// This is the most requests that are looked at.
    pub limit: usize,
}

/// A `TransfersPage` is a page of the list of transfers.
#[derive(Clone, Debug)]
pub struct TransfersPage {
    /// These are the transfers, the newest first, each with the event of its request.
    pub transfers: Vec<(Placed, Transfer)>,
    /// This is the position before which the next page begins, where there is more.
    pub more_before: Option<Position>,
}

impl Ledger {
    /// Returns a transfer as it stands; `None` when there is none with this ID.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn transfer_state(&self, id: TransactionId) -> Result<Option<Transfer>, ReadError> {
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || state(&index, &reader, id)).await
    }

    /// Returns a transfer with its events and its steps; `None` when there is none with this ID.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn transfer(&self, id: TransactionId) -> Result<Option<TransferReading>, ReadError> {
        let stream = StreamName::Transfer(id);
        self.0.clerk.stream_readable(&stream)?;
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.blocking(move || {
            let tracked = index.tracked(&stream)?;
            let past = if tracked.is_none() { index.past(&stream)? } else { None };
            let positions: Vec<Position> = match (&tracked, &past) {
                (Some(tracked), _) => {
                    let all = 0..=tracked.state.revision();
                    let found = index.revisions(tracked.key, all, false, MOST_EVENTS)?;
                    found.iter().map(|(_, facts)| facts.position).collect()
                }
                (None, Some(past)) => past.positions().to_vec(),
                (None, None) => return Ok(None),
            };
            let events = placed(&reader, &positions)?;
            if events.iter().any(|placed| placed.event.stream != stream) {
                return Err(IndexError::damaged("an event is not of the transfer that the index says").into());
            }
            let tracked = match past {
                Some(past) => Some(past.fold(events.iter().map(|placed| placed.event.as_ref()), None)?),
                None => tracked,
            };
            let Some(transfer) = tracked.as_ref().and_then(|tracked| tracked.state.transfer()).cloned()
            else {
                return Ok(None);
            };
            let steps = steps(&index, &reader, id)?;
            Ok(Some(TransferReading { transfer, events, steps }))
        })
        .await
    }

    /// Returns a page of the list of transfers.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn transfers(&self, query: TransferQuery) -> Result<TransfersPage, ReadError> {
        let TransferQuery { state: wanted, account, from, to, before, limit } = query;
        let kind = Some(Kind::Transfer);
        let search = SearchQuery { kind, from, to, before, limit: limit + 1, ..SearchQuery::default() };
        let found = self.search(search).await?;
        let more_before = found.get(limit).and(found.get(limit - 1)).map(|last| last.position);
        let (index, reader) = (self.0.index.clone(), self.0.reader.clone());
        self.page(move || {
            let fits =
                |placed: &Placed| account.as_ref().is_none_or(|account| has_side(&placed.event, account));
            let requests: Vec<Placed> = found.into_iter().take(limit).filter(fits).collect();
            let transfers = states(&index, &reader, &requests)?;
            let transfers = requests.into_iter().zip(transfers).filter_map(|(placed, transfer)| {
                let transfer =
                    transfer.filter(|transfer| wanted.is_none_or(|wanted| transfer.stage == wanted));
                Some((placed, transfer?))
            });
            Ok(TransfersPage { transfers: transfers.collect(), more_before })
        })
        .await
    }

    /// Returns what `keep` makes of the transfers that have not ended, in the order of their IDs; there may be very many, so
    /// that only what is needed of them is kept. It does not wait for a turn among the pages: the figures are read with it, and
    /// must be there also when many read lists.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn open_transfers_that<T: Send + 'static>(
        &self,
        mut keep: impl FnMut(&Transfer) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, ReadError> {
        let index = self.0.index.clone();
        self.blocking(move || {
            let mut kept = Vec::new();
            index.overlay(|overlay| overlay.every_open_transfer(|transfer| kept.extend(keep(transfer))))?;
            Ok(kept)
        })
        .await
    }
}

fn state(index: &Index, reader: &Reader, id: TransactionId) -> Result<Option<Transfer>, ReadError> {
    let tracked = index.stands(&StreamName::Transfer(id), |positions| events_at(reader, positions))?;
    Ok(tracked.as_ref().and_then(|tracked| tracked.state.transfer()).cloned())
}

/// Says whether a request is for a transfer out of this account or into it.
fn has_side(request: &Event, account: &AccountName) -> bool {
    let Some(TransferEvent { fact: Fact::Requested { terms, .. }, .. }) = request.transfer() else {
        return false;
    };
    terms.from == *account || terms.to.account() == Some(account)
}

/// Returns how the transfers of these requests stand, each in its place. The events of those that have ended are read together,
/// about [`TOGETHER`] at a time.
fn states(index: &Index, reader: &Reader, requests: &[Placed]) -> Result<Vec<Option<Transfer>>, ReadError> {
    let mut states = Vec::with_capacity(requests.len());
    let mut ended: Vec<(usize, Past)> = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        let stream = &request.event.stream;
        let tracked = index.tracked(stream)?;
        if tracked.is_none() {
            ended.extend(index.past(stream)?.map(|past| (place, past)));
        }
        states.push(tracked.and_then(|tracked| tracked.state.transfer().cloned()));
    }
    let mut ended = ended.into_iter().peekable();
    while ended.peek().is_some() {
        let mut positions: Vec<Position> = Vec::new();
        let mut some = Vec::new();
        while let Some((place, past)) = ended.next_if(|_| positions.len() < TOGETHER) {
            // The first event is that of the request, which was read.
            positions.extend(past.positions().iter().skip(1));
            some.push((place, past));
        }
        let mut events = placed(reader, &positions)?.into_iter().map(|placed| placed.event);
        for (place, past) in some {
            let later: Vec<Arc<Event>> = events.by_ref().take(past.positions().len() - 1).collect();
            let request = requests.get(place).map(|request| &request.event);
            let tracked = past.fold(request.into_iter().chain(&later).map(Arc::as_ref), None)?;
            if let Some(state) = states.get_mut(place) {
                *state = tracked.state.transfer().cloned();
            }
        }
    }
    Ok(states)
}

fn events_at(reader: &Reader, positions: &[Position]) -> Result<Vec<Arc<Event>>, ReadError> {
    Ok(placed(reader, positions)?.into_iter().map(|placed| placed.event).collect())
}

/// Returns the events of a transfer's steps, by step and attempt.
fn steps(index: &Index, reader: &Reader, of: TransactionId) -> Result<Vec<Placed>, ReadError> {
    let mut found = Vec::new();
    for step in [Step::Hold, Step::Credit, Step::RuleOut, Step::Capture, Step::Release] {
        for attempt in 1..=MOST_ATTEMPTS {
            let id = Id::Step { of, step, attempt };
            let marks = index.marks(id)?;
            let booked: Vec<Position> =
                marks.iter().filter(|mark| mark.role == Role::Booked).map(|mark| mark.position).collect();
            if booked.is_empty() {
                break;
            }
            let is_it = |event: &Event| event.id == id;
            found.extend(placed(reader, &booked)?.into_iter().filter(|placed| is_it(&placed.event)));
        }
    }
    Ok(found)
}

impl Ledger {
    /// Returns the time, by the clock that the ledger goes by.
    pub(crate) fn now(&self) -> Timestamp {
        (self.0.clock_watch.clock())()
    }

    /// Returns a time, of the clock that tasks wait by: everything is known here that was in the journal at that time.
    pub(crate) fn seen_at(&self) -> Option<Instant> {
        self.0.clerk.seen_at()
    }

    /// Says whether no other process writes to the store.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.clerk.is_alone()
    }
}

/// Returns the transfer after one more event of its stream, if it is the next one.
pub(crate) fn next(before: &Transfer, event: &Event) -> Option<Transfer> {
    let state = State::evolve(Some(&State::Transfer(before.clone())), event).ok()?;
    state.transfer().cloned()
}
