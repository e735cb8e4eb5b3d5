//! The ledger's verdict on a command: the one answer that every way in gives its client, each in its own words.

use std::sync::Arc;

use crate::clerk;
use crate::domain::command::Command;
use crate::domain::decide::Refusal;
use crate::domain::event::Event;
use crate::domain::same::{self, Difference};
use crate::store::Position;

use super::types::Unavailable;

/// What became of one command.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It was new: this event was recorded for it at or before this position, and is durable.
    Booked(Arc<Event>, Position),
    /// It is the same request as before: this is the event that was recorded then, and it is durable.
    Replayed(Arc<Event>, Position),
    /// Its ID was used before for another request. Nothing was recorded.
    Reused {
        /// In which fields the two requests differ; never empty.
        differences: Vec<Difference>,
        /// The event that the ID was first used for.
        first: Arc<Event>,
    },
    /// It can't be booked. Nothing was recorded, and the same ID may be sent again.
    Refused(Refusal),
    /// The machinery could not rule on it; others that came with it may have been ruled on.
    Unavailable(Unavailable),
}

impl Verdict {
    /// The verdict on a command of which a clerk says this.
    pub(super) fn of(ruled: clerk::Verdict, command: &Command) -> Self {
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
