//! Asking makes the commands that record something of a destination or give up a message.
//!
//! Each is decided on its stream as it stands, so that what rests on a state that is past is refused. None has an ID: nobody
//! else could ask for it.

use crate::domain::command::{Command, Operation};
use crate::domain::ids::Id;
use crate::domain::letter::DeadLettered;
use crate::domain::metadata::{Origin, SERVICE};
use crate::domain::stream::StreamName;

use super::decide::DeliveryOperation;
use super::name::DestinationName;

/// Makes the command by which the service records something in a destination's stream.
#[must_use]
pub fn record(of: &DestinationName, operation: DeliveryOperation) -> Command {
    Command {
        id: Id::Absent,
        stream: StreamName::Delivery(of.clone()),
        operation: Operation::Delivery(Box::new(operation)),
        origin: Origin { correlation: None, causation: None, actor: SERVICE.into() },
    }
}

/// Makes the command by which the service gives up a message. It belongs to the business process of the message's event, and
/// was caused by that event.
#[must_use]
pub fn give_up(letter: DeadLettered, correlation: &str, event_id: &str) -> Command {
    Command {
        id: Id::Absent,
        stream: StreamName::Letter(letter.letter()),
        operation: Operation::Letter(Box::new(letter)),
        origin: Origin {
            correlation: Some(correlation.into()),
            causation: Some(event_id.into()),
            actor: SERVICE.into(),
        },
    }
}
