//! What can be asked of an audit beside its checks: where to stop, which hash to find, whom to tell on the way.

use crate::audit::rules::books::Books;
use crate::audit::values::chain::Hash;
use crate::audit::values::event::Moment;

/// Where to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopAt {
    /// After the event at this position.
    Position(u64),
    /// After the last event that was recorded at or before this moment; along streams: after the last one of each stream.
    Moment(Moment),
}

/// A position at which to show the books, and whom to show them.
pub(crate) type Pause<'a> = (u64, &'a mut dyn FnMut(&Books));

/// What is asked of an audit beside its checks.
#[derive(Default)]
pub(crate) struct Options<'a> {
    /// Where to stop; else at the end.
    pub(crate) to: Option<StopAt>,
    /// A hash that was kept elsewhere, and the position that it is to be found at.
    pub(crate) expect: Option<(u64, Hash)>,
    /// Where to show the books on the way.
    pub(crate) pause: Option<Pause<'a>>,
    /// Whom to tell how far it has come, now and then.
    pub(crate) progress: Option<&'a dyn Fn(u64)>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("to", &self.to).field("expect", &self.expect).finish_non_exhaustive()
    }
}
