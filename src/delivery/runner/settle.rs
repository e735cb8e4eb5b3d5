//! Settling makes the journal say what the settings say: a destination that is new, changed, missing or removed there is an
//! event.
//!
//! It is done once at the start, before anything is sent. A start with the settings of before records nothing. What a slip of
//! an editor leaves out is paused, and loses nothing; only what the settings call removed is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::client::random::Draws;
use crate::delivery::port::{NotRecorded, Port, Unreadable};
use crate::delivery::settings::Given;
use crate::domain::delivery::decide::{DeliveryOperation, Refused, decide};
use crate::domain::delivery::event::PauseCode;
use crate::domain::delivery::failure::{Failure, FailureClass};
use crate::domain::delivery::flow::Dead;
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::progress::Parked;
use crate::domain::delivery::terms::Order;
use crate::domain::delivery::{Destination, Stage};

use super::books::Books;
use super::chosen::Chooser;
use super::log::Log;
use super::owner::Heeds;
use super::selection::Selection;

/// This is how many messages behind a parked one are read together when a destination is removed.
const TOGETHER: usize = 256;

/// The reason why the settings can't be settled. Nothing is sent then.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// A removed destination is named again, and the settings do not say where it begins.
    #[error(
        "line {line}: the destination {name} was removed before, so that it must say `from`: \"now\", \"start\" or a position"
    )]
    NoBegin {
        /// This is the destination.
        name: DestinationName,
        /// This is the line of the settings that names it.
        line: usize,
    },
    /// The recorded settings are of the same generation, and are others.
    #[error(
        "{}the destination {name} is recorded with other settings of the same `generation`: it must grow with each change",
        line.map_or_else(String::new, |line| format!("line {line}: "))
    )]
    SameGeneration {
        /// This is the destination.
        name: DestinationName,
        /// This is the line of the settings that names it, where one does.
        line: Option<usize>,
    },
    /// How the destinations stand can't be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// What the settings say can't be recorded.
    #[error("the settings of the destination {0} can't be recorded")]
    NotRecorded(DestinationName, #[source] NotRecorded),
}

impl SettleError {
    /// Says whether it may pass by itself: the ledger can't be read or written at the moment, or another was first.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoBegin { .. } | Self::SameGeneration { .. } => false,
            Self::Unreadable(_) | Self::NotRecorded(..) => true,
        }
    }
}

/// Settles all destinations: those of the settings, and those that the journal knows.
///
/// # Errors
/// Fails when the settings contradict the journal, or the ledger can't be read or written.
pub(super) async fn settle(port: &Arc<dyn Port>, given: &[Given], heeds: Heeds) -> Result<(), SettleError> {
    let mut known: BTreeMap<DestinationName, Destination> = port.destinations().await?.into_iter().collect();
    let names: BTreeSet<DestinationName> =
        known.keys().cloned().chain(given.iter().map(|given| given.name.clone())).collect();
    let mut all = Vec::new();
    for name in names {
        let given = given.iter().find(|given| given.name == name);
        let state = known.remove(&name);
        // All of them are looked at before anything is recorded.
        if let Some(asked) = heeded(heeds, &name, given, state.as_ref())? {
            all.push((name, given, state, asked));
        }
    }
    for (name, given, state, asked) in all {
        if let (DeliveryOperation::Remove, Some(given), Some(state)) = (&asked, given, &state) {
            bury_all(port, given, state).await?;
        }
        match port.record(&name, &asked).await {
            Ok(()) => told(&name, &asked),
            // Another instance with the same settings was first.
            Err(NotRecorded::Refused(Refused::Same)) => {}
            Err(error) => return Err(SettleError::NotRecorded(name, error)),
        }
    }
    Ok(())
}

/// Pauses every destination that is not paused.
///
/// # Errors
/// Fails when the ledger can't be read or written.
pub(super) async fn pause_all(port: &dyn Port, code: PauseCode) -> Result<(), SettleError> {
    for (name, state) in port.destinations().await? {
        if state.stage != Stage::Open {
            continue;
        }
        match port.record(&name, &DeliveryOperation::Pause { code, reason: None }).await {
            Ok(()) => tracing::warn!(destination = %name, code = code.name(), "the destination is paused"),
            // It is paused by now.
            Err(NotRecorded::Refused(Refused::State(_))) => {}
            Err(error) => return Err(SettleError::NotRecorded(name, error)),
        }
    }
    Ok(())
}

/// Returns what the settings ask of a destination, where they count; `None` where it stands as they say, or where those of
/// another instance count.
fn heeded(
    heeds: Heeds,
    name: &DestinationName,
    given: Option<&Given>,
    state: Option<&Destination>,
) -> Result<Option<DeliveryOperation>, SettleError> {
    let mine = match heeds {
        Heeds::Whatever => return asked(given, state),
        Heeds::Nothing => return Ok(None),
        Heeds::Later(mine) => mine,
    };
    let Some(known) = state else { return asked(given, state) };
    let recorded = known.terms.generation;
    if mine < recorded {
        tracing::warn!(
            destination = %name, mine, recorded,
            "settings of a later generation are recorded: this instance sends nothing to this destination"
        );
        return Ok(None);
    }
    let asked = asked(given, state)?;
    if asked.is_none() || mine > recorded {
        return Ok(asked);
    }
    if given.is_some_and(|given| !given.is_removed && given.terms == known.terms) {
        // Settings of a later generation do not name it.
        tracing::warn!(destination = %name, "settings of a later generation do not name this destination: it stays paused");
        return Ok(None);
    }
    Err(SettleError::SameGeneration { name: name.clone(), line: given.map(|given| given.line) })
}

/// Returns what the settings ask of a destination; `None` where it stands as they say.
fn asked(
    given: Option<&Given>,
    state: Option<&Destination>,
) -> Result<Option<DeliveryOperation>, SettleError> {
    let stage = state.map(|state| state.stage);
    let Some(given) = given else {
        let pause = DeliveryOperation::Pause { code: PauseCode::Missing, reason: None };
        return Ok((stage == Some(Stage::Open)).then_some(pause));
    };
    if given.is_removed {
        let is_there = stage.is_some_and(|stage| stage != Stage::Removed);
        return Ok(is_there.then_some(DeliveryOperation::Remove));
    }
    let set = DeliveryOperation::Set { terms: Arc::clone(&given.terms), begin: given.begin };
    match decide(state, &set) {
        Ok(_) => Ok(Some(set)),
        Err(Refused::NoBegin) => Err(SettleError::NoBegin { name: given.name.clone(), line: given.line }),
        Err(_) => Ok(None),
    }
}

fn told(name: &DestinationName, asked: &DeliveryOperation) {
    match asked {
        DeliveryOperation::Pause { .. } => tracing::warn!(
            destination = %name,
            "the settings do not name this destination: it is paused, and goes on where it is when they name it again"
        ),
        DeliveryOperation::Remove => tracing::warn!(destination = %name, "the destination is removed"),
        DeliveryOperation::Set { .. } => tracing::info!(destination = %name, "the destination is set up"),
        // The settings ask for nothing else.
        DeliveryOperation::Resume(_)
        | DeliveryOperation::Take { .. }
        | DeliveryOperation::Challenge { .. }
        | DeliveryOperation::Confirm { .. }
        | DeliveryOperation::Release { .. }
        | DeliveryOperation::Test { .. }
        | DeliveryOperation::Claim { .. }
        | DeliveryOperation::Progress(_) => {}
    }
}

/// Makes letters of what a destination that is removed has not sent: its parked messages, what waits behind them, and what
/// was claimed and is not known to be sent.
async fn bury_all(port: &Arc<dyn Port>, given: &Given, state: &Destination) -> Result<(), SettleError> {
    let selection = Selection::read(&**port, &given.name, state).await?;
    let books = Books {
        port: Arc::clone(port),
        chooser: Chooser { name: given.name.clone(), journal: port.journal(), selection },
        topic: state.terms.channel.target().into(),
        draws: Draws::fresh(),
        log: Log::of(&given.name),
    };
    for position in state.claimed.iter().copied() {
        let failure = Failure::new(FailureClass::Unconfirmed, "nobody knows whether it was sent");
        books.bury(&Dead { position, attempts: 1, failure }).await;
    }
    for (position, parked) in state.parked.iter() {
        bury_removed(&books, *position, parked.attempts).await;
        if state.terms.order == Order::Account {
            bury_behind(&books, parked, state).await;
        }
    }
    Ok(())
}

async fn bury_behind(books: &Books, parked: &Parked, state: &Destination) {
    let mut after = parked.revision;
    let through = state.through.unwrap_or_default();
    loop {
        let found = books.find(&parked.stream, after, through, TOGETHER).await;
        let Some(last) = found.last() else { return };
        after = last.revision;
        for message in found {
            if !state.parked.contains_key(&message.position) {
                bury_removed(books, message.position, 0).await;
            }
        }
    }
}

async fn bury_removed(books: &Books, position: u64, attempts: u32) {
    let failure = Failure::new(FailureClass::DestinationRemoved, "the destination was removed");
    books.bury(&Dead { position, attempts, failure }).await;
}
