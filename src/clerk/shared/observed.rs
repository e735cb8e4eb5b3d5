//! [`Observed`] is what the follower and the watch have seen of the store, as the tasks and the probes ask for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::last_event::LastEvent;
use crate::domain::stream::StreamName;
use crate::seldom::Seldom;
use crate::store::eventstoredb::Error;
use crate::tasks::now;

/// An `Observed` is what has been seen of the store.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub(super) connected: AtomicBool,
    pub(super) twice: AtomicUsize,
    /// This is true once an event was met that a newer version wrote. It booked an ID that can't be read.
    outdated: AtomicBool,
    /// This asks the follower to follow anew from its last event.
    pub(super) again: Notify,
    /// This is true when the store's end was lately found in the index.
    sees: watch::Sender<bool>,
    /// Everything up to this position was received and taken in.
    looked_at: watch::Sender<u64>,
    last: Mutex<LastEvent>,
    /// This is the store's end as it was last asked for and not found yet, and when it was asked for.
    awaited: Mutex<Option<(u64, Instant)>>,
    /// This is when the store was last asked for its end that is in the index.
    seen_at: Mutex<Option<Instant>>,
    /// This is why the store can't be followed.
    trouble: Mutex<Option<Error>>,
    /// This is how many events each stream lacks at least that the index never had.
    missing: Mutex<BTreeMap<StreamName, u64>>,
    accepts_missing: AtomicBool,
    accepted: Seldom,
    complaint: Seldom,
    progress: Seldom,
    /// This is the reading of what was there when it began to follow.
    reading: Mutex<Option<Reading>>,
    /// This is the number of bytes of positions for each event taken in, times 256. It tells events from positions.
    stride: AtomicU64,
}

/// This is the most streams that are named as lacking events.
const MOST_NAMED: usize = 10;

/// A reading of this many events is worth a line in the log.
const FAR: u64 = 10_000;

/// A `Reading` says how far a reading up to the store's end has come.
#[derive(Clone, Copy, Debug)]
struct Reading {
    begun: Instant,
    from: u64,
    end: u64,
    events: u64,
}

/// A `Lag` says how far the index is behind the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lag {
    /// This is about how many events are missing. It is estimated, because positions tell bytes.
    pub(super) events: usize,
    pub(super) time: Duration,
}

impl Observed {
    pub(super) fn looked_at(&self) -> u64 {
        *self.looked_at.borrow()
    }

    /// Notes that everything up to this position has been taken in.
    pub(super) fn look_at(&self, position: u64) {
        self.looked_at.send_replace(position);
        let mut awaited = self.awaited.lock();
        if awaited.is_some_and(|(end, _)| end <= position) {
            *awaited = None;
        }
    }

    /// Waits until everything up to a position has been taken in.
    pub(super) async fn has_looked_at(&self, position: u64) {
        let mut looked_at = self.looked_at.subscribe();
        // The sender lives as long as this.
        let _reached = looked_at.wait_for(|reached| *reached >= position).await;
    }

    pub(super) fn last(&self) -> LastEvent {
        self.last.lock().clone()
    }

    pub(super) fn set_last(&self, last: LastEvent) {
        *self.last.lock() = last;
    }

    /// Notes that the store ended at this position when it was asked at this moment.
    pub(super) fn await_end(&self, end: u64, asked: Instant) {
        let mut awaited = self.awaited.lock();
        if end > self.looked_at() {
            let since = awaited.map_or(asked, |(_, since)| since);
            *awaited = Some((end, since));
        }
    }

    /// Takes in how many bytes of positions some events took. The lag in events is estimated from it.
    pub(super) fn measured(&self, events: usize, bytes: u64) {
        if events > 0 {
            let one = bytes.saturating_mul(256) / events as u64;
            let before = self.stride.load(Ordering::Relaxed);
            let now = if before == 0 { one } else { (before.saturating_mul(7).saturating_add(one)) / 8 };
            self.stride.store(now.max(1), Ordering::Relaxed);
        }
    }

    /// Returns how far the index is behind the store's end.
    pub(super) fn lag(&self) -> Lag {
        let Some((end, since)) = *self.awaited.lock() else { return Lag::default() };
        let bytes = end.saturating_sub(self.looked_at());
        let stride = self.stride.load(Ordering::Relaxed).max(256);
        let events = usize::try_from(bytes.saturating_mul(256) / stride).unwrap_or(usize::MAX);
        Lag { events: events.max(1), time: now().saturating_duration_since(since) }
    }

    /// Notes that the index has what was in the store at this moment.
    pub(super) fn saw(&self, asked: Instant) {
        *self.seen_at.lock() = Some(asked);
    }

    /// Returns the last moment of which it is known that the index has what was in the store then.
    pub(super) fn seen_at(&self) -> Option<Instant> {
        *self.seen_at.lock()
    }

    /// Says whether the index has what is in the store.
    pub(super) fn sees(&self) -> bool {
        *self.sees.borrow()
    }

    /// Says whether an ID may be booked that the index does not know.
    pub(super) fn may_book(&self) -> bool {
        self.sees() && self.knows_all_that_it_saw()
    }

    /// Says whether there is no event that it knows of and can't read.
    fn knows_all_that_it_saw(&self) -> bool {
        !self.lacks_events() && !self.is_outdated()
    }

    /// Notes whether the index has what is in the store, and says whether that was otherwise before.
    pub(super) fn set_sees(&self, sees: bool) -> bool {
        self.sees.send_replace(sees) != sees
    }

    /// Waits until an ID may be booked that the index does not know.
    pub(super) async fn has_sight(&self) {
        let mut sees = self.sees.subscribe();
        // The sender lives as long as this.
        let _sees = sees.wait_for(|sees| *sees && self.knows_all_that_it_saw()).await;
    }

    pub(super) fn set_accepts_missing(&self, accepts: bool) {
        self.accepts_missing.store(accepts, Ordering::Release);
    }

    /// Notes that a stream lacks at least so many events.
    pub(super) fn lack(&self, stream: &StreamName, count: u64) {
        let mut missing = self.missing.lock();
        let known = missing.entry(stream.clone()).or_default();
        if *known < count {
            *known = count;
            tracing::error!(%stream, at_least = count, "events are missing in the store, and the index never had them");
        }
    }

    pub(super) fn missing(&self) -> BTreeMap<StreamName, u64> {
        self.missing.lock().clone()
    }

    /// Says whether the store lacks events and nobody has accepted that.
    pub(super) fn lacks_events(&self) -> bool {
        let lacks = !self.missing.lock().is_empty();
        lacks && !self.accepts_missing.load(Ordering::Acquire)
    }

    /// Logs again that events are missing, even when that was accepted.
    pub(super) fn remind(&self) {
        let missing: u64 = self.missing.lock().values().sum();
        if missing > 0
            && let Some(_times) = self.accepted.due()
        {
            let accepted = self.accepts_missing.load(Ordering::Acquire);
            tracing::warn!(
                missing,
                accepted,
                "the store lacks events: an ID that they booked may be booked again"
            );
        }
    }

    /// Returns, in words, which accounts lack how many events, when that keeps the instance from being ready.
    pub(super) fn lacking(&self) -> Option<String> {
        if !self.lacks_events() {
            return None;
        }
        let missing = self.missing.lock();
        let named: Vec<String> = missing
            .iter()
            .take(MOST_NAMED)
            .map(|(stream, count)| format!("{stream} lacks at least {count}"))
            .collect();
        let more = missing.len().saturating_sub(named.len());
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        Some(format!("{}{more}.", named.join(", ")))
    }

    /// Notes that the store can't be followed. It logs one line when that begins or its kind changes, then one a
    /// minute.
    pub(super) fn complain(&self, error: &Error) {
        if matches!(error, Error::Newer(_)) {
            self.outdated.store(true, Ordering::Release);
        }
        let before = self.trouble.lock().replace(error.clone());
        *self.reading.lock() = None;
        if before.is_none_or(|before| kind(&before) != kind(error)) {
            self.complaint.over();
        }
        if let Some(times) = self.complaint.due() {
            tracing::warn!(%error, times, "the store can't be followed; trying again");
        }
    }

    /// Returns the kind of what is wrong with the store, as a word for a figure.
    pub(super) fn trouble_kind(&self) -> &'static str {
        self.trouble.lock().as_ref().map_or("connecting", kind)
    }

    /// Notes that the store is followed.
    pub(super) fn content(&self) {
        self.outdated.store(false, Ordering::Release);
        *self.trouble.lock() = None;
        *self.reading.lock() = None;
    }

    /// Says whether an event was met that a newer version wrote. It stays so while the events after the last one that is known
    /// are read again.
    pub(super) fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::Acquire)
    }

    /// Notes that the follower begins to read up to the store's end.
    pub(super) fn begin_reading(&self, from: u64, end: u64) {
        let _known_no_more = self.trouble.lock().take_if(|_| !self.is_outdated());
        *self.reading.lock() = Some(Reading { begun: now(), from, end, events: 0 });
    }

    pub(super) fn has_read(&self, events: usize) {
        let far = {
            let mut reading = self.reading.lock();
            let Some(reading) = &mut *reading else { return };
            reading.events += events as u64;
            reading.events >= FAR
        };
        if far
            && self.progress.due().is_some()
            && let Some(progress) = self.progress()
        {
            tracing::info!("the index is catching up with the store. {progress}");
        }
    }

    pub(super) fn is_catching_up(&self) -> bool {
        self.reading.lock().is_some()
    }

    /// Returns why the store can't be followed, or how far the reading has come.
    pub(super) fn cause(&self) -> Option<String> {
        if let Some(trouble) = &*self.trouble.lock() {
            return Some(format!("The cause: {trouble}."));
        }
        self.progress()
    }

    /// Returns, in words, how far the reading has come, how fast it is, and how long it still takes.
    fn progress(&self) -> Option<String> {
        let reading = (*self.reading.lock())?;
        let (done, all) =
            (self.looked_at().saturating_sub(reading.from), reading.end.saturating_sub(reading.from));
        let elapsed = now().saturating_duration_since(reading.begun).as_secs_f64().max(0.001);
        let share = if all == 0 { 1.0 } else { (done as f64 / all as f64).min(1.0) };
        let left = if share > 0.0 { elapsed / share - elapsed } else { 0.0 };
        Some(format!(
            "It has read {:.0} % of what was there, {} events, {:.0} a second; about {left:.0} s are left.",
            share * 100.0,
            reading.events,
            reading.events as f64 / elapsed
        ))
    }
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Denied => "denied",
        Error::Newer(_) => "upgrade",
        Error::Settings(_) => "settings",
        Error::Untrusted(_) => "certificate",
        Error::Unreachable(_) | Error::Dropped(_) => "unreachable",
        Error::Deleted | Error::TooLarge | Error::Damaged(_) | Error::NoSuchPosition(_) => "refused",
    }
}
