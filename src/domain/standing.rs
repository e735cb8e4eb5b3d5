//! What the ledger knows that bears on one command: the past that a decision is made on.

use super::ids::Id;
use super::state::State;
use super::trace::Trace;

/// What the ledger knows that bears on one command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing<'a> {
    /// How the command's stream stands, if it has begun.
    pub state: Option<&'a State>,
    /// The event that ruled this command's ID out on this stream before it came.
    pub ruled_out_by: Option<Id>,
    /// What the stream says of the ID that the command names beside its own; `None` where it names none.
    pub named: Option<&'a Trace>,
}
