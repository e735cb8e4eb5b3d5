//! A stream is the unit that is decided on. It has a name, and its events have revisions from 0.
//!
//! This file is the one place where the ledger writes the prefixes of the streams' names; the audit keeps its own.

use std::fmt;

use super::ids::AccountName;

/// This is the prefix of the name of an account's stream.
const ACCOUNT: &str = "account-";

/// A `StreamName` is a stream's name: the kind of the stream, and the name of the thing whose stream it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamName {
    /// It is the stream of a guarded account, `account-<name>`.
    Account(AccountName),
}

impl StreamName {
    /// These are the prefixes of all kinds of streams, for a store that is asked for the ledger's events alone.
    pub const PREFIXES: [&'static str; 1] = [ACCOUNT];

    /// Reads the name of a stream; `None` where no stream of the ledger can have this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(ACCOUNT).and_then(AccountName::parse).map(Self::Account)
    }

    /// Says whether a name begins with a prefix of the ledger's streams. The ledger looks at every event of such a
    /// stream, even where the rest of the name breaks the rule.
    #[must_use]
    pub fn is_claimed(text: &str) -> bool {
        Self::PREFIXES.iter().any(|prefix| text.starts_with(prefix))
    }

    /// Returns its name in two parts, the prefix of its kind and the rest, so that writing it needs no allocation.
    #[must_use]
    pub fn parts(&self) -> [&str; 2] {
        match self {
            Self::Account(name) => [ACCOUNT, name.as_str()],
        }
    }

    /// Returns the account whose stream it is, if it is an account's.
    #[must_use]
    pub fn account(&self) -> Option<&AccountName> {
        match self {
            Self::Account(name) => Some(name),
        }
    }
}

impl From<AccountName> for StreamName {
    fn from(name: AccountName) -> Self {
        Self::Account(name)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().into_iter().try_for_each(|part| f.write_str(part))
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streams_name_is_read_as_it_is_written() {
        let stream = StreamName::Account(AccountName::parse("alice").unwrap());
        assert_eq!(stream.to_string(), "account-alice");
        assert_eq!(StreamName::parse("account-alice"), Some(stream));
    }

    #[test]
    fn what_is_no_stream_of_the_ledger_has_no_name_here() {
        for text in ["alice", "account-", "account-al ice", "account-@cash", "$$account-alice", "transfer-1"]
        {
            assert_eq!(StreamName::parse(text), None, "{text:?}");
        }
    }
}
