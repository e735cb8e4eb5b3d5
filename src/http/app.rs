//! [`App`] is the application: it has what every handler may use, and says how that is configured.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::byte_budget::Budget;
use super::service::figures::Figures;
use super::service::sign_ins::SignIns;
use crate::delivery::runner::Deliveries;
use crate::domain::ids::CounterAccount;
use crate::keys::Ring;
use crate::ledger::Ledger;
use crate::patient::Patient;
use crate::payouts::Providers;
use crate::sagas::Sagas;

/// A `Config` is the configuration of the handlers: how long they wait. The sockets have [`super::Limits`].
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// This is how long a write waits for its answer before it is told 409 `in_progress`.
    pub write_wait: Duration,
    /// This is how long a read waits for the position that it asked for.
    pub read_wait: Duration,
    /// This is how long a body may take to come.
    pub body_within: Duration,
    /// This is how often the live feed says that it is still there.
    pub heartbeat: Duration,
    /// This is the most live feeds at once.
    pub feeds: usize,
    /// This is how long a live feed that was up to date may be behind before it is cut off.
    pub feed_behind: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            write_wait: Duration::from_secs(10),
            read_wait: Duration::from_secs(5),
            body_within: Duration::from_secs(9),
            heartbeat: Duration::from_secs(15),
            feeds: 512,
            feed_behind: Duration::from_secs(30),
        }
    }
}

/// An `App` is the application, which every handler gets. It is cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    sagas: Sagas,
    keys: Ring,
    config: Config,
    figures: Figures,
    sign_ins: SignIns,
    budget: Budget,
    feeds: Arc<Semaphore>,
    patient: Patient,
    /// These are the ledger's own accounts that a client may name; any, where there is no list.
    counter_accounts: OnceLock<BTreeSet<CounterAccount>>,
    deliveries: OnceLock<Deliveries>,
}

impl App {
    /// Makes the application over this ledger, for the holders of these keys.
    #[must_use]
    pub fn new(ledger: Ledger, keys: Ring, config: Config) -> Self {
        let (sign_ins, budget) = (SignIns::default(), Budget::default());
        let feeds = Arc::new(Semaphore::new(config.feeds));
        let sagas = Sagas::new(ledger.clone());
        let figures = Figures::new(&sign_ins, sagas.seconds());
        Self(Arc::new(Inner {
            ledger,
            sagas,
            keys,
            config,
            figures,
            sign_ins,
            budget,
            feeds,
            patient: Patient::default(),
            counter_accounts: OnceLock::new(),
            deliveries: OnceLock::new(),
        }))
    }

    /// Makes it refuse new movements from and to own accounts of the ledger other than these, where there is a list.
    #[must_use]
    pub fn naming_only(self, counter_accounts: Option<BTreeSet<CounterAccount>>) -> Self {
        if let Some(names) = counter_accounts {
            // It is set once, before anybody has a clone.
            let _first = self.0.counter_accounts.set(names);
        }
        self
    }

    /// Makes it pay out through these providers. It is done once, before anybody has a clone.
    #[must_use]
    pub fn paying_through(self, providers: Providers) -> Self {
        self.0.sagas.pay_through(providers);
        self
    }

    /// Makes it show these deliveries, and act on them. It is done once, before anybody has a clone. Without it nothing is
    /// sent, and what the journal has of destinations is shown.
    #[must_use]
    pub fn sending_through(self, deliveries: Deliveries) -> Self {
        let _first = self.0.deliveries.set(deliveries);
        self
    }

    /// Returns the deliveries.
    #[must_use]
    pub fn deliveries(&self) -> &Deliveries {
        self.0.deliveries.get_or_init(|| Deliveries::none(Arc::new(self.0.ledger.clone())))
    }

    /// Says whether a client may name this account of the ledger's own.
    pub(crate) fn may_be_named(&self, account: &CounterAccount) -> bool {
        self.0.counter_accounts.get().is_none_or(|names| names.contains(account))
    }

    /// Returns the ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Returns the sagas, which drive the ledger's transfers.
    #[must_use]
    pub fn sagas(&self) -> &Sagas {
        &self.0.sagas
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> &Ring {
        &self.0.keys
    }

    /// Returns what is counted.
    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    /// Returns the sign-ins that failed.
    pub(crate) fn sign_ins(&self) -> &SignIns {
        &self.0.sign_ins
    }

    /// Returns what is left for large requests and answers.
    pub(crate) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// Returns the places of the live feeds.
    pub(crate) fn feeds(&self) -> &Arc<Semaphore> {
        &self.0.feeds
    }

    /// Returns the threads for what takes long.
    pub(crate) fn patient(&self) -> &Patient {
        &self.0.patient
    }

    /// Returns its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }
}
