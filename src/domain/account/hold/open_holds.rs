//! The open holds of an account are what the fold keeps of its holds: those that are not settled yet.
//!
//! An account is copied for each of its events, and may have more than a thousand open holds. So they are in shared chunks:
//! a copy of the account copies one pointer, and a change copies the list of chunks and one chunk of at most [`CHUNK`]
//! holds. An account without holds has no allocation for them.

use std::sync::Arc;

use crate::domain::ids::Id;
use crate::domain::money::{Amount, Money};
use crate::domain::time::Timestamp;

/// This is the most holds in one chunk.
const CHUNK: usize = 32;

/// A `Hold` is a sum that an account sets aside until the hold is captured, released or expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// This is the ID that it was placed with.
    pub id: Id,
    /// This is the sum that it sets aside.
    pub amount: Amount,
    /// This is when it expires; `None` for the hold of a transfer, which never does.
    pub expires_at: Option<Timestamp>,
}

impl Hold {
    /// Returns its place in the order in which holds expire. Those that never do are the last.
    #[must_use]
    pub fn order(&self) -> (i64, Id) {
        (self.expires_at.map_or(i64::MAX, Timestamp::micros), self.id)
    }
}

/// `OpenHolds` are the open holds of one account, in the order in which they expire; those that never do are the last.
#[derive(Clone, Default)]
pub struct OpenHolds(Option<Arc<Held>>);

#[derive(Clone)]
struct Held {
    /// These are the holds in their order; no chunk is empty.
    chunks: Vec<Arc<Vec<Hold>>>,
    sum: Money,
    of_clients: usize,
}

impl OpenHolds {
    /// Returns the sum that all of them set aside; `None` where there is none.
    #[must_use]
    pub fn sum(&self) -> Option<Money> {
        self.0.as_ref().map(|held| held.sum)
    }

    /// Says whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().flat_map(|held| &held.chunks).map(|chunk| chunk.len()).sum()
    }

    /// Returns how many of them clients placed; the others are transfers'.
    #[must_use]
    pub fn of_clients(&self) -> usize {
        self.0.as_ref().map_or(0, |held| held.of_clients)
    }

    /// Returns them in the order in which they expire.
    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.0.iter().flat_map(|held| &held.chunks).flat_map(|chunk| chunk.iter())
    }

    /// Returns the one that expires first; `None` where none ever does.
    #[must_use]
    pub fn next_to_expire(&self) -> Option<(&Hold, Timestamp)> {
        let first = self.0.as_ref()?.chunks.first()?.first()?;
        first.expires_at.map(|at| (first, at))
    }

    /// Returns the open hold with this ID. All are looked at, which takes about a microsecond for a thousand.
    #[must_use]
    pub fn get(&self, id: Id) -> Option<&Hold> {
        self.iter().find(|hold| hold.id == id)
    }

    /// Adds one. Returns `false` when one with this ID is open already, or when the sum can't be counted any more.
    #[must_use]
    pub(in crate::domain) fn add(&mut self, hold: Hold) -> bool {
        self.get(hold.id).is_none() && self.restore(hold)
    }

    /// Adds one that was among them before, where all of them are put together again from what was kept of them. Returns
    /// `false` when the sum can't be counted.
    #[must_use]
    pub fn restore(&mut self, hold: Hold) -> bool {
        let amount = hold.amount.money();
        let client = usize::from(hold.id.client().is_some());
        let Some(held) = &mut self.0 else {
            let chunks = vec![Arc::new(vec![hold])];
            self.0 = Some(Arc::new(Held { chunks, sum: amount, of_clients: client }));
            return true;
        };
        let Some(sum) = held.sum.plus(amount) else { return false };
        let held = Arc::make_mut(held);
        held.insert(hold);
        (held.sum, held.of_clients) = (sum, held.of_clients.saturating_add(client));
        true
    }

    /// Takes out the one with this ID; `None` when none such is open.
    pub(in crate::domain) fn take(&mut self, id: Id) -> Option<Hold> {
        let held = self.0.as_mut()?;
        let (chunk, place) = held.place_of(id)?;
        let held = Arc::make_mut(held);
        let chunk_of = held.chunks.get_mut(chunk).map(Arc::make_mut)?;
        let taken = chunk_of.remove(place);
        if chunk_of.is_empty() {
            held.chunks.remove(chunk);
        }
        // The sum has this amount in it, so that it can be taken off.
        held.sum = held.sum.minus(taken.amount.money()).unwrap_or(held.sum);
        held.of_clients = held.of_clients.saturating_sub(usize::from(id.client().is_some()));
        if held.chunks.is_empty() {
            self.0 = None;
        }
        Some(taken)
    }
}

impl Held {
    fn place_of(&self, id: Id) -> Option<(usize, usize)> {
        self.chunks.iter().enumerate().find_map(|(chunk, holds)| {
            holds.iter().position(|hold| hold.id == id).map(|place| (chunk, place))
        })
    }

    fn insert(&mut self, hold: Hold) {
        let ends_before =
            |chunk: &Arc<Vec<Hold>>| chunk.last().is_some_and(|last| last.order() < hold.order());
        let at = self.chunks.partition_point(ends_before).min(self.chunks.len().saturating_sub(1));
        let Some(chunk) = self.chunks.get_mut(at).map(Arc::make_mut) else { return };
        let place = chunk.partition_point(|other| other.order() < hold.order());
        chunk.insert(place, hold);
        if chunk.len() > CHUNK {
            // One that comes last of all begins a new chunk, so that chunks are full where holds come in their order.
            let keep = if place == CHUNK { CHUNK } else { CHUNK / 2 };
            let rest = chunk.split_off(keep);
            self.chunks.insert(at.saturating_add(1), Arc::new(rest));
        }
    }
}

impl PartialEq for OpenHolds {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for OpenHolds {}

impl std::fmt::Debug for OpenHolds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::currency::Currency;
    use crate::domain::ids::{Step, TransactionId};
    use uuid::Uuid;

    fn hold(n: u128, expires: Option<i64>) -> Hold {
        let id = TransactionId::from_uuid(Uuid::from_u128(n)).unwrap();
        let id = if expires.is_some() {
            Id::Client(id)
        } else {
            Id::Step { of: id, step: Step::Hold, attempt: 1 }
        };
        let amount = Amount::new(Money::read("1.00", Currency::parse("EUR").unwrap()).unwrap()).unwrap();
        Hold { id, amount, expires_at: expires.map(Timestamp::from_micros) }
    }

    /// Guards against: a hold that is lost or out of order where chunks are split and removed.
    #[test]
    fn what_is_added_and_taken_out_is_what_a_plain_list_has() {
        let mut random = 7_u64;
        let (mut holds, mut plain) = (OpenHolds::default(), Vec::<Hold>::new());
        for n in 1..4_000_u128 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = i64::try_from(random >> 50).unwrap();
            if random >> 40 & 3 == 0 && !plain.is_empty() {
                let taken = plain.remove(usize::try_from(random >> 20).unwrap() % plain.len());
                assert_eq!(holds.take(taken.id), Some(taken.clone()));
                assert_eq!(holds.take(taken.id), None);
            } else {
                let new = hold(n, (random >> 42 & 7 > 0).then_some(at));
                assert!(holds.add(new.clone()) && !holds.add(new.clone()));
                plain.push(new);
            }
            plain.sort_by_key(Hold::order);
            assert!(holds.iter().eq(&plain), "after {n}");
            assert_eq!((holds.len(), holds.is_empty()), (plain.len(), plain.is_empty()));
            let clients = plain.iter().filter(|hold| hold.id.client().is_some()).count();
            assert_eq!(holds.of_clients(), clients);
        }
        plain.iter().for_each(|hold| assert!(holds.take(hold.id).is_some()));
        assert!(holds.is_empty() && holds.sum().is_none());
    }

    /// Guards against: a copy of an account that copies its holds, and a change that changes the copy.
    #[test]
    fn a_copy_shares_its_holds_and_is_not_changed() {
        let mut holds = OpenHolds::default();
        (1..=1_000).for_each(|n| assert!(holds.add(hold(n, Some(i64::try_from(n).unwrap())))));
        let copy = holds.clone();
        assert!(holds.take(hold(500, Some(0)).id).is_some());
        assert_eq!((copy.len(), holds.len()), (1_000, 999));
        let (Some(copy), Some(holds)) = (&copy.0, &holds.0) else { panic!("both have holds") };
        assert!(copy.chunks.len() <= 32);
        let shared = copy.chunks.iter().zip(&holds.chunks).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, copy.chunks.len() - 1);
    }
}
