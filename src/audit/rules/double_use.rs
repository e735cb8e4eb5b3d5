//! A double use: one transaction ID on two accounts, which two instances of the service took at the same time.

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

/// One ID on two accounts. Its parts: the number of the account, and the position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoubleUse {
    /// The ID.
    pub(crate) id: u128,
    /// Where it was seen first.
    pub(crate) first: (u32, u64),
    /// Where it was seen again.
    pub(crate) again: (u32, u64),
}

/// One ID on two accounts, to be shown: by name and position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedDoubleUse {
    /// The ID.
    pub(crate) id: Uuid,
    /// Where it was seen first.
    pub(crate) first: (String, u64),
    /// Where it was seen again.
    pub(crate) again: (String, u64),
}

impl NamedDoubleUse {
    /// Puts the accounts' names for their numbers.
    #[must_use]
    pub(crate) fn named<'a>(
        double_uses: &[DoubleUse],
        names: impl Iterator<Item = (u32, &'a [u8])>,
    ) -> Vec<Self> {
        if double_uses.is_empty() {
            return Vec::new();
        }
        let names: HashMap<u32, &[u8]> = names.collect();
        let named = |(account, position): (u32, u64)| {
            let name = names.get(&account).copied().unwrap_or_default();
            (String::from_utf8_lossy(name).into_owned(), position)
        };
        let shown = |double_use: &DoubleUse| Self {
            id: Uuid::from_u128(double_use.id),
            first: named(double_use.first),
            again: named(double_use.again),
        };
        double_uses.iter().map(shown).collect()
    }
}

impl fmt::Display for NamedDoubleUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, first: (first, at), again: (again, position) } = self;
        write!(f, "{id} on {first} (position {at}) and on {again} (position {position})")
    }
}
