//! The standing of a command is the part of the ledger's past on which the command is decided.

use super::currency::Currency;
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
    /// This is what the stream says of the ID that the command names beside its own; `None` where it names none, and where
    /// it settles a hold that is open: of that the state says all.
    pub named: Option<&'a Trace>,
    /// This is the ID of the service's own that follows from the named one and that the stream has booked: the expiry of a
    /// hold, or a step of a transfer.
    pub follower: Option<Id>,
    /// This is true where the command corrects an ID that was never booked on any stream. What was booked once stays
    /// booked, so that this may be asked of other streams.
    pub corrects_unbooked: bool,
    /// These are the currencies of the accounts of a transfer that is asked for. They never change, so that they may come
    /// from other streams.
    pub parties: Parties,
}

/// `Parties` say in which currencies the two accounts of a transfer are. `None` stands for an account that does not exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parties {
    /// This is that of the account that the money comes from.
    pub from: Option<Currency>,
    /// This is that of the account that it moves to.
    pub to: Option<Currency>,
}
