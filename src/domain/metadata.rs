//! The business's own ids on a command, and where a command came from.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a metadata object is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// More than sixteen keys.
    #[error("has more than 16 keys")]
    TooManyKeys,
    /// An empty key, or one of over 64 characters.
    #[error("has a key that is empty or longer than 64 characters")]
    Key,
    /// A value of over 256 characters.
    #[error("has a value longer than 256 characters")]
    Value,
    /// A control character other than a tab or a newline in a value, or any in a key.
    #[error("has a control character")]
    Control,
}

/// A flat object of strings, in the order of its keys. Most commands have none, which costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Option<Arc<BTreeMap<String, String>>>);

impl Metadata {
    /// The map as metadata.
    ///
    /// # Errors
    /// When it is larger than the contract allows or has characters that would break a log, a terminal or a table.
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

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Its pairs, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|map| map.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref().and_then(|map| map.get(key)).map(String::as_str)
    }
}

/// Where a command came from: kept with its event, never compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What business process it belongs to; the transaction's own ID when the client named none.
    pub correlation: Option<Box<str>>,
    /// What caused it.
    pub causation: Option<Box<str>>,
    /// The id of the key it came with.
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
