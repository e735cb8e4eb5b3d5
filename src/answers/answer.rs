//! [`Answer`] is a rendered answer.

/// An `Answer` is the rendered answer to a request, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// This is the HTTP status: 201, or 202 for what is asked of a transfer, or 402 for a recorded decline.
    pub status: u16,
    /// This is the JSON body; problem+json when the status is 402.
    pub body: Vec<u8>,
}
