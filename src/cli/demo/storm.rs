//! A storm is many clients at once, a network and payout providers with faults, and a service that is killed again and again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::cli::child::{self, Service};
use crate::cli::outcome::Error;
use crate::client::faults::{FaultRates, Proxy};
use crate::client::ids::derive;
use crate::client::policy::Policy;
use crate::client::random::Draws;
use crate::client::request::{MoveBody, Request};
use crate::client::sender::Client;
use crate::config::ConnectionString;
use crate::domain::money::Direction;

use super::teller::{Habit, Operation, Teller};
use super::till::Tills;

/// This many clients take part.
pub(crate) const TELLERS: usize = 32;
/// They share this many accounts.
pub(crate) const ACCOUNTS: usize = 12;
/// Each account begins with this many cents.
pub(crate) const BEGINNING: i64 = 100_000;

const FAULT_RATES: FaultRates = FaultRates {
    lose_request: 40,
    lose_answer: 60,
    double: 40,
    delay: 60,
    longest_delay: Duration::from_millis(900),
    ..FaultRates::NONE
};

/// Clients repeat quickly, because the storm is short.
const POLICY: Policy = Policy {
    timeout: Duration::from_millis(700),
    first_delay: Duration::from_millis(20),
    longest_delay: Duration::from_millis(400),
    patience: Duration::from_secs(90),
};

/// A storm says who takes part, over which services, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Storm {
    /// This is how the clients repeat a request.
    pub(crate) habit: Habit,
    /// These are the folders of the services. There is one, or with a store any number that share it.
    pub(crate) folders: Vec<PathBuf>,
    /// This is the event store, if the ledger is in one.
    pub(crate) store: Option<ConnectionString>,
    /// This is how long it lasts.
    pub(crate) length: Duration,
    /// This is the seed that everything is drawn from.
    pub(crate) seed: u64,
}

/// The result of a storm is everything that the proof is made of.
#[derive(Debug)]
pub(crate) struct StormResult {
    /// These are the services, which are running.
    pub(crate) services: Vec<Service>,
    /// This is the network, which has no faults any more.
    pub(crate) proxy: Proxy,
    /// This is everything that was asked for.
    pub(crate) operations: Vec<Operation>,
    /// These are the accounts' names.
    pub(crate) accounts: Arc<Vec<String>>,
    /// These are the payout providers, which have no faults any more.
    pub(crate) tills: Tills,
    /// This is how often one of the services was killed.
    pub(crate) kills: u32,
}

impl Storm {
    /// Runs the storm, and waits until every client has its answers.
    ///
    /// # Errors
    /// Fails when the service can't be started, or its accounts not be opened.
    pub(crate) async fn run(self) -> Result<StormResult, Error> {
        let tills = Tills::start(self.seed).await?;
        let mut services = Vec::new();
        for data in &self.folders {
            std::fs::write(settings(data), tills.settings())?;
            services.push(self.serve(data, "127.0.0.1:0").await?);
        }
        let [service, ..] = services.as_slice() else { return Err("a storm needs a service".into()) };
        unused(service).await?;
        let accounts = Arc::new((1..=ACCOUNTS).map(|number| format!("demo-{number:02}")).collect::<Vec<_>>());
        prepare(service, &accounts, self.seed).await?;
        let upstreams = services.iter().map(|service| service.address).collect();
        let proxy = Proxy::start(upstreams, self.seed, FAULT_RATES).await?;
        let until = Instant::now() + self.length;
        let mut tellers = JoinSet::new();
        for number in 0..TELLERS {
            let client = Client::new(&format!("http://{}", proxy.address), None, POLICY)?;
            let teller = Teller::new(self.habit, number, client, POLICY, self.seed, Arc::clone(&accounts));
            tellers.spawn(teller.work(until));
        }
        let kills = self.kill_again_and_again(&mut services, until).await?;
        proxy.calm();
        tills.calm();
        let operations = tellers.join_all().await.into_iter().flatten().collect();
        Ok(StormResult { services, proxy, operations, accounts, tills, kills })
    }

    async fn serve(&self, data: &Path, listen: &str) -> Result<Service, child::Error> {
        Service::serve_with(data, listen, self.store.as_ref(), Some(&settings(data))).await
    }

    /// Starts a service again at the same address. The port may need a moment to be free.
    async fn again(&self, data: &Path, listen: &str) -> Result<Service, Error> {
        for _ in 0..20 {
            if let Ok(service) = self.serve(data, listen).await {
                return Ok(service);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(self.serve(data, listen).await?)
    }

    /// Kills a service every few seconds, at least three times, one after the other, and starts it again on the same port.
    async fn kill_again_and_again(&self, services: &mut [Service], until: Instant) -> Result<u32, Error> {
        let draws = Draws::new(self.seed ^ 0x6b69_6c6c);
        let pause = (self.length / 4).min(Duration::from_secs(5));
        let mut kills = 0;
        let mut turns = (0..services.len()).cycle();
        loop {
            let spread = u64::try_from(pause.as_millis() / 4).unwrap_or(0);
            let next = pause * 3 / 4 + Duration::from_millis(draws.below(2 * spread));
            let left = until.saturating_duration_since(Instant::now());
            if left < next {
                tokio::time::sleep(left).await;
                return Ok(kills);
            }
            tokio::time::sleep(next).await;
            let turn = turns.next().unwrap_or(0);
            let (Some(service), Some(data)) = (services.get_mut(turn), self.folders.get(turn)) else {
                return Ok(kills);
            };
            service.kill().await?;
            kills += 1;
            *service = self.again(data, &service.address.to_string()).await?;
        }
    }
}

/// Gives the place of the settings file of the service with this folder.
fn settings(data: &Path) -> PathBuf {
    data.with_extension("toml")
}

/// Refuses a ledger in which something is booked: the proof is about all that is in it.
async fn unused(service: &Service) -> Result<(), Error> {
    let client = Client::new(&format!("http://{}", service.address), None, Policy::default())?;
    match client.read("/v1/journal/head").await?["position"].as_u64() {
        Some(0) => Ok(()),
        _ => Err("the store holds a ledger already; the demonstration needs an empty one".into()),
    }
}

/// Opens the accounts and deposits something into each, before the storm.
async fn prepare(service: &Service, accounts: &[String], seed: u64) -> Result<(), Error> {
    let client = Client::new(&format!("http://{}", service.address), None, Policy::default())?;
    let amount = super::cents::write(BEGINNING);
    for account in accounts {
        let id = |what: &str| derive("demo account", &format!("{seed} {what} {account}"));
        let first = MoveBody { amount: &amount, ..MoveBody::default() };
        for request in [
            Request::open(id("open"), account, "EUR", None),
            Request::moved(id("first"), account, Direction::Credit, &first),
        ] {
            let answer = client.send(&request).await?;
            if !answer.accepted() {
                return Err(format!("{account} can't be prepared: {}", answer.problem()).into());
            }
        }
    }
    Ok(())
}
