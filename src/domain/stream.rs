//! A stream is the unit that is decided on. It has a name, and its events have revisions from 0.
//!
//! This file is the one place where the ledger writes the prefixes of the streams' names; the audit keeps its own.

use std::fmt;

use super::delivery::name::DestinationName;
use super::ids::{AccountName, TransactionId};
use super::letter::LetterId;

/// This is the prefix of the name of an account's stream.
const ACCOUNT: &str = "account-";
/// This is the prefix of the name of a destination's stream.
const DELIVERY: &str = "delivery-";
/// This is the prefix of the name of a letter's stream.
const LETTER: &str = "letter-";
/// This is the prefix of the name of a transfer's stream.
const TRANSFER: &str = "transfer-";

/// A `StreamName` is a stream's name: the kind of the stream, and the name of the thing whose stream it is. The kinds are in
/// the order of their prefixes, so that the names are in the order of their texts.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamName {
    /// It is the stream of a guarded account, `account-<name>`.
    Account(AccountName),
    /// It is the stream of a destination, `delivery-<name>`.
    Delivery(DestinationName),
    /// It is the stream of a letter, `letter-<id>`.
    Letter(LetterId),
    /// It is the stream of a transfer, `transfer-<id>`, the ID in its usual spelling.
    Transfer(TransactionId),
}

impl StreamName {
    /// These are the prefixes of all kinds of streams, for a store that is asked for the ledger's events alone.
    pub const PREFIXES: [&'static str; 4] = [ACCOUNT, DELIVERY, LETTER, TRANSFER];

    /// Reads the name of a stream; `None` where no stream of the ledger can have this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(id) = text.strip_prefix(TRANSFER) {
            // One stream has one name: no other spelling of the ID is taken.
            return TransactionId::parse(id).filter(|known| known.to_string() == id).map(Self::Transfer);
        }
        if let Some(name) = text.strip_prefix(DELIVERY) {
            return DestinationName::parse(name).map(Self::Delivery);
        }
        if let Some(id) = text.strip_prefix(LETTER) {
            return LetterId::parse(id).map(Self::Letter);
        }
        text.strip_prefix(ACCOUNT).and_then(AccountName::parse).map(Self::Account)
    }

    /// Says whether a name begins with a prefix of the ledger's streams. The ledger looks at every event of such a
    /// stream, even where the rest of the name breaks the rule.
    #[must_use]
    pub fn is_claimed(text: &str) -> bool {
        Self::PREFIXES.iter().any(|prefix| text.starts_with(prefix))
    }

    /// Calls `work` with its name in two parts, the prefix of its kind and the rest, so that writing it needs no allocation.
    pub fn with_parts<T>(&self, work: impl FnOnce([&str; 2]) -> T) -> T {
        match self {
            Self::Account(name) => work([ACCOUNT, name.as_str()]),
            Self::Delivery(name) => work([DELIVERY, name.as_str()]),
            Self::Letter(id) => id.with_text(|id| work([LETTER, id])),
            Self::Transfer(id) => id.with_text(|id| work([TRANSFER, id])),
        }
    }

    /// Calls `work` with its name as text. The names as text are in the order of the streams.
    pub(crate) fn with_text<T>(&self, work: impl FnOnce(&str) -> T) -> T {
        // The longest prefix, and the longest name of an account.
        let mut text = [0; TRANSFER.len() + 64];
        self.with_parts(|parts| {
            let mut length = 0;
            for part in parts.map(str::as_bytes) {
                let end = usize::saturating_add(length, part.len());
                text.get_mut(length..end).into_iter().for_each(|room| room.copy_from_slice(part));
                length = end;
            }
            work(text.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())
        })
    }

    /// Returns the account whose stream it is, if it is an account's.
    #[must_use]
    pub fn account(&self) -> Option<&AccountName> {
        match self {
            Self::Account(name) => Some(name),
            Self::Delivery(_) | Self::Letter(_) | Self::Transfer(_) => None,
        }
    }

    /// Returns the destination, if it is the stream of one.
    #[must_use]
    pub fn destination(&self) -> Option<&DestinationName> {
        match self {
            Self::Account(_) | Self::Transfer(_) | Self::Letter(_) => None,
            Self::Delivery(name) => Some(name),
        }
    }

    /// Returns the transfer whose stream it is, if it is a transfer's.
    #[must_use]
    pub fn transfer(&self) -> Option<TransactionId> {
        match self {
            Self::Account(_) | Self::Delivery(_) | Self::Letter(_) => None,
            Self::Transfer(id) => Some(*id),
        }
    }

    /// Says whether its events are what the service records of its own deliveries: no money moves by them, and they have
    /// neither an answer nor, most of them, an ID.
    #[must_use]
    pub fn is_of_delivery(&self) -> bool {
        match self {
            Self::Account(_) | Self::Transfer(_) => false,
            Self::Delivery(_) | Self::Letter(_) => true,
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
        self.with_parts(|parts| parts.into_iter().try_for_each(|part| f.write_str(part)))
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
        let transfer = "transfer-018f4e6e-9d52-7a30-8f7e-3f6b2a1c0d4e";
        assert_eq!(StreamName::parse(transfer).unwrap().to_string(), transfer);
        let named_alike = StreamName::parse(&format!("account-{transfer}")).unwrap();
        assert_ne!(Some(named_alike), StreamName::parse(transfer));
    }

    #[test]
    fn what_is_no_stream_of_the_ledger_has_no_name_here() {
        for text in ["alice", "account-", "account-al ice", "account-@cash", "$$account-alice", "transfer-1"]
        {
            assert_eq!(StreamName::parse(text), None, "{text:?}");
        }
        for text in ["018F4E6E-9D52-7A30-8F7E-3F6B2A1C0D4E", "018f4e6e9d527a308f7e3f6b2a1c0d4e"] {
            assert_eq!(StreamName::parse(&format!("transfer-{text}")), None, "{text:?}");
        }
    }
}
