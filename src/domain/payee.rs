//! A payee is the side to which a transfer moves money.

use std::fmt;

use super::ids::{AccountName, CounterAccount};

/// A `Payee` is the side to which a transfer moves money: an account of the ledger, or a payout provider outside it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Payee {
    /// It is a guarded account.
    Account(AccountName),
    /// It is a payout provider, by the name of the ledger's own account for it, `@external:NAME`.
    External(CounterAccount),
}

impl Payee {
    /// Reads an account's name, or `@external:NAME`; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(CounterAccount::EXTERNAL) {
            Some(name) if is_provider(name) => CounterAccount::parse(text).map(Self::External),
            Some(_) => None,
            None => AccountName::parse(text).map(Self::Account),
        }
    }

    /// Returns the account of the ledger, if it is one.
    #[must_use]
    pub fn account(&self) -> Option<&AccountName> {
        match self {
            Self::Account(name) => Some(name),
            Self::External(_) => None,
        }
    }

    /// Returns its text, as requests and events have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Account(name) => name.as_str(),
            Self::External(name) => name.as_str(),
        }
    }

    /// Returns the ledger's own account against which the money goes out of the account that pays.
    #[must_use]
    pub fn counter_account(&self) -> &CounterAccount {
        match self {
            Self::Account(_) => CounterAccount::transit(),
            Self::External(name) => name,
        }
    }
}

/// Says whether a payout provider can have this name: `[a-z0-9][a-z0-9-]{0,31}`.
fn is_provider(name: &str) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=32).contains(&name.len())
        && name.as_bytes().first().is_some_and(is_plain)
        && name.as_bytes().iter().all(|byte| is_plain(byte) || *byte == b'-')
}

impl fmt::Display for Payee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Payee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payee_is_an_account_or_a_provider() {
        for text in ["bob", "external:bob", "@external:acme-1"] {
            assert_eq!(Payee::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Payee::parse("bob").unwrap().counter_account().as_str(), "@transit");
        assert_eq!(Payee::parse("@external:acme").unwrap().counter_account().as_str(), "@external:acme");
        for text in ["", "@cash", "@transit", "@external:", "@external:Acme", "@external:-a", "@external:a b"]
        {
            assert_eq!(Payee::parse(text), None, "{text:?}");
        }
    }
}
