//! What those who serve destinations are told by whoever changes one, or stops the service.

/// A `Told` is what was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The service stops.
    pub(super) is_stopping: bool,
    /// This grows each time that how a destination stands must be read again.
    pub(super) looks: u64,
}
