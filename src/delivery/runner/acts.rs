//! An act of an operator on a destination is prepared here: what it rests on is found before it is decided, and who serves the
//! destination is told after it was recorded.
//!
//! What a resumed destination passes over is counted outside the clerk, which takes as long as a long read. The decision is
//! made on the destination as it stands then, and is refused as stale where that has moved.

use std::sync::Arc;

use uuid::Uuid;

use crate::client::random::Draws;
use crate::delivery::port::{Chooses, Unreadable};
use crate::domain::delivery::decide::{After, DeliveryOperation, Passed, Resuming};
use crate::domain::delivery::name::DestinationName;
use crate::domain::transfer::payout::Label;

use super::Deliveries;
use super::chosen::Chooser;
use super::selection::Selection;
use super::shown::{Condition, Shown};

/// The reason why an act is not even decided. Nothing is recorded.
#[derive(Debug)]
pub enum NotPrepared {
    /// There never was such a destination.
    NotFound,
    /// It stands so that this is not possible.
    State(Box<Shown>),
    /// A field is wrong as the journal stands.
    Field(&'static str, String),
    /// The ledger can't be read, or the folder can't be marked.
    Unreadable(Unreadable),
}

impl From<Unreadable> for NotPrepared {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl Deliveries {
    /// Returns what is asked of a destination, with all that it rests on as the ledger stands now.
    ///
    /// # Errors
    /// Fails when it is not possible as the destination stands, a field is wrong, or the ledger can't be read.
    pub async fn prepare(
        &self,
        name: &DestinationName,
        asked: &DeliveryOperation,
    ) -> Result<DeliveryOperation, NotPrepared> {
        let shown = self.show(name).await?.ok_or(NotPrepared::NotFound)?;
        let DeliveryOperation::Resume(resuming) = asked else { return Ok(asked.clone()) };
        Ok(DeliveryOperation::Resume(Box::new(self.resuming(shown, resuming).await?)))
    }

    /// Tells who serves a destination that this was recorded of it. No attempt is begun after this returns where it is paused.
    pub fn acted(&self, name: &DestinationName, asked: &DeliveryOperation) {
        if matches!(asked, DeliveryOperation::Resume(_)) {
            self.0.owner.release(name);
        }
        self.look_again(name);
    }

    /// Makes who serves a destination look again how it stands: what is under way ends and is recorded, as when the service
    /// stops, and then it begins again, where it may.
    pub fn look_again(&self, name: &DestinationName) {
        if let Some(kept) = self.0.kept.get(name) {
            kept.told.send_modify(|told| told.looks = told.looks.wrapping_add(1));
        }
    }

    async fn resuming(&self, shown: Shown, asked: &Resuming) -> Result<Resuming, NotPrepared> {
        let may_go_on = match shown.condition() {
            Condition::Paused(_) => true,
            Condition::Held => true,
            Condition::Serving | Condition::Down | Condition::Idle | Condition::Removed => false,
        };
        // One that the settings do not name goes on when they name it.
        if !may_go_on || shown.seen.is_none() {
            return Err(NotPrepared::State(Box::new(shown)));
        }
        let (mut after, mut passed) = (None, None);
        if let Some(asked) = asked.after {
            let (found, over) = self.passed(&shown, asked).await?;
            (after, passed) = (Some(found), Some(over));
        }
        let holder = if shown.is_held { self.own_id().await? } else { None };
        Ok(Resuming { after, passed, is_held: shown.is_held, holder, reason: asked.reason.clone() })
    }

    /// Returns after which position a destination goes on, and what it passes over by that.
    async fn passed(&self, shown: &Shown, asked: After) -> Result<(After, Passed), NotPrepared> {
        let (port, state) = (&*self.0.port, &shown.state);
        let head = port.head();
        let after = match asked {
            After::Head(_) => After::Head(head),
            After::Position(position) if position > head => {
                return Err(NotPrepared::Field(
                    "after",
                    format!("is behind the journal's end, which is at {head}"),
                ));
            }
            After::Position(_) => asked,
        };
        let selection = Selection::read(port, &shown.name, state).await?;
        let through = state.through.unwrap_or_else(|| selection.begins());
        if after.position() < through {
            let problem = format!("goes back: everything up to {through} is settled or parked");
            return Err(NotPrepared::Field("after", problem));
        }
        let chooser = Chooser { name: shown.name.clone(), journal: port.journal(), selection };
        let parked = Arc::clone(&state.parked);
        let chooses: Chooses = Box::new(move |line| {
            let (position, message) = chooser.look(line).ok()?;
            Some(message.is_some() && !parked.contains_key(&position))
        });
        let count = port.count(through, after.position(), chooses).await?;
        Ok((after, Passed { count, through: state.through }))
    }

    /// Returns the id of the folder, which a copy gets with the first destination that is resumed in it.
    async fn own_id(&self) -> Result<Option<Label>, NotPrepared> {
        if self.0.owner.id().is_none() {
            let draws = Draws::fresh();
            let fresh = Uuid::from_u64_pair(draws.next(), draws.next());
            if let Some(id) = self.0.port.own_for_messages(fresh).await? {
                self.0.owner.becomes(id);
            }
        }
        Ok(self.0.owner.id())
    }
}
