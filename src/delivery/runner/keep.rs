//! [`Keeper`] keeps one destination: it is served while it may be, and what became of it is read again whenever something is
//! told.
//!
//! How a destination stands is the fold of its stream, and nothing else is remembered from one process to the next. What it had
//! claimed and not settled becomes a letter each, because nobody knows whether it was sent.

use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use crate::client::random::Draws;
use crate::delivery::port::{NotRecorded, Port, Unreadable};
use crate::delivery::settings::Given;
use crate::delivery::webhook::Webhook;
use crate::domain::delivery::event::TakenWhy;
use crate::domain::delivery::flow::Flow;
use crate::domain::delivery::{Destination, Stage};

use super::beats::Beats;
use super::books::Books;
use super::chosen::Chooser;
use super::feed::Feed;
use super::figures::Figures;
use super::hand::Hand;
use super::jobs::Tools;
use super::log::Log;
use super::owner::Owner;
use super::patience::Patience;
use super::selection::Selection;
use super::serving::Serving;
use super::told::Told;

/// A `Keeper` keeps one destination that the settings name.
pub(super) struct Keeper {
    pub(super) port: Arc<dyn Port>,
    pub(super) given: Given,
    pub(super) owner: Owner,
    pub(super) figures: Arc<Figures>,
    /// This is how many destinations share the memory.
    pub(super) among: usize,
    pub(super) draws: Draws,
}

/// The reason why a destination can't be served at the moment.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    NotRecorded(#[from] NotRecorded),
    #[error("its TLS can't be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Keeper {
    /// Keeps the destination until the service stops.
    pub(super) async fn run(self, mut told: watch::Receiver<Told>) {
        let mut patience = Patience::default();
        loop {
            let before = *told.borrow_and_update();
            if before.is_stopping {
                return;
            }
            match self.begin().await {
                Ok(Some(serving)) => {
                    serving.run(&mut told).await;
                    if *told.borrow() != before {
                        patience = Patience::default();
                        continue;
                    }
                }
                Ok(None) => {
                    if told.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(destination = %self.given.name, error, "the destination can't be served yet");
                }
            }
            patience.wait(&self.draws).await;
        }
    }

    /// Begins to serve the destination; `None` where it is not to be served as it stands.
    async fn begin(&self) -> Result<Option<Serving>, Trouble> {
        let name = &self.given.name;
        let Some(mut state) = self.port.destination(name).await? else { return Ok(None) };
        if state.stage != Stage::Open || self.owner.holds(name, &state) {
            return Ok(None);
        }
        let why = match (&state.granted, &state.serving) {
            (Some(_), _) => Some(TakenWhy::Resumed),
            (None, None) => Some(TakenWhy::First),
            (None, Some(_)) => None,
        };
        if let Some(why) = why {
            self.port.record(name, &self.owner.take(why)).await?;
            let Some(after) = self.port.destination(name).await? else { return Ok(None) };
            state = after;
        }
        self.serving(&state).await
    }

    async fn serving(&self, state: &Destination) -> Result<Option<Serving>, Trouble> {
        let name = &self.given.name;
        let selection = Selection::read(&*self.port, name, state).await?;
        let through = state.through.unwrap_or_else(|| selection.begins());
        let beats = Beats::begin();
        let beat = beats.beat(self.port.now());
        let (Some(flow), Some(term)) = (Flow::new(state, through, &beat), state.term()) else {
            return Ok(None);
        };
        let webhook = Webhook::new(self.given.target.clone(), self.given.secrets.clone())
            .map_err(|error| Trouble::Tls(Box::new(error)))?;
        let chooser = Chooser { name: name.clone(), journal: self.port.journal(), selection };
        let books = Books {
            port: Arc::clone(&self.port),
            chooser,
            topic: self.given.target.as_str().into(),
            draws: Draws::fresh(),
            log: Log::of(&self.given.name),
        };
        Ok(Some(Serving {
            tools: Arc::new(Tools { books, webhook }),
            term,
            flow,
            feed: Feed::new(self.port.follow(through)),
            hand: Hand::among(self.among),
            beats,
            figures: Arc::clone(&self.figures),
            jobs: FuturesUnordered::new(),
            stops_at: None,
            is_blind: false,
        }))
    }
}
