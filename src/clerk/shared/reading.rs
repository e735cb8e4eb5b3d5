//! [`Reading`] reads the journal up to its end, ahead of the follower that takes it in.
//!
//! The next page is read while the one before is decoded, and decoded while an earlier one is taken into the index: each of
//! the three costs about the same. Bound: at most [`AHEAD`] pages wait.

use tokio::sync::mpsc;

use crate::store::eventstoredb::{Error, Followed, Foreign, Read, Recorded, Store};
use crate::tasks::{Ending, Running, spawn};

/// This is the most events of a page.
const PAGE: usize = 2_000;
/// This is how many pages wait at most until they are taken in.
const AHEAD: usize = 2;

/// An `Arrived` is an event as the store has it, and as it was decoded.
pub(super) struct Arrived {
    pub(super) recorded: Recorded,
    pub(super) read: Result<Read, Foreign>,
}

impl Arrived {
    /// Decodes an event, and checks its id.
    pub(super) fn of(recorded: Recorded) -> Self {
        let read = recorded.read();
        Self { recorded, read }
    }

    /// Decodes the event of a subscription's message, if it has one.
    pub(super) fn in_subscription(followed: Followed) -> Option<Self> {
        match followed {
            Followed::Event(recorded) => Some(Self::of(recorded)),
            Followed::CaughtUp => None,
        }
    }
}

/// An `ArrivedPage` has the events of a page, and how far it was read for them.
pub(super) struct ArrivedPage {
    pub(super) events: Vec<Arrived>,
    pub(super) seen: u64,
}

/// A `Reading` is under way until it is dropped.
pub(super) struct Reading {
    pages: mpsc::Receiver<Result<Running<ArrivedPage>, Error>>,
    reader: Ending,
}

impl Reading {
    /// Begins to read behind a position.
    pub(super) fn after(store: &Store, position: u64) -> Self {
        let (sender, pages) = mpsc::channel(AHEAD);
        let reader = spawn(read(store.clone(), position, sender)).ending();
        Self { pages, reader }
    }

    /// Returns the next page. The last one has no events.
    ///
    /// # Errors
    /// Fails when the store can't be read.
    pub(super) async fn next(&mut self) -> Result<ArrivedPage, Error> {
        let ended = || Error::Dropped("the reading ended".to_owned());
        let page = self.pages.recv().await.unwrap_or_else(|| Err(ended()))?;
        page.await.ok_or_else(ended)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(store: Store, from: u64, pages: mpsc::Sender<Result<Running<ArrivedPage>, Error>>) {
    let mut after = from;
    loop {
        let page = store.followable(after, PAGE).await;
        let last = page.as_ref().map_or(true, |page| page.events.is_empty());
        let decoding = page.map(|page| {
            after = page.seen;
            let (events, seen) = (page.events, page.seen);
            spawn(async move { ArrivedPage { events: events.into_iter().map(Arrived::of).collect(), seen } })
        });
        if pages.send(decoding).await.is_err() || last {
            return;
        }
    }
}
