//! A line of the journal becomes a message of a destination here, if the destination's selection chooses its event.

use uuid::Uuid;

use crate::delivery::message::Message;
use crate::delivery::port::{Port, Unreadable};
use crate::domain::delivery::flow;
use crate::domain::delivery::name::DestinationName;
use crate::store::codec::{DecodeError, Line, decode, position_of};

use super::selection::Selection;

/// An event of a stream of these kinds may be delivered. What a delivery records is in streams of other kinds, so that it
/// causes no delivery; their lines are passed without being read.
const DELIVERED: [&[u8]; 2] = [b"\"stream\":\"account-", b"\"stream\":\"transfer-"];

/// A `Chooser` makes messages of lines for one destination.
#[derive(Clone, Debug)]
pub(super) struct Chooser {
    pub(super) name: DestinationName,
    pub(super) journal: Uuid,
    pub(super) selection: Selection,
}

impl Chooser {
    /// Returns the position of a line, and its message where it is chosen.
    ///
    /// # Errors
    /// Fails when the line is none that this program could have written.
    pub(super) fn look(&self, line: &[u8]) -> Result<(u64, Option<Message>), DecodeError> {
        let position = position_of(line).ok_or(DecodeError::Field("position"))?;
        let after_position = line.iter().position(|byte| *byte == b',').and_then(|at| line.get(at..));
        let stream = after_position.and_then(|rest| rest.get(1..)).unwrap_or_default();
        if !DELIVERED.iter().any(|prefix| stream.starts_with(prefix)) {
            return Ok((position, None));
        }
        let decoded = decode(line)?;
        Ok((position, if self.chooses(&decoded) { Some(self.message(decoded, line)?) } else { None }))
    }

    /// Reads the message at a position, which was chosen before.
    ///
    /// # Errors
    /// Fails when the line can't be read, or is none that this program could have written.
    pub(super) async fn again(&self, port: &dyn Port, position: u64) -> Result<Message, Unreadable> {
        let line = port.line(position).await?;
        let read = decode(&line).and_then(|decoded| self.message(decoded, &line));
        read.map_err(|error| Unreadable(Box::new(error)))
    }

    fn chooses(&self, line: &Line) -> bool {
        self.selection.at(line.position).is_some_and(|select| select.chooses(&line.event))
    }

    fn message(&self, decoded: Line, line: &[u8]) -> Result<Message, DecodeError> {
        Message::of(decoded, line, self.journal, &self.name)
    }
}

/// Returns what the flow needs of a message.
pub(super) fn for_flow(message: &Message) -> flow::Message {
    flow::Message {
        position: message.position,
        stream: message.stream.clone(),
        revision: message.revision,
        bytes: message.body.len(),
    }
}
