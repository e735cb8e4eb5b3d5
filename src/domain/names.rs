//! Names of accounts are types here, as ids are. A text is checked once, when the type is made of it.

use std::fmt;
use std::sync::{Arc, LazyLock};

fn is_name(text: &str) -> bool {
    let rest = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    (1..=64).contains(&text.len())
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.as_bytes().iter().all(rest)
}

/// An `AccountName` is a guarded account's name: `[A-Za-z0-9][A-Za-z0-9._:-]{0,63}`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// Reads the text as a name; `None` where it breaks the rule.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for AccountName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `CounterAccount` is the name of one of the ledger's own accounts, which are on the other side of each movement:
/// `@` and a name. `None` stands for `@cash`, the usual one, so that it costs no allocation.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CounterAccount(Option<Arc<str>>);

impl CounterAccount {
    /// This is the counter account that is meant when a request names none.
    pub const CASH: &str = "@cash";

    /// This is the account with what was credited by transfers and is not yet captured.
    pub const TRANSIT: &str = "@transit";

    /// This is the account against which operators correct.
    pub const CORRECTIONS: &str = "@corrections";

    /// The accounts of payout providers begin with this.
    pub const EXTERNAL: &str = "@external:";

    /// Reads `@name`; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('@')?;
        match text {
            Self::CASH => Some(Self(None)),
            _ => is_name(name).then(|| Self(Some(text.into()))),
        }
    }

    /// Reads the name of an account that a request may name, as far as the request alone shows it: any but `@transit`.
    #[must_use]
    pub fn parse_requested(text: &str) -> Option<Self> {
        Self::parse(text).filter(|_| text != Self::TRANSIT)
    }

    /// Returns the account of transfers under way, `@transit`.
    #[must_use]
    pub fn transit() -> &'static Self {
        static TRANSIT: LazyLock<CounterAccount> =
            LazyLock::new(|| CounterAccount(Some(CounterAccount::TRANSIT.into())));
        &TRANSIT
    }

    /// Says whether only the ledger itself books against it. `@corrections` and those of payout providers were free once, so
    /// that a request which named one and was booked still gets its first answer.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.as_deref().is_some_and(|name| {
            matches!(name, Self::TRANSIT | Self::CORRECTIONS) || name.starts_with(Self::EXTERNAL)
        })
    }

    /// Returns `@corrections`, the account on the other side of each correction.
    #[must_use]
    pub fn corrections() -> &'static Self {
        static CORRECTIONS: LazyLock<CounterAccount> =
            LazyLock::new(|| CounterAccount(Some("@corrections".into())));
        &CORRECTIONS
    }

    /// Returns the name with its `@`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::CASH)
    }
}

impl fmt::Display for CounterAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CounterAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert!(AccountName::parse("alice").is_some() && AccountName::parse(&"a".repeat(64)).is_some());
        for text in
            ["", "../etc", "a\0b", "\r\nX:y", "a\u{202e}b", "а", "@cash", "-a", "a b", &"a".repeat(65)]
        {
            assert_eq!(AccountName::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_ledgers_own_accounts_begin_with_an_at() {
        assert_eq!(CounterAccount::parse("@cash"), Some(CounterAccount::default()));
        assert!(CounterAccount::parse("@fees").is_some());
        for text in ["cash", "@", "@@cash", "@ cash"] {
            assert_eq!(CounterAccount::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn some_of_the_ledgers_own_accounts_are_the_ledgers_to_use() {
        let reserved = |name| CounterAccount::parse(name).unwrap().is_reserved();
        for name in ["@transit", "@corrections", "@external:acme"] {
            assert!(reserved(name), "{name}");
        }
        for name in ["@cash", "@external", "@corrections1", "@transit.a"] {
            assert!(!reserved(name) && CounterAccount::parse_requested(name).is_some(), "{name}");
        }
        assert_eq!(CounterAccount::parse("@transit"), Some(CounterAccount::transit().clone()));
        assert_eq!(CounterAccount::parse_requested("@transit"), None);
    }
}
