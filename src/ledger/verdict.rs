//! [`Verdict`] is the ledger's verdict on a command. Every way into the ledger gives it to its client, in its own form.

use std::sync::Arc;

use crate::clerk;
use crate::domain::command::Command;
use crate::domain::decide::Refusal;
use crate::domain::event::Event;
use crate::domain::same::{self, Difference};
use crate::store::Position;

use super::types::Unavailable;

/// A `Verdict` says what became of one command.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The command was new: this event was recorded for it at or before this position, and is durable.
    Booked(Arc<Event>, Position),
    /// The command is the same request as before: this is the event that was recorded then, and it is durable.
    Replayed(Arc<Event>, Position),
    /// The command's ID was used before for another request. Nothing was recorded.
    Reused {
        /// These are the fields in which the two requests differ; there is at least one.
        differences: Vec<Difference>,
        /// This is the event that the ID was first used for.
        first: Arc<Event>,
    },
    /// The command can't be booked. Nothing was recorded, and the same ID may be sent again.
    Refused(Refusal),
    /// The clerk could not rule on the command; others that came with it may have been ruled on.
    Unavailable(Unavailable),
}

impl Verdict {
    /// Makes the verdict on a command from what a clerk says of it.
    #[must_use]
    pub fn of(ruled: clerk::Verdict, command: &Command) -> Self {
        match ruled {
            clerk::Verdict::Booked(event, position) => Self::Booked(event, position),
            clerk::Verdict::Seen(first, position) => {
                let differences = same::differences(&first, command);
                if differences.is_empty() {
                    Self::Replayed(first, position)
                } else {
                    Self::Reused { differences, first }
                }
            }
            clerk::Verdict::Refused(refusal) => Self::Refused(refusal),
            clerk::Verdict::Unavailable(why) => Self::Unavailable(why),
        }
    }
}
