//! [`Keeper`] is who keeps one destination, with what it needs to begin to serve it.
//!
//! How a destination stands is the fold of its stream, and nothing else is remembered from one process to the next. What it had
//! claimed and not settled becomes a letter each, because nobody knows whether it was sent.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;

use crate::client::random::Draws;
use crate::delivery::port::{NotRecorded, Port, Unreadable};
use crate::delivery::settings::Given;
use crate::delivery::webhook::Webhook;
use crate::domain::delivery::Destination;
use crate::domain::delivery::flow::Flow;

use super::alarm::Alarm;
use super::beats::Beats;
use super::books::Books;
use super::chosen::Chooser;
use super::contender::Lease;
use super::feed::Feed;
use super::figures::Figures;
use super::hand::Hand;
use super::jobs::Tools;
use super::log::Log;
use super::owner::Owner;
use super::selection::Selection;
use super::serving::Serving;

/// This is how long an instance waits before it looks again at a destination that it can't serve with its settings.
const ELSEWHERE: Duration = Duration::from_secs(60);

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
pub(super) enum Trouble {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    NotRecorded(#[from] NotRecorded),
    #[error("its TLS can't be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A `Begun` says what came of the begin.
pub(super) enum Begun {
    /// The destination is served.
    Serves(Box<Serving>),
    /// It is not to be served as it stands. It is looked at again when something is told, or after this time.
    Rests(Option<Duration>),
}

impl Keeper {
    /// Reads what must be known to go on with a destination that stands so: what is under way there, and the journal from
    /// there on.
    pub(super) async fn prepared(
        &self,
        state: &Destination,
    ) -> Result<Option<(Flow, Feed, Chooser, Beats)>, Trouble> {
        let name = &self.given.name;
        let selection = Selection::read(&*self.port, name, state).await?;
        let through = state.through.unwrap_or_else(|| selection.begins());
        let beats = Beats::begin();
        let beat = beats.beat(self.port.now());
        let chooser = Chooser { name: name.clone(), journal: self.port.journal(), selection };
        let Some(flow) = Flow::new(state, through, &beat) else { return Ok(None) };
        Ok(Some((flow, Feed::new(self.port.follow(through)), chooser, beats)))
    }

    pub(super) async fn serving(&self, state: &Destination, lease: Lease) -> Result<Begun, Trouble> {
        if state.terms.channel.target() != self.given.target.as_str() {
            tracing::warn!(
                destination = %self.given.name,
                "other settings than those of this instance are recorded: it sends nothing to this destination"
            );
            return Ok(Begun::Rests(Some(ELSEWHERE)));
        }
        let (Some((flow, feed, chooser, beats)), Some(term)) = (self.prepared(state).await?, state.term())
        else {
            return Ok(Begun::Rests(None));
        };
        let webhook = Webhook::new(self.given.target.clone(), self.given.secrets.clone())
            .map_err(|error| Trouble::Tls(Box::new(error)))?;
        let books = Books {
            port: Arc::clone(&self.port),
            chooser,
            topic: self.given.target.as_str().into(),
            draws: Draws::fresh(),
            log: Log::of(&self.given.name),
        };
        Ok(Begun::Serves(Box::new(Serving {
            tools: Arc::new(Tools { books, webhook, lease }),
            term,
            sets: Arc::clone(&state.sets),
            flow,
            feed,
            hand: Hand::among(self.among),
            beats,
            alarm: Alarm::default(),
            figures: Arc::clone(&self.figures),
            jobs: FuturesUnordered::new(),
            stops_at: None,
            is_blind: false,
            look_at: 0,
            is_looking: false,
        })))
    }
}
