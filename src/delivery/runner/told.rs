//! What those who serve destinations are told by whoever stops the service.

/// A `Told` is what was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The service stops.
    pub(super) is_stopping: bool,
}
