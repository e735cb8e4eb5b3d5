//! A double use is one transaction ID on two accounts: two instances of the service took it at the same time.

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

/// A double use names the number of each account, and the position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoubleUse {
    pub(crate) id: u128,
    /// This is where it was seen first.
    pub(crate) first: (u32, u64),
    /// This is where it was seen again.
    pub(crate) again: (u32, u64),
}

/// A named double use has the names of the accounts, to be shown to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedDoubleUse {
    pub(crate) id: Uuid,
    /// This is where it was seen first.
    pub(crate) first: (String, u64),
    /// This is where it was seen again.
    pub(crate) again: (String, u64),
}

impl NamedDoubleUse {
    /// Puts the names of the accounts in place of their numbers.
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
