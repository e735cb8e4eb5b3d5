//! The runner sends: it keeps one task for each destination that the settings name, from the journal's tail to the receiver and
//! back to the journal.
//!
//! The way of an event: the feed brings the line, the destination's selection chooses it, it becomes a message whose
//! bytes never change, the flow (`domain::delivery::flow`) says when it is sent, the webhook sends it once, and what came of it
//! goes back to the flow, which says what is recorded. The decisions are pure and lie in the domain; here are the tasks, the
//! clocks and the memory.
//!
//! Nothing waits for it: it reads what is durable, and what it records goes through the ledger like any other command. Bounds:
//! 4,096 messages or 8 MiB in hand for each destination, 64 MiB for all, `in_flight` attempts at once. A destination that has
//! nothing to do records nothing. A task that panics is told in the log and counted; the others go on.

mod acts;
mod alarm;
mod beats;
mod begun;
mod books;
mod chosen;
mod contend;
mod contender;
mod feed;
mod figures;
mod hand;
mod jobs;
mod keep;
mod log;
mod owner;
mod parked;
mod patience;
mod selection;
mod serving;
mod settle;
mod shown;
mod told;
mod trial;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::client::random::Draws;
use crate::domain::delivery::event::PauseCode;
use crate::domain::delivery::name::DestinationName;
use crate::domain::ids::Id;
use crate::domain::time::Timestamp;
use crate::ledger::FolderId;
use crate::tasks::{self, Running};

use super::port::Port;
use super::settings::Given;
use begun::Keeper;
use figures::Figures;
use patience::Patience;
use told::Told;

pub use acts::NotPrepared;
pub use figures::Seen;
pub use owner::Owner;
pub use parked::ParkedMessage;
pub use settle::SettleError;
pub use shown::{Condition, Shown};

/// The `Deliveries` are all destinations of a ledger, in the process that may send to them.
#[derive(Clone)]
pub struct Deliveries(Arc<Inner>);

struct Inner {
    port: Arc<dyn Port>,
    owner: Owner,
    /// This is when they were begun.
    begun_at: Timestamp,
    kept: BTreeMap<DestinationName, Kept>,
    /// These are the keepers that have not begun.
    waiting: Mutex<Waiting>,
    running: Mutex<Vec<Running<()>>>,
    /// This is true once it stops.
    stops: watch::Sender<bool>,
    panics: Arc<AtomicU64>,
    /// These are the IDs of the trials that are under way.
    trials: Mutex<BTreeSet<Id>>,
}

/// `Waiting` are the settings as they are to be settled, and the keepers that begin after that.
#[derive(Default)]
struct Waiting {
    given: Vec<Given>,
    keepers: Vec<(DestinationName, Keeper, watch::Receiver<Told>)>,
}

/// A `Kept` is what is known of a destination that has a task.
struct Kept {
    told: watch::Sender<Told>,
    figures: Arc<Figures>,
    given: Given,
}

impl Deliveries {
    /// Makes those that the settings name. Nothing is recorded or sent before [`begin`](Self::begin).
    #[must_use]
    pub fn new(port: Arc<dyn Port>, given: Vec<Given>, owner: Owner) -> Self {
        let among = given.iter().filter(|given| !given.is_removed).count();
        let (mut kept, mut keepers) = (BTreeMap::new(), Vec::new());
        for given in given.iter().filter(|given| !given.is_removed) {
            let name = given.name.clone();
            let (told, hears) = watch::channel(Told::default());
            let figures = Arc::new(Figures::default());
            let keeper = Keeper {
                port: Arc::clone(&port),
                given: given.clone(),
                owner: owner.clone(),
                figures: Arc::clone(&figures),
                among,
                draws: Draws::fresh(),
            };
            keepers.push((name.clone(), keeper, hears));
            kept.insert(name, Kept { told, figures, given: given.clone() });
        }
        let (begun_at, waiting) = (port.now(), Mutex::new(Waiting { given, keepers }));
        let (running, stops, panics) = (Mutex::default(), watch::Sender::new(false), Arc::default());
        Self(Arc::new(Inner {
            port,
            owner,
            begun_at,
            kept,
            waiting,
            running,
            stops,
            panics,
            trials: Mutex::default(),
        }))
    }

    /// Makes those of a process that may send nothing, and records nothing.
    #[must_use]
    pub fn none(port: Arc<dyn Port>) -> Self {
        Self::new(port, Vec::new(), Owner::new(FolderId::default(), true))
    }

    /// Records what the settings change, and begins to send. It must be called inside a tokio runtime. With a code it pauses
    /// every destination before anything is sent, also those that the settings have just set up or opened.
    ///
    /// # Errors
    /// Fails when the settings contradict the journal, or the ledger can't be read or written: then nothing is sent.
    async fn begin(&self, pause: Option<PauseCode>) -> Result<(), SettleError> {
        let given = self.0.waiting.lock().given.clone();
        settle::settle(&self.0.port, &given, self.0.owner.heeds()).await?;
        if let Some(code) = pause {
            settle::pause_all(&*self.0.port, code).await?;
        }
        let keepers = std::mem::take(&mut self.0.waiting.lock().keepers);
        let panics = || Arc::clone(&self.0.panics);
        let begins = keepers.into_iter().map(|(name, keeper, hears)| watched(name, keeper, hears, panics()));
        self.0.running.lock().extend(begins);
        Ok(())
    }

    /// Does the same as soon as the ledger can be read and written, over a store that may be away for any time. It
    /// returns when it has begun, or is stopped.
    ///
    /// # Errors
    /// Fails when the settings contradict the journal: then nothing is sent.
    pub async fn begin_when_ready(&self, pause: Option<PauseCode>) -> Result<(), SettleError> {
        let (mut stops, mut patience, draws) =
            (self.0.stops.subscribe(), Patience::default(), Draws::fresh());
        while !*stops.borrow_and_update() {
            match self.begin(pause).await {
                Err(error) if error.may_pass() => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "the destinations can't be settled yet"
                    );
                }
                settled => return settled,
            }
            tokio::select! {
                _ = stops.changed() => {}
                () = patience.wait(&draws) => {}
            }
        }
        Ok(())
    }

    /// Makes them and begins.
    ///
    /// # Errors
    /// Fails as [`begin`](Self::begin) does.
    pub async fn start(port: Arc<dyn Port>, given: Vec<Given>, owner: Owner) -> Result<Self, SettleError> {
        let deliveries = Self::new(port, given, owner);
        deliveries.begin(None).await?;
        Ok(deliveries)
    }

    /// Returns how many destinations are not served any more because their task has panicked.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::Relaxed)
    }

    /// Stops sending. It returns when what was under way has ended and is recorded, or after 26 seconds.
    pub async fn stop(&self) {
        self.0.stops.send_replace(true);
        for kept in self.0.kept.values() {
            kept.told.send_modify(|told| told.is_stopping = true);
        }
        let running = std::mem::take(&mut *self.0.running.lock());
        for task in running {
            task.await;
        }
    }
}

/// Starts the task of one destination, and tells when it panics. The others go on.
fn watched(
    name: DestinationName,
    keeper: Keeper,
    hears: watch::Receiver<Told>,
    panics: Arc<AtomicU64>,
) -> Running<()> {
    tasks::spawn(async move {
        if tasks::spawn(keeper.run(hears)).await.is_none() {
            panics.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                destination = %name,
                "the task of this destination has panicked: nothing is sent there until the service is started again"
            );
        }
    })
}
