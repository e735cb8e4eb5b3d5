//! A [`Head`] is what stands before an event's `data` and must agree with it; [`Content`] is all that was read of an event.

use crate::audit::values::event::Body;
use crate::audit::values::id::Id;
use crate::audit::values::moment::Moment;
use crate::audit::values::span::Span;

/// A head is what stands before an event's `data`, as far as that must agree with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// This is the name of the account or the transfer in whose stream the event is.
    pub(crate) name: Span,
    pub(crate) id: Id,
    pub(crate) recorded_at: Moment,
}

/// This is the version of events that is known here.
pub(super) const VERSION: u64 = 1;

/// The content of an event is what stands between its id and its hash.
pub(super) struct Content {
    pub(super) recorded_at: Moment,
    pub(super) id: Id,
    pub(super) body: Body,
}
