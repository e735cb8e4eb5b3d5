//! [`Outside`] has the payout providers of a run, and the way to them: a call may not arrive, arrive long after nobody waits
//! for it, or lose its answer. It outlives every crash.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bookonce::domain::ids::CounterAccount;
use bookonce::domain::payee::Payee;
use bookonce::domain::transfer::call::Call;
use bookonce::domain::transfer::payout::Repeat;
use bookonce::payouts::{self, Line, Providers, Reply, Replying, Request};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::executor::{Owner, WORLD, pause};
use crate::instance::Place;
use crate::model::cents;
use crate::provider::{Entry, Provider, Told};
use crate::world::World;

/// This is how long whoever asks is kept waiting by one that says nothing.
const SILENCE: Duration = Duration::from_secs(40);

/// `Outside` has the payout providers of a run. It is cheap to clone.
#[derive(Clone)]
pub struct Outside(Arc<Inner>);

struct Inner {
    world: World,
    place: Place,
    providers: Mutex<Vec<Provider>>,
    /// This is how many calls are under way.
    under_way: AtomicU64,
}

/// Returns the ledger's own account for the provider with this number.
#[must_use]
pub fn own_account(number: usize) -> CounterAccount {
    CounterAccount::parse(&format!("@external:p{number}")).unwrap()
}

/// Returns the number of the provider to which a transfer goes, if it goes to one.
#[must_use]
pub fn number_of(to: &Payee) -> Option<usize> {
    match to {
        Payee::External(name) => name.as_str().strip_prefix("@external:p")?.parse().ok(),
        Payee::Account(_) => None,
    }
}

impl Outside {
    /// Makes the providers of a run's plan.
    #[must_use]
    pub fn new(world: &World, place: &Place) -> Self {
        let provider = |traits: &_| Provider { traits: *traits, books: BTreeMap::new() };
        let providers = world.plan().providers.iter().map(provider).collect();
        let (world, place) = (world.clone(), place.clone());
        Self(Arc::new(Inner { world, place, providers: Mutex::new(providers), under_way: AtomicU64::new(0) }))
    }

    /// Returns the providers as one life of an instance is set up with them, but for one that may be missing.
    #[must_use]
    pub fn set_up(&self, owner: Owner, without: Option<usize>) -> Providers {
        let set_up = |number: usize, provider: &Provider| {
            let line = Box::new(Way { outside: self.clone(), number, owner });
            let (traits, timeout) = (provider.traits, Duration::from_secs(provider.traits.timeout));
            payouts::Provider::new(own_account(number), traits.means, timeout, traits.at_once, line)
        };
        let providers = self.0.providers.lock();
        let known = providers.iter().enumerate().filter(|(number, _)| Some(*number) != without);
        known.map(|(number, provider)| set_up(number, provider)).collect()
    }

    /// Says whether no call is under way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed) == 0
    }

    /// Returns what the books of a provider have of a key.
    #[must_use]
    pub fn entry(&self, number: usize, key: &str) -> Option<Entry> {
        self.0.providers.lock().get(number)?.books.get(key).cloned()
    }

    /// Changes what the books of a provider have of a key.
    pub fn change<T>(&self, number: usize, key: &str, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut providers = self.0.providers.lock();
        let books = &mut providers.get_mut(number)?.books;
        Some(change(books.entry(key.to_owned()).or_default()))
    }

    /// Notes that a copy of the ledger does not know the keys that its journal does not have.
    pub fn forget(&self, is_known: impl Fn(&str) -> bool) {
        for provider in self.0.providers.lock().iter_mut() {
            for (key, entry) in &mut provider.books {
                entry.is_forgotten |= !is_known(key);
                if entry.is_forgotten && entry.paid() > 0 {
                    self.0.world.mark("payout: of the original alone, after the backup");
                }
            }
        }
    }

    /// Takes a call of an instance.
    fn send(&self, number: usize, owner: Owner, request: Request) -> oneshot::Receiver<Reply> {
        let (world, key) = (&self.0.world, request.key.to_string());
        world.step("provider", format!("p{number} is called by {owner}: {:?} {key}", request.call));
        if request.call == Call::Pay {
            self.check(number, owner, &key);
        }
        let (tell, told) = oneshot::channel();
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        let outside = self.clone();
        world.tasks().spawn(WORLD, async move {
            outside.carry(number, request, tell).await;
            outside.0.under_way.fetch_sub(1, Ordering::Relaxed);
        });
        told
    }

    /// Checks that a payout may be sent: that it is about to be is durable, and nobody has sent it before where it may be sent
    /// once.
    fn check(&self, number: usize, owner: Owner, key: &str) {
        let world = &self.0.world;
        let transfer = key.split(':').next().unwrap_or_default();
        if !self.0.place.has_recorded(&format!("transfer-{transfer}"), "PayoutSent") {
            world.wrong(format!("{key} is sent, and nothing of it is recorded"));
        }
        let mut providers = self.0.providers.lock();
        let provider = &mut providers[number];
        let entry = provider.books.entry(key.to_owned()).or_default();
        entry.sent.push(owner);
        if provider.traits.means.repeat == Repeat::Never && entry.sent.len() > 1 && !entry.is_forgotten {
            world.wrong(format!("{key} must be sent once, and was sent by {:?}", entry.sent));
        }
    }

    /// Carries a request to the provider and the answer back, or loses one of them.
    async fn carry(&self, number: usize, request: Request, tell: oneshot::Sender<Reply>) {
        let world = &self.0.world;
        let traits = self.0.providers.lock()[number].traits;
        let is_silent = world.draw(|random| random.below(2)) == 0;
        if world.goes_wrong(traits.lost) {
            if is_silent {
                pause(SILENCE).await;
            }
            return drop(tell);
        }
        if world.goes_wrong(traits.late) {
            world.wait(1_000_000, 60_000_000).await;
        } else {
            world.wait(100, 40_000).await;
        }
        let reply = self.take(number, &request);
        if world.goes_wrong(traits.mute) {
            if request.call == Call::Pay {
                world.mark("payout: its reply lost");
            }
            if is_silent {
                pause(SILENCE).await;
            }
            return drop(tell);
        }
        // It may think for longer than anybody waits.
        let longest = if world.goes_wrong(traits.thinks) { traits.timeout * 1_100_000 } else { 40_000 };
        world.wait(100, longest).await;
        let _nobody_waits = tell.send(reply);
    }

    /// Lets the provider take a request that has arrived.
    fn take(&self, number: usize, request: &Request) -> Reply {
        let (world, key) = (&self.0.world, request.key.to_string());
        let mut providers = self.0.providers.lock();
        let provider = &mut providers[number];
        let was_prevented =
            provider.books.get(&key).is_some_and(|entry| entry.is_prevented && entry.came == 0);
        let (now, asked) = (world.time(), asked(&request.body));
        let told = world.draw(|random| provider.take(request.call, &key, asked, now, random));
        if request.call == Call::Pay && was_prevented {
            world.mark("payout: arrived after its cancel");
        }
        if request.call == Call::Ask && told == Told::Unseen {
            world.mark("payout: asked about before it arrived");
        }
        let honest = !world.is_faulty();
        let reply = world.draw(|random| provider.answer(&key, told, honest, random));
        world.step(
            "provider",
            format!("p{number} says {} {}", reply.status, String::from_utf8_lossy(&reply.body)),
        );
        reply
    }
}

/// Reads the amount of an order, in cents.
fn asked(body: &str) -> i128 {
    let order: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    order["amount"].as_str().map_or(0, cents)
}

/// A `Way` is the line of one life of an instance to a provider.
struct Way {
    outside: Outside,
    number: usize,
    owner: Owner,
}

impl Line for Way {
    fn send(&self, request: Request) -> Replying<'_> {
        let told = self.outside.send(self.number, self.owner, request);
        Box::pin(async move { told.await.ok() })
    }
}
