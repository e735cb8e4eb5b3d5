//! [`ParkedMessage`] is a parked message as it is shown: what is recorded of it, and what follows from the journal.

use crate::delivery::message::Message;
use crate::delivery::port::Unreadable;
use crate::domain::delivery::Destination;
use crate::domain::delivery::name::DestinationName;
use crate::domain::delivery::progress::Parked;
use crate::domain::delivery::terms::Order;
use crate::store::lines_of;

use super::Deliveries;
use super::chosen::Chooser;
use super::selection::Selection;

/// This is how many of the next events of a parked message's stream are looked at, to say how many wait behind it.
pub const LOOKED_AT: usize = 100;

/// A `ParkedMessage` is a parked message as it is shown.
#[derive(Clone, Debug)]
pub struct ParkedMessage {
    /// This is the position of its event.
    pub position: u64,
    /// This is its id.
    pub message_id: String,
    /// This is what is recorded of it.
    pub row: Parked,
    /// This is how many of the next [`LOOKED_AT`] events of its stream wait behind it.
    pub waiting_behind: usize,
}

impl Deliveries {
    /// Returns up to `limit` parked messages of a destination, from after a position. It reads the event of each, and the next
    /// events of its stream.
    ///
    /// # Errors
    /// Fails when the ledger can't be read.
    pub async fn parked(
        &self,
        name: &DestinationName,
        state: &Destination,
        (after, limit): (u64, usize),
    ) -> Result<Vec<ParkedMessage>, Unreadable> {
        let port = &*self.0.port;
        let selection = Selection::read(port, name, state).await?;
        let chooser = Chooser { name: name.clone(), journal: port.journal(), selection };
        let mut shown = Vec::new();
        for (position, row) in state.parked.range(after.saturating_add(1)..).take(limit) {
            let message = chooser.again(port, *position).await?;
            let waiting_behind = match state.terms.order {
                Order::Account => self.behind(&chooser, state, &message).await?,
                Order::Journal | Order::None => 0,
            };
            shown.push(ParkedMessage {
                position: *position,
                message_id: message.id,
                row: row.clone(),
                waiting_behind,
            });
        }
        Ok(shown)
    }

    /// Counts the later messages of a stream that the destination has passed, and that are not sent before this one is settled.
    async fn behind(
        &self,
        chooser: &Chooser,
        state: &Destination,
        message: &Message,
    ) -> Result<usize, Unreadable> {
        let lines = self.0.port.lines_of(&message.stream, message.revision, LOOKED_AT).await?;
        let mut count = 0_usize;
        for line in lines_of(&lines) {
            let looked = chooser.look(line).map_err(|error| Unreadable(Box::new(error)))?;
            let is_passed = |position| state.through.is_some_and(|through| position <= through);
            match looked {
                (position, Some(_)) if is_passed(position) => count = count.saturating_add(1),
                (_, Some(_)) => break,
                (_, None) => {}
            }
        }
        Ok(count)
    }
}
