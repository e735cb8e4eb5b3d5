//! A journal in EventStoreDB is read for the commands that audit one: a thread reads the store and feeds the auditor, which
//! must not know the store.

use futures_util::{StreamExt, stream};
use tokio::runtime::Runtime;

use super::outcome::Error;
use crate::audit;
use crate::audit::source::channel::{AuditorGone, FedJournal, Feeder, fed};
use crate::config::ConnectionString;
use crate::domain::stream::StreamName;
use crate::store::eventstoredb::{Error as StoreError, Recorded, Store};
use crate::with_causes::with_causes;

/// A page has this many events.
const PAGE: usize = 4_096;
/// At most this many streams are asked about at once.
const ASKED_AT_ONCE: usize = 32;

/// The flag that names a store in place of a folder or a file.
#[derive(Debug, clap::Args)]
pub(super) struct StoreFlag {
    /// An EventStoreDB in its place, by its connection string (esdb://HOST:2113).
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<ConnectionString>,
}

/// A `Connected` is a connection to a store, with the runtime that its work is done in.
pub(super) struct Connected {
    runtime: Runtime,
    store: Store,
}

impl Connected {
    /// Reads the connection string. Whether the store can be reached shows when it is read.
    pub(super) fn to(connection: &ConnectionString) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let store = runtime.block_on(Store::new(connection.reveal()))?;
        Ok(Self { runtime, store })
    }

    /// Gives the journal, up to the end that it has when it is reached.
    pub(super) fn journal(&self) -> FedJournal {
        let (feeder, fed) = fed();
        let (store, handle) = (self.store.clone(), self.runtime.handle().clone());
        // This thread may wait for the auditor. It ends at the latest when the auditor takes no more.
        self.runtime.spawn_blocking(move || {
            let pages = |after| handle.block_on(store.journal(after, PAGE));
            // Nobody is left to be told.
            let _auditor_gone = feed(feeder, pages);
        });
        fed
    }

    /// Finds out which of these streams no longer show everything that was written to them, and why.
    pub(super) fn cut(&self, streams: &[String]) -> Result<Vec<(String, String)>, audit::error::Error> {
        let asked = stream::iter(streams.iter().filter_map(|stream| StreamName::parse(stream)))
            .map(|stream| {
                let store = self.store.clone();
                async move {
                    let why = match store.cut(&stream).await {
                        Err(StoreError::Deleted) => Ok(Some("deleted for ever".to_owned())),
                        cut => cut,
                    };
                    why.map(|why| why.map(|why| (stream.to_string(), why)))
                }
            })
            .buffered(ASKED_AT_ONCE);
        let answers: Vec<_> = self.runtime.block_on(asked.collect());
        let answers: Result<Vec<_>, StoreError> = answers.into_iter().collect();
        let answers = answers.map_err(|error| audit::error::Error::Store(error.into()))?;
        Ok(answers.into_iter().flatten().collect())
    }
}

/// Feeds page after page, up to one that is not full.
fn feed(
    feeder: Feeder,
    mut page: impl FnMut(u64) -> Result<Vec<Recorded>, StoreError>,
) -> Result<(), AuditorGone> {
    let mut after = 0;
    loop {
        let events = match page(after) {
            Ok(events) => events,
            Err(error) => return feeder.failed(error.into()),
        };
        let mut lines = Vec::new();
        for event in &events {
            match event.line() {
                Ok(line) => {
                    lines.extend_from_slice(&line);
                    lines.push(b'\n');
                }
                Err(foreign) => {
                    feeder.lines(std::mem::take(&mut lines))?;
                    let (stream, position) = (event.stream.clone(), event.position);
                    match foreign.newer() {
                        Some(what) => feeder.newer(stream, position, what)?,
                        None => feeder.foreign(stream, position, with_causes(&foreign))?,
                    }
                }
            }
        }
        feeder.lines(lines)?;
        match events.last() {
            Some(last) if events.len() >= PAGE => after = last.position,
            _ => return feeder.end(),
        }
    }
}
