//! This file has the business's own ids on a command, and says where a command came from.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The reason why a metadata object is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It has more than sixteen keys.
    #[error("has more than 16 keys")]
    TooManyKeys,
    /// It has a key that is empty or longer than 64 characters.
    #[error("has a key that is empty or longer than 64 characters")]
    Key,
    /// It has a value longer than 256 characters.
    #[error("has a value longer than 256 characters")]
    Value,
    /// It has a control character in a key, or one other than a tab or a newline in a value.
    #[error("has a control character")]
    Control,
}

/// `Metadata` has the business's own ids: a flat object of strings, in the order of its keys. Most commands have none,
/// and an empty object costs no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Option<Arc<BTreeMap<String, String>>>);

impl Metadata {
    /// Makes metadata of a map.
    ///
    /// # Errors
    /// Fails when it is larger than the contract allows, or has characters that could break a log, a terminal or a
    /// table.
    pub fn new(map: BTreeMap<String, String>) -> Result<Self, MetadataError> {
        if map.len() > 16 {
            return Err(MetadataError::TooManyKeys);
        }
        for (key, value) in &map {
            if key.is_empty() || key.chars().count() > 64 {
                return Err(MetadataError::Key);
            }
            if value.chars().count() > 256 {
                return Err(MetadataError::Value);
            }
            let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
            if key.chars().any(char::is_control) || value.chars().any(control) {
                return Err(MetadataError::Control);
            }
        }
        Ok(Self((!map.is_empty()).then(|| Arc::new(map))))
    }

    /// Says whether it has no pairs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns its pairs, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|map| map.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref().and_then(|map| map.get(key)).map(String::as_str)
    }
}

/// This is the actor of what the service books of its own accord. No key may have it as its id.
pub const SERVICE: &str = "service";

/// An `Origin` is the origin of a command: who asked, and why. It is kept with the event, and never compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// This is the business process that it belongs to; `None` stands for the transaction's own ID.
    pub correlation: Option<Box<str>>,
    /// This is the id of what caused it, if the client named it.
    pub causation: Option<Box<str>>,
    /// This is the id of the key with which it came.
    pub actor: Arc<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Metadata, MetadataError> {
        Metadata::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn text_that_only_looks_dangerous_is_kept_as_it_is() {
        for value in
            ["=HYPERLINK(1)", "@SUM", "+1", "\tx", "<img onerror=…>", "{{7*7}}", "a\nforged log line"]
        {
            assert_eq!(of(&[("k", value)]).unwrap().get("k"), Some(value));
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let many: Vec<String> = (0..17).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|k| (k.as_str(), "v")).collect();
        assert_eq!(of(&many), Err(MetadataError::TooManyKeys));
        assert_eq!(of(&[("k", &"v".repeat(257))]), Err(MetadataError::Value));
        assert_eq!(of(&[(&"k".repeat(65), "v")]), Err(MetadataError::Key));
        assert_eq!(of(&[("k", "a\u{1b}[2J")]), Err(MetadataError::Control));
        assert_eq!(of(&[("k\n", "a")]), Err(MetadataError::Control));
    }
}
