//! A [`Head`] is what stands before an event's `data` and must agree with it.

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
