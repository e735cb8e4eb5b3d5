//! Layers say how streams and own accounts stand after the events in memory, in parts of which all but the newest never
//! change.
//!
//! A reader that needs all of them seals the newest layer and shares the others, instead of copying them under the lock
//! that every commit needs. Bounds: sealing moves a map and costs the same whatever is in it; a reader that finds small layers
//! joins them outside the lock, so that there are about as many as the number of streams has binary digits.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;

use crate::domain::account::Account;
use crate::domain::currency::Currency;
use crate::domain::digest::EndedSum;
use crate::domain::ids::{AccountName, CounterAccount, TransactionId};
use crate::domain::money::Money;
use crate::domain::state::State;
use crate::domain::stream::StreamName;
use crate::domain::transfer::Transfer;
use crate::store::chain::Hash;

use super::record::StreamKey;

type Map<K, V> = HashMap<K, V, RandomState>;

/// A `Tracked` says how a stream stands. It has the stream's key, too, because computing that costs a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// This is the state of the stream.
    pub state: State,
    /// This is its key in the index.
    pub key: StreamKey,
    /// This is the hash of its last event, where the chain runs along each stream.
    pub hash: Option<Hash>,
}

/// An `InternalKey` names one of the ledger's own accounts in one currency.
pub type InternalKey = (CounterAccount, Currency);

/// A `Layer` is a part of what is known in memory of streams and own accounts.
#[derive(Debug, Default)]
pub(super) struct Layer {
    streams: Map<StreamName, Tracked>,
    /// These are the transfers among the streams, so that they are found without the accounts.
    transfers: BTreeSet<TransactionId>,
    /// These sums say by how much the events of this layer changed the ledger's own accounts.
    internal: Map<InternalKey, Money>,
    /// This is by how much its events changed the sum of the transfers that have ended.
    ended: EndedSum,
    /// These are the names of its accounts in their order, made when they are first asked for.
    names: OnceLock<Vec<AccountName>>,
}

impl Layer {
    fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.internal.is_empty()
    }

    fn len(&self) -> usize {
        self.streams.len() + self.internal.len()
    }

    fn add(&mut self, key: &InternalKey, amount: Money) {
        match self.internal.get_mut(key) {
            // A sum that can't be counted is about 10^13 times the largest balance.
            Some(sum) => *sum = sum.plus(amount).unwrap_or(*sum),
            None => drop(self.internal.insert(key.clone(), amount)),
        }
    }

    /// Returns up to `limit` of its accounts by name, from after `after`.
    pub(super) fn accounts(
        &self,
        after: Option<&AccountName>,
        limit: usize,
    ) -> impl Iterator<Item = &Account> {
        let names = self.names.get_or_init(|| {
            let mut names: Vec<_> = self.streams.keys().filter_map(StreamName::account).cloned().collect();
            names.sort_unstable();
            names
        });
        let start = after.map_or(0, |after| names.partition_point(|name| name <= after));
        let names = names.iter().skip(start).take(limit);
        names.filter_map(|name| self.streams.get(&StreamName::Account(name.clone()))?.state.account())
    }

    /// Returns its transfers, in the order of their IDs.
    pub(super) fn transfers(&self) -> impl Iterator<Item = &Transfer> {
        self.transfers.iter().filter_map(|id| self.streams.get(&StreamName::Transfer(*id))?.state.transfer())
    }

    fn set(&mut self, tracked: Tracked) {
        if let Some(transfer) = tracked.state.transfer() {
            self.transfers.insert(transfer.id);
        }
        self.streams.insert(tracked.state.stream(), tracked);
    }

    /// Returns by how much its events changed the sum of the transfers that have ended.
    pub(super) fn ended(&self) -> EndedSum {
        self.ended
    }

    /// Returns by how much its events changed the ledger's own accounts.
    pub(super) fn internal(&self) -> impl Iterator<Item = (&InternalKey, &Money)> {
        self.internal.iter()
    }
}

/// The `Layers` are all layers of a memtable.
#[derive(Debug, Default)]
pub(super) struct Layers {
    top: Layer,
    /// These layers never change; the oldest is the first.
    sealed: Vec<Arc<Layer>>,
}

impl Layers {
    pub(super) fn set(&mut self, tracked: Tracked) {
        self.top.set(tracked);
    }

    /// Adds to what an own account has.
    pub(super) fn add(&mut self, key: &InternalKey, amount: Money) {
        self.top.add(key, amount);
    }

    /// Adds a change to the sum of the transfers that have ended. The states that it comes with are set, too.
    pub(super) fn add_ended(&mut self, change: EndedSum) {
        self.top.ended = self.top.ended.plus(change);
    }

    /// Returns the change of the sum of the transfers that have ended.
    pub(super) fn ended(&self) -> EndedSum {
        self.newest_first().fold(EndedSum::default(), |sum, layer| sum.plus(layer.ended))
    }

    pub(super) fn get(&self, stream: &StreamName) -> Option<&Tracked> {
        self.newest_first().find_map(|layer| layer.streams.get(stream))
    }

    /// Returns how all streams stand, in no order.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Tracked> {
        let mut newest: Map<&StreamName, &Tracked> = Map::default();
        for layer in self.newest_first() {
            for (name, tracked) in &layer.streams {
                newest.entry(name).or_insert(tracked);
            }
        }
        newest.into_values()
    }

    /// Returns the changes of the ledger's own accounts. One account may come several times.
    pub(super) fn internal(&self) -> impl Iterator<Item = (&InternalKey, &Money)> {
        self.newest_first().flat_map(|layer| layer.internal.iter())
    }

    fn newest_first(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.top).chain(self.sealed.iter().rev().map(|layer| &**layer))
    }

    /// Seals what is not sealed yet.
    pub(super) fn seal(&mut self) {
        if !self.top.is_empty() {
            self.sealed.push(Arc::new(std::mem::take(&mut self.top)));
        }
    }

    /// Returns the layers that never change, oldest first.
    pub(super) fn sealed(&self) -> &[Arc<Layer>] {
        &self.sealed
    }

    /// Puts a joined layer in the place of those that it was made of, where they are still there.
    pub(super) fn replace(&mut self, joined: &Joined) {
        let Some(first) = joined.of.first() else { return };
        let Some(start) = self.sealed.iter().position(|layer| Arc::ptr_eq(layer, first)) else { return };
        let end = start + joined.of.len();
        let same = self.sealed.get(start..end).is_some_and(|there| {
            there.iter().zip(&joined.of).all(|(there, known)| Arc::ptr_eq(there, known))
        });
        if same {
            self.sealed.splice(start..end, [Arc::clone(&joined.layer)]);
        }
    }
}

/// A `Joined` is a layer that says what several say together.
pub(super) struct Joined {
    of: Vec<Arc<Layer>>,
    layer: Arc<Layer>,
}

impl Joined {
    /// Joins the newest layers, as long as the next older one is not more than twice as large as those together; `None`
    /// where that is one alone. So each stream is copied about as often as the number of streams has binary digits.
    pub(super) fn newest(layers: &[Arc<Layer>]) -> Option<Self> {
        let mut together = 0;
        let joined = layers.iter().rev().take_while(|layer| {
            let joins = together == 0 || layer.len() <= 2 * together;
            together += layer.len();
            joins
        });
        let start = layers.len() - joined.count();
        let of = layers.get(start..).filter(|of| of.len() > 1)?.to_vec();
        let mut layer = Layer::default();
        for part in &of {
            layer.streams.extend(part.streams.iter().map(|(name, tracked)| (name.clone(), tracked.clone())));
            layer.transfers.extend(&part.transfers);
            part.internal.iter().for_each(|(key, amount)| layer.add(key, *amount));
            layer.ended = layer.ended.plus(part.ended);
        }
        Some(Self { of, layer: Arc::new(layer) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::domain::account::Status;

    fn name(n: u64) -> AccountName {
        AccountName::parse(&format!("account-{n:05}")).unwrap()
    }

    fn tracked(n: u64, revision: u64) -> Tracked {
        let currency = Currency::parse("EUR").unwrap();
        let zero = Money::zero(currency);
        let account = Account {
            name: name(n),
            currency,
            balance: zero,
            overdraft_limit: zero,
            status: Status::Open,
            holds: Default::default(),
            revision,
            seen: [0; 32],
        };
        let stream = StreamName::Account(name(n));
        Tracked { state: State::Account(account), key: StreamKey::of(&stream), hash: None }
    }

    /// Returns the revisions of up to `limit` accounts after one, as a reader of these layers sees them.
    fn read(layers: &[Arc<Layer>], after: Option<&AccountName>, limit: usize) -> Vec<(AccountName, u64)> {
        let mut found = BTreeMap::new();
        for layer in layers {
            found
                .extend(layer.accounts(after, limit).map(|account| (account.name.clone(), account.revision)));
        }
        found.into_iter().take(limit).collect()
    }

    /// Guards against: a list that lacks what was booked before it or has what was booked after it, and one that finds more
    /// and more layers or copies everything each time.
    #[test]
    fn many_readers_beside_a_writer_see_one_moment_each_and_few_layers() {
        const ACCOUNTS: u64 = 1_000;
        let mut layers = Layers::default();
        let mut model = BTreeMap::new();
        let (mut most, mut copied) = (0, 0);
        let mut random = 1_u64;
        for revision in 0..5_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let n = (random >> 33) % ACCOUNTS;
            layers.set(tracked(n, revision));
            model.insert(name(n), revision);
            if revision % 2 == 0 {
                layers.seal();
                let seen = layers.sealed().to_vec();
                most = most.max(seen.len());
                let after = name((random >> 40) % ACCOUNTS);
                let expected: Vec<_> =
                    model.range(after.clone()..).filter(|(name, _)| **name > after).take(9).collect();
                let expected: Vec<_> = expected.into_iter().map(|(name, n)| (name.clone(), *n)).collect();
                layers.set(tracked(ACCOUNTS, revision));
                assert_eq!(read(&seen, Some(&after), 9), expected);
                model.insert(name(ACCOUNTS), revision);
                if let Some(joined) = Joined::newest(&seen) {
                    copied += joined.layer.len();
                    layers.replace(&joined);
                }
            }
        }
        layers.seal();
        assert!(read(layers.sealed(), None, usize::MAX).into_iter().eq(model.clone()));
        assert_eq!(layers.streams().count(), model.len());
        assert!(most <= 12, "{most} layers");
        assert!(copied < 5_000 * 12, "{copied} streams were copied for 5,000 events");
    }
}
