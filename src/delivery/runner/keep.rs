//! Keeping a destination is serving it while it may be served, and reading again what became of it whenever something is told.

use std::time::Duration;

use tokio::sync::watch;

use crate::domain::delivery::Stage;
use crate::domain::delivery::event::TakenWhy;
use crate::tasks;

use super::begun::{Begun, Keeper, Trouble};
use super::contender::{Contender, Lease};
use super::patience::Patience;
use super::told::Told;

impl Keeper {
    /// Keeps the destination until the service stops.
    pub(super) async fn run(self, mut told: watch::Receiver<Told>) {
        let mut patience = Patience::default();
        let mut contender = self.owner.contender();
        loop {
            let before = *told.borrow_and_update();
            if before.is_stopping {
                if let Some(term) = contender.as_ref().and_then(Contender::own_term) {
                    self.let_go(term).await;
                }
                return;
            }
            match self.begin(contender.as_mut()).await {
                Ok(Begun::Serves(serving)) => {
                    serving.run(&mut told, contender.as_mut()).await;
                    if *told.borrow() != before {
                        patience = Patience::default();
                        continue;
                    }
                }
                Ok(Begun::Rests(most)) => {
                    tokio::select! {
                        told = told.changed() => if told.is_err() { return },
                        () = rest(most) => {}
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

    /// Begins to serve the destination, where it is to be served as it stands.
    async fn begin(&self, contender: Option<&mut Contender>) -> Result<Begun, Trouble> {
        let (name, none) = (&self.given.name, Ok(Begun::Rests(contender.as_deref().map(Contender::rest))));
        let seen_at = self.port.seen_at();
        let Some(mut state) = self.port.destination(name).await? else { return none };
        if self.owner.holds(name, &state) {
            return none;
        }
        if let Some(contender) = contender {
            return self.contend(contender, &state, seen_at).await;
        }
        if state.stage != Stage::Open {
            return none;
        }
        let why = match (&state.granted, &state.serving) {
            (Some(_), _) => Some(TakenWhy::Resumed),
            (None, None) => Some(TakenWhy::First),
            (None, Some(_)) => None,
        };
        if let Some(why) = why {
            self.port.record(name, &self.owner.take(why)).await?;
            let Some(after) = self.port.destination(name).await? else { return none };
            state = after;
        }
        self.serving(&state, Lease::endless()).await
    }
}

/// Waits for so long; for ever where that is not said.
async fn rest(most: Option<Duration>) {
    match most {
        Some(most) => tasks::sleep(most).await,
        None => std::future::pending().await,
    }
}
