//! A [`Till`] is the books of a payout provider in the storm: what it paid for each key, and how it fails while the storm
//! rages.
//!
//! It loses requests and replies, comes late, declines, and says that it is at work. What a service does about it is the
//! service's affair: the till counts what left it, which is the money that no ledger gets back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::cli::outcome::Error;
use crate::cli::trial_provider::{Answers, Call, TrialProvider, Way};
use crate::client::random::Draws;
use crate::domain::ids::TransactionId;

use super::cents;

/// A call that is answered late takes so long at most. A service waits for a second.
const LATEST_MS: u64 = 1_600;
const DONE: &str = r#"{"outcome":"done"}"#;
const DECLINED: &str = r#"{"outcome":"declined"}"#;
const WORKING: &str = r#"{"outcome":"working"}"#;
const UNKNOWN: &str = r#"{"outcome":"unknown"}"#;

#[derive(Debug, Default)]
struct Books {
    /// These are the sums that were paid for each key, in cents.
    paid: BTreeMap<String, Vec<i64>>,
    /// These keys are never paid: they were declined or cancelled.
    refused: BTreeSet<String>,
}

/// A `Till` is the books of one provider.
#[derive(Debug)]
pub(crate) struct Till {
    /// It pays a key once. One that does not do so pays each time that it is asked to.
    honours_keys: bool,
    books: Mutex<Books>,
    draws: Draws,
    is_calm: AtomicBool,
    calls: AtomicU64,
    lost: AtomicU64,
    late: AtomicU64,
}

/// A `Fate` is what happens to a call. It is drawn.
enum Fate {
    /// It is answered at once.
    Answered,
    /// It never gets there.
    RequestLost,
    /// It is done, and the reply is lost.
    ReplyLost,
    /// It is done so much later.
    Late(Duration),
    /// It is done, and the reply says that it is at work.
    Working,
    /// It is declined.
    Declined,
}

impl Till {
    fn new(honours_keys: bool, seed: u64) -> Self {
        Self {
            honours_keys,
            books: Mutex::default(),
            draws: Draws::new(seed),
            is_calm: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            late: AtomicU64::new(0),
        }
    }

    /// Returns what it paid for a transfer, in cents.
    pub(crate) fn paid_for(&self, transfer: TransactionId) -> Vec<i64> {
        self.books.lock().paid.get(&format!("{transfer}:payout:1")).cloned().unwrap_or_default()
    }

    /// Returns all that it paid, in cents.
    pub(crate) fn paid(&self) -> i64 {
        self.books.lock().paid.values().flatten().sum()
    }

    /// Returns how many calls came, how many of their replies were lost, and how many came late.
    pub(crate) fn counts(&self) -> [u64; 3] {
        [&self.calls, &self.lost, &self.late].map(|count| count.load(Ordering::Relaxed))
    }

    fn fate(&self, way: Way) -> Fate {
        let drawn = self.draws.below(100);
        match (way, drawn) {
            _ if self.is_calm.load(Ordering::Relaxed) => Fate::Answered,
            (_, 0..8) => Fate::RequestLost,
            (_, 8..20) => Fate::ReplyLost,
            (_, 20..28) => Fate::Late(Duration::from_millis(100 + self.draws.below(LATEST_MS))),
            (Way::Pay, 28..34) => Fate::Declined,
            (Way::Pay, 34..40) => Fate::Working,
            (Way::Pay | Way::Ask | Way::Cancel, _) => Fate::Answered,
        }
    }

    /// Does what is asked, and returns what is to be said about it.
    fn serve(&self, call: &Call) -> &'static str {
        let mut books = self.books.lock();
        let is_paid = books.paid.contains_key(&call.key);
        match call.way {
            Way::Pay if books.refused.contains(&call.key) => DECLINED,
            Way::Pay if is_paid && self.honours_keys => DONE,
            Way::Pay => {
                let amount = cents::read(&call.amount).unwrap_or_default();
                books.paid.entry(call.key.clone()).or_default().push(amount);
                DONE
            }
            Way::Ask | Way::Cancel if is_paid => DONE,
            Way::Ask if books.refused.contains(&call.key) => DECLINED,
            Way::Ask => UNKNOWN,
            Way::Cancel => {
                books.refused.insert(call.key.clone());
                DECLINED
            }
        }
    }

    /// Declines a payout, unless it is paid.
    fn decline(&self, call: &Call) -> &'static str {
        let cancelled = Call { way: Way::Cancel, ..call.clone() };
        self.serve(&cancelled)
    }
}

impl Answers for Till {
    async fn answer(&self, call: Call) -> Option<&'static str> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.fate(call.way) {
            Fate::Answered => Some(self.serve(&call)),
            Fate::RequestLost => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                None
            }
            Fate::ReplyLost => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                self.serve(&call);
                None
            }
            Fate::Late(by) => {
                self.late.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(by).await;
                Some(self.serve(&call))
            }
            Fate::Working => {
                self.serve(&call);
                Some(WORKING)
            }
            Fate::Declined => Some(self.decline(&call)),
        }
    }
}

/// The `Tills` are the two providers of a storm: `atm` pays each time that it is asked to and can be asked and cancelled;
/// `bank` pays a key once and can do nothing else.
#[derive(Debug)]
pub(crate) struct Tills {
    tills: [Arc<Till>; 2],
    /// They listen until the storm's end is proven.
    listening: [TrialProvider; 2],
}

/// These are the accounts of the ledger's own that stand for them.
pub(crate) const NAMES: [&str; 2] = ["@external:atm", "@external:bank"];

impl Tills {
    /// Starts the two.
    ///
    /// # Errors
    /// Fails when they can't listen.
    pub(crate) async fn start(seed: u64) -> Result<Self, Error> {
        let tills = [Arc::new(Till::new(false, seed ^ 0x61)), Arc::new(Till::new(true, seed ^ 0x62))];
        let [atm, bank] = &tills;
        let listening =
            [TrialProvider::start(Arc::clone(atm)).await?, TrialProvider::start(Arc::clone(bank)).await?];
        Ok(Self { tills, listening })
    }

    /// Returns the settings file of a service that pays through them.
    pub(crate) fn settings(&self) -> String {
        let [atm, bank] = &self.listening;
        let more = "timeout_seconds = 1\n";
        atm.settings("atm", "never", true, more) + &bank.settings("bank", "same_key", false, more)
    }

    /// Ends their faults.
    pub(crate) fn calm(&self) {
        self.tills.iter().for_each(|till| till.is_calm.store(true, Ordering::Relaxed));
    }

    /// Gives the two.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Till> {
        self.tills.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against: a till that pays what it said would never be paid, and books that hide a second payment.
    #[test]
    fn a_till_counts_each_payment_and_keeps_what_it_promised() {
        for honours_keys in [true, false] {
            let till = Till::new(honours_keys, 1);
            let id = crate::client::ids::derive("t", "a");
            let call = |way| Call { way, key: format!("{id}:payout:1"), amount: "40.00".to_owned() };
            assert_eq!(till.serve(&call(Way::Ask)), UNKNOWN);
            assert_eq!([till.serve(&call(Way::Pay)), till.serve(&call(Way::Pay))], [DONE; 2]);
            assert_eq!(till.paid_for(id).len(), if honours_keys { 1 } else { 2 });
            assert_eq!(till.serve(&call(Way::Cancel)), DONE);
            let other = Call { key: "b:payout:1".to_owned(), ..call(Way::Cancel) };
            assert_eq!(till.serve(&other), DECLINED);
            assert_eq!(till.serve(&Call { way: Way::Pay, ..other }), DECLINED);
            assert_eq!(till.paid(), if honours_keys { 4_000 } else { 8_000 });
        }
    }
}
