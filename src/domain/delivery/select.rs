//! The selection of a destination says which events are sent there. What it chooses is said in `chosen`.

use std::collections::BTreeMap;

use crate::domain::currency::Currency;
use crate::domain::money::WrittenAmount;

/// A `Select` is a filter: all of its parts must hold, of a list one. A part that is empty holds for every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// These are types of events.
    pub types: Vec<String>,
    /// These are patterns of names of accounts.
    pub accounts: Vec<Pattern>,
    /// These are currencies.
    pub currencies: Vec<Currency>,
    /// This is the smallest amount that is chosen. An event without an amount is not.
    pub amount_min: Option<WrittenAmount>,
    /// These are patterns of the business's own ids.
    pub metadata: BTreeMap<String, Pattern>,
    /// This is true where no event is chosen: only letters are sent there.
    pub none: bool,
}

/// A `Pattern` is a text in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Reads a pattern of 1 to 256 characters without control characters; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.into()))
    }

    /// Returns its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether a text fits. Each part between two stars is looked for once, from the left, so that no pattern costs more
    /// than its length times that of the text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return *self.0 == *text };
        let Some(mut left) = text.strip_prefix(first) else { return false };
        let Some((middle, last)) = rest.rsplit_once('*') else { return left.ends_with(rest) };
        for part in middle.split('*') {
            let Some((_, after)) = left.split_once(part) else { return false };
            left = after;
        }
        left.ends_with(last)
    }
}
