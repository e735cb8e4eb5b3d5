//! Contending is what an instance does about a destination that it does not serve: it takes it where it may, asks whether who
//! serves it lives, lets go what is not its any more, and waits.

use std::time::{Duration, Instant};

use crate::delivery::port::NotRecorded;
use crate::domain::delivery::Destination;
use crate::domain::delivery::contest::Turn;
use crate::domain::delivery::decide::DeliveryOperation;
use crate::tasks;

use super::begun::{Begun, Keeper, Trouble};
use super::contender::Contender;
use super::watched::Watched;

/// This is how long it waits after it has recorded something, until that is to be seen.
const SOON: Duration = Duration::from_millis(50);
/// This is how long letting a destination go may take at the stop. Else the others ask in vain first.
const LETTING_GO: Duration = Duration::from_secs(2);

impl Keeper {
    /// Does what is this instance's turn about a destination that stands so. Everything was known that was in the journal at
    /// `seen_at`.
    pub(super) async fn contend(
        &self,
        contender: &mut Contender,
        state: &Destination,
        seen_at: Option<Instant>,
    ) -> Result<Begun, Trouble> {
        let rest = contender.rest();
        let Some(seen_at) = seen_at else { return Ok(Begun::Rests(Some(rest))) };
        match contender.looked(state, seen_at) {
            Turn::Serve { .. } => {
                contender.watched = None;
                self.serving(state, contender.lease.clone()).await
            }
            Turn::Ask(asked) => self.ask(asked).await,
            Turn::Wait(_) if contender.wants_work() => {
                let is_there = self.finds_work(contender, state).await?;
                contender.found_work(is_there);
                Ok(Begun::Rests(Some(if is_there { rest } else { SOON })))
            }
            Turn::Blind | Turn::Wait(_) => Ok(Begun::Rests(Some(rest))),
        }
    }

    async fn ask(&self, asked: DeliveryOperation) -> Result<Begun, Trouble> {
        let destination = &self.given.name;
        match self.port.record(destination, &asked).await {
            Ok(()) => self.tell(&asked),
            // Another was first, or this is not to be seen here yet.
            Err(NotRecorded::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Begun::Rests(Some(SOON)))
    }

    /// Tells what an operator may want to know of that.
    fn tell(&self, asked: &DeliveryOperation) {
        let destination = &self.given.name;
        if let DeliveryOperation::Take { why, .. } = asked {
            tracing::info!(%destination, why = why.name(), "this instance serves the destination from now on");
        }
        if let DeliveryOperation::Challenge { .. } = asked {
            tracing::warn!(%destination, "who serves the destination has recorded nothing for a while: it is asked");
        }
    }

    /// Says whether there is something to send to a destination that another serves.
    async fn finds_work(&self, contender: &mut Contender, state: &Destination) -> Result<bool, Trouble> {
        let (rest, known) = (contender.rest(), contender.watched.take());
        let mut watched = match known.filter(|watched| watched.revision == state.revision) {
            Some(watched) => watched,
            None => match self.watched(state).await? {
                Some(watched) => watched,
                None => return Ok(false),
            },
        };
        let is_there = watched.finds_work(self.port.now(), rest).await;
        contender.watched = Some(watched);
        Ok(is_there)
    }

    async fn watched(&self, state: &Destination) -> Result<Option<Watched>, Trouble> {
        let Some((flow, feed, chooser, beats)) = self.prepared(state).await? else { return Ok(None) };
        Ok(Some(Watched { revision: state.revision, flow, feed, chooser, beats, is_blind: false }))
    }

    /// Lets the destination go that this instance serves in a term, so that another takes it at once.
    pub(super) async fn let_go(&self, term: u64) {
        let asked = DeliveryOperation::Release { term };
        let destination = &self.given.name;
        match tasks::timeout(LETTING_GO, self.port.record(destination, &asked)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => {
                tracing::info!(%destination, "the destination could not be let go: another takes it when it is not answered");
            }
        }
    }
}
