//! The standing of a command is the part of the ledger's past on which the command is decided.

use super::ids::Id;
use super::state::State;
use super::trace::Trace;

/// A `Standing` is the part of the ledger's past on which one command is decided.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing<'a> {
    /// This is the state of the command's stream, if the stream has begun.
    pub state: Option<&'a State>,
    /// This is the event that ruled this command's ID out on this stream before it came.
    pub ruled_out_by: Option<Id>,
    /// This is what the stream says of the ID that the command names beside its own; `None` where it names none.
    pub named: Option<&'a Trace>,
    /// This is true where the command corrects an ID that was never booked on any stream. What was booked once stays
    /// booked, so that this may be asked of other streams.
    pub corrects_unbooked: bool,
}
