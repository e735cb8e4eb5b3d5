//! [`Options`] say what is asked of an audit in addition to its checks.

use crate::audit::rules::books::Books;
use crate::audit::values::chain::Hash;
use crate::audit::values::moment::Moment;

/// A stop says where an audit ends before the end of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopAt {
    /// It stops after the event at this position.
    Position(u64),
    /// It stops after the last event that was recorded at or before this moment; along streams, after the last of each stream.
    Moment(Moment),
}

/// A pause is a position at which the books are shown, and the function that they are shown to.
pub(crate) type Pause<'a> = (u64, &'a mut dyn FnMut(&Books));

/// Options say what is asked of an audit in addition to its checks.
#[derive(Default)]
pub(crate) struct Options<'a> {
    /// This is where to stop. Without it the audit goes on to the end.
    pub(crate) to: Option<StopAt>,
    /// This is a hash that was kept elsewhere, and the position at which it must be found.
    pub(crate) expect: Option<(u64, Hash)>,
    /// This is where to show the books before the end.
    pub(crate) pause: Option<Pause<'a>>,
    /// This is a function that is told from time to time how far the audit has come.
    pub(crate) progress: Option<&'a dyn Fn(u64)>,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("to", &self.to).field("expect", &self.expect).finish_non_exhaustive()
    }
}
