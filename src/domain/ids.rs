//! Names and ids, as types: a text that passed its rule once need not be checked again.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// The client's own id of a transaction: a UUID of any version but nil, unique in the ledger, for ever.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(Uuid);

impl TransactionId {
    /// Reads a UUID in one of its usual spellings; `None` for nil or anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().and_then(Self::from_uuid)
    }

    /// A UUID that is not nil.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Option<Self> {
        (!uuid.is_nil()).then_some(Self(uuid))
    }

    /// Its sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Appends the hyphenated lower-case form.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_name(text: &str) -> bool {
    let rest = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    (1..=64).contains(&text.len())
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.as_bytes().iter().all(rest)
}

/// A guarded account's name: `[A-Za-z0-9][A-Za-z0-9._:-]{0,63}`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// The text as a name; `None` where it breaks the rule.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// The name.
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

/// One of the ledger's own accounts, on the other side of each entry: `@` and a name. `None` stands for `@cash`, the
/// usual one, so that it costs no allocation.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CounterAccount(Option<Arc<str>>);

impl CounterAccount {
    /// The one that is meant when none is named.
    pub const CASH: &str = "@cash";

    /// Reads `@name`; `None` for another text and for `@transit`, which only transfers may use.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('@')?;
        match text {
            Self::CASH => Some(Self(None)),
            "@transit" => None,
            _ => is_name(name).then(|| Self(Some(text.into()))),
        }
    }

    /// The name with its `@`.
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
        for text in ["cash", "@", "@transit", "@@cash", "@ cash"] {
            assert_eq!(CounterAccount::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_nil_id_is_no_id() {
        assert_eq!(TransactionId::parse("00000000-0000-0000-0000-000000000000"), None);
        assert_eq!(TransactionId::parse("not-a-uuid"), None);
        assert!(TransactionId::parse("018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e").is_some());
    }
}
