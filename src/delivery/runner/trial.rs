//! A trial sends a message that says nothing to a destination, because an operator asks for it.
//!
//! It is sent once, whether the destination is served, down, paused or held: an operator who asks for it wants to know whether
//! that receiver answers. What came of it is recorded by whoever asks. It has no place among the destination's messages: it
//! waits for none, and nothing waits for it.

use crate::delivery::message::Message;
use crate::delivery::port::Unreadable;
use crate::delivery::webhook::{Attempt, Webhook};
use crate::domain::command::Command;
use crate::domain::delivery::decide::DeliveryOperation;
use crate::domain::delivery::failure::{Attempted, ErrorText, Failure};
use crate::domain::delivery::name::DestinationName;
use crate::domain::ids::Id;
use crate::domain::transfer::payout::Label;

use super::shown::Condition;
use super::{Deliveries, NotPrepared};

/// An `UnderWay` is a place among the trials that are under way, until it is dropped.
pub struct UnderWay {
    deliveries: Deliveries,
    id: Id,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.deliveries.0.trials.lock().remove(&self.id);
    }
}

impl Deliveries {
    /// Takes the place of a trial of this ID; `None` while one is under way.
    #[must_use]
    pub fn begin_trial(&self, id: Id) -> Option<UnderWay> {
        let is_first = self.0.trials.lock().insert(id);
        is_first.then(|| UnderWay { deliveries: self.clone(), id })
    }

    /// Sends what an operator asks to send, and returns what came of it.
    ///
    /// # Errors
    /// Fails when there is no such destination, it was removed, the settings do not name it as it is recorded, or the ledger
    /// can't be read. Nothing was sent then.
    pub async fn try_out(
        &self,
        name: &DestinationName,
        command: &Command,
    ) -> Result<DeliveryOperation, NotPrepared> {
        let shown = self.show(name).await?.ok_or(NotPrepared::NotFound)?;
        let given = self.0.kept.get(name).map(|kept| &kept.given);
        let is_as_recorded = |target: &str| shown.state.terms.channel.target() == target;
        let given = given.filter(|given| is_as_recorded(given.target.as_str()));
        let (Some(given), false) = (given, shown.condition() == Condition::Removed) else {
            return Err(NotPrepared::State(Box::new(shown)));
        };
        let webhook = Webhook::new(given.target.clone(), given.secrets.clone())
            .map_err(|error| NotPrepared::Unreadable(Unreadable(Box::new(error))))?;
        let (port, term) = (&self.0.port, shown.state.term().unwrap_or_default());
        let now = port.now();
        let message = Message::trial((command.id, &command.origin), now, port.journal(), name);
        let came = webhook.send(&message, Attempt { number: 1, term, is_late: false, at: now }).await;
        Ok(match came {
            Attempted::Delivered => DeliveryOperation::Test { is_delivered: true, detail: None },
            Attempted::Failed { failure, .. } => {
                DeliveryOperation::Test { is_delivered: false, detail: Some(detail(&failure)) }
            }
        })
    }
}

/// Says why a trial came to nothing: the receiver's code, where it gave one, and the reason.
fn detail(failure: &Failure) -> ErrorText {
    match failure.code.as_ref().map(Label::as_str) {
        Some(code) => ErrorText::cut(&format!("{code}: {}", failure.message.as_str())),
        None => failure.message.clone(),
    }
}
