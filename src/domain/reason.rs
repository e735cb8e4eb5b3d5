//! A reason says why somebody did something.

use std::sync::Arc;

/// The reason why somebody did something: one line that a person wrote, of 1 to 256 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Arc<str>);

impl Reason {
    /// Reads the text as a reason; `None` when it is empty, too long, or has control characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().count();
        ((1..=256).contains(&length) && !text.chars().any(char::is_control)).then(|| Self(text.into()))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
