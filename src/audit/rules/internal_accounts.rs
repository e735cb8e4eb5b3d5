//! Internal accounts are the ledger's own, such as `@cash`. They are on the other side of every entry, and may have any
//! balance.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use crate::audit::values::currency::Currency;
use crate::audit::values::finding::Flaw;

/// `InternalAccounts` are the internal accounts that were used so far. Each has a number, so that 4 bytes are enough to
/// name it.
#[derive(Debug, Default)]
pub(crate) struct InternalAccounts {
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
    balances: BTreeMap<(u32, Currency), i128>,
}

impl InternalAccounts {
    /// Gives the number of the account with this name. It gets one on its first use.
    pub(crate) fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.into(), number);
        number
    }

    /// Gives the number of the account with this name, if it was used.
    pub(crate) fn known(&self, name: &[u8]) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Books the other side of what a guarded account gets: this account loses it.
    ///
    /// # Errors
    /// Fails when no 128 bits hold the balance.
    pub(crate) fn give(&mut self, name: &[u8], currency: Currency, signed: i128) -> Result<(), Flaw> {
        let number = self.number(name);
        let balance = self.balances.entry((number, currency)).or_default();
        *balance = balance.checked_sub(signed).ok_or(Flaw::NoSum("the other side's balance"))?;
        Ok(())
    }

    /// Gives the balance of one of them in minor units.
    pub(crate) fn balance(&self, name: &[u8], currency: Currency) -> i128 {
        let number = self.known(name);
        number.and_then(|number| self.balances.get(&(number, currency))).copied().unwrap_or_default()
    }

    /// Gives the names by their numbers.
    pub(crate) fn names(&self) -> HashMap<u32, &[u8]> {
        self.numbers.iter().map(|(name, at)| (*at, &**name)).collect()
    }

    /// Gives the balances in minor units, by name and currency.
    pub(crate) fn balances(&self) -> BTreeMap<(&str, Currency), i128> {
        let names = self.names();
        self.balances
            .iter()
            .filter_map(|((number, currency), balance)| {
                Some(((std::str::from_utf8(names.get(number)?).ok()?, *currency), *balance))
            })
            .collect()
    }
}
