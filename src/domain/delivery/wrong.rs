//! [`Wrong`] says why an event can't be the next of a destination's stream.

/// The reason why an event can't be the next of a destination's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The stream has not begun.
    #[error("the destination was never set up")]
    NotBegun,
    /// Its revision is not the next one.
    #[error("revision {expected} comes next")]
    Revision {
        /// This is the revision that comes next.
        expected: u64,
    },
    /// It is impossible in the state that the destination is in.
    #[error("it is impossible as the destination stands")]
    Impossible,
    /// It is of somebody who does not serve the destination.
    #[error("its term is not that of who serves the destination")]
    Term,
    /// It takes, challenges or confirms what can't be taken, challenged or confirmed now.
    #[error("it does not fit who serves the destination")]
    Serving,
    /// It goes back behind what is settled, or claims what was claimed before.
    #[error("it goes back")]
    Back,
    /// It names a parked or claimed message that there is not, or parks one twice.
    #[error("its messages are not those that are parked or claimed")]
    Messages,
}
