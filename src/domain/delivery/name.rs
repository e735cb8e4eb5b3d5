//! The name of a destination is a type here: a text is checked once, when the type is made of it.

use std::fmt;
use std::sync::Arc;

/// This is the most characters that a name has.
const LONGEST: usize = 32;

/// A `DestinationName` is the name of a destination, for ever: `[a-z0-9][a-z0-9-]{0,31}`. A copy of it copies no text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DestinationName(Arc<str>);

impl DestinationName {
    /// Reads the text as a name; `None` where it breaks the rule.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = text.as_bytes();
        let fits = bytes.len() <= LONGEST
            && bytes.first().is_some_and(is_plain)
            && bytes.iter().all(|byte| is_plain(byte) || *byte == b'-');
        fits.then(|| Self(text.into()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
