//! The type of a rendered answer.

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status: 201, or 402 for a recorded decline.
    pub status: u16,
    /// The JSON body; problem+json when the status is 402.
    pub body: Vec<u8>,
}
