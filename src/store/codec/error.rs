//! [`DecodeError`] says why a line is no event.

/// A `DecodeError` says why a line is no event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The line is not JSON of an event's shape.
    #[error("not an event")]
    Shape(#[from] serde_json::Error),
    /// The event has a version that this program does not know.
    #[error("an event of version {0}, which this version of bookonce does not know")]
    Version(u32),
    /// The event has a type that this program does not know.
    #[error("an event of type {0:?}, which this version of bookonce does not know")]
    Type(String),
    /// The event is in a kind of stream that this program does not know.
    #[error("an event in the stream {0:?}, of a kind that this version of bookonce does not know")]
    Stream(String),
    /// The line has a field that events of this type do not have.
    #[error("an event with a field of another type of event")]
    Foreign,
    /// A field is missing or has a value that no event has.
    #[error("an event with a wrong {0}")]
    Field(&'static str),
    /// The line's id is not that of its bytes: they were changed.
    #[error("an event whose id is not that of its bytes")]
    Id,
}

impl DecodeError {
    /// Says what is not known here of an event that a newer version of this program may have written. Whether it did shows in
    /// the event's id, which is that of its bytes.
    #[must_use]
    pub(crate) fn newer(&self) -> Option<String> {
        match self {
            Self::Version(version) => Some(format!("of version {version}")),
            Self::Type(name) => Some(format!("of type {name:?}")),
            Self::Stream(name) => Some(format!("in the stream {name:?}, of a kind which is not known here")),
            Self::Shape(_) | Self::Foreign | Self::Field(_) | Self::Id => None,
        }
    }
}
