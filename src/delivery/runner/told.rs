//! What those who serve destinations are told by whoever stops the service or acts on one.

/// A `Told` is what was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The service stops.
    pub(super) is_stopping: bool,
    /// This is how often it was told to look again how the destination stands, because an operator has changed that.
    pub(super) looks: u64,
}
