//! A run over an event store makes every measurement, one after the other, with store and ledger in turns.

use std::path::Path;
use std::time::Duration;

use crate::cli::outcome::Error;
use crate::config::ConnectionString;
use crate::store::eventstoredb::Store;

use super::super::batch;
use super::super::blocking::blocking;
use super::super::large::Lag;
use super::super::load::{Asks, Load};
use super::super::neighbour::{self, Neighbour};
use super::super::part::{Part, wants};
use super::super::singles::{Phases, Rounds, ratio};
use super::super::stats::{median, rate};
use super::super::transfers::Ended;
use super::super::wire::Accounts;
use super::bare::{Appends, Bare};
use super::ledger::LedgerService;
use super::long;
use super::measured::{Beside, Hot, LargeBeside, Measured, Moved, Shape};

/// There are this many accounts for each connection, but never more than all. They are so few that a warm-up uses most.
const ACCOUNTS_EACH: usize = 64;
/// This many connections send to the hot account.
const TO_HOT: usize = 256;
/// A large append has this many events, which nearly fill what a node takes at once.
const LARGE: usize = 1_500;
/// An append of many events to the bare hot stream has this many.
const TOGETHER: u16 = 100;

/// A run says what is to be measured.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    /// This is the store.
    pub(crate) store: &'a ConnectionString,
    pub(crate) phases: Phases,
    /// These are the numbers of connections.
    pub(crate) connections: &'a [usize],
    /// This is where the ledger's index may be made.
    pub(crate) folder: &'a Path,
    /// These are the parts that were asked for; none stands for all.
    pub(crate) only: &'a [Part],
}

impl Run<'_> {
    /// Makes all measurements.
    ///
    /// # Errors
    /// Fails when the store or the ledger can't be reached, or does not take what it must.
    pub(crate) async fn measure(&self, lags: &mut Vec<Lag>) -> Result<(Measured, Vec<Neighbour>), Error> {
        let (phases, all) = (self.phases, self.phases.accounts);
        let store = Store::new(self.store.reveal()).await?;
        let shape = Shape {
            store: store.shown().to_owned(),
            rounds: phases.rounds,
            phase_s: phases.length.as_secs_f64(),
            accounts: all.count,
        };
        let bare = Bare::open(store.clone(), Accounts::fresh(all.count)).await?;
        let hot = Bare::open(store, Accounts::fresh(1)).await?;
        let data = self.folder.join("store");
        let mut ledger = LedgerService::start(self.store, &data).await?;
        let address = ledger.address();
        blocking(move || Ok(batch::prepare(address, all)?)).await?;
        let mut singles = Vec::new();
        let connections = if wants(self.only, Part::Http) { self.connections } else { &[] };
        for connections in connections.iter().copied() {
            singles.push(self.beside(&bare, &mut ledger, connections).await?);
            lags.push(ledger.lag(&format!("singles at {connections}")).await?);
        }
        let hot = if wants(self.only, Part::Batch) {
            let measured = self.hot(&hot, &mut ledger).await?;
            lags.push(ledger.lag("the hot account").await?);
            Some(measured)
        } else {
            None
        };
        let (mut neighbours, mut large_beside) = (Vec::new(), Vec::new());
        if wants(self.only, Part::Neighbour) {
            let other = Store::new(self.store.reveal()).await?;
            let other = Bare::open(other, Accounts::fresh(1)).await?;
            for connections in self.connections.iter().copied() {
                large_beside.push(self.large_beside(&bare, &other, &mut ledger, connections).await?);
            }
            neighbours = neighbour::measure_each(address, phases, self.connections).await?;
        }
        let mut transfers = Vec::new();
        if wants(self.only, Part::Transfers) {
            for connections in self.connections.iter().copied().filter(|connections| *connections > 1) {
                transfers.push(self.transfers(&bare, &mut ledger, connections).await?);
                lags.push(ledger.lag("transfers").await?);
            }
        }
        let followed_per_s = (!ledger.followed.is_empty()).then(|| median(&ledger.followed));
        let long = if wants(self.only, Part::Start) {
            let (long, lag) = long::measure(self.store, self.phases, ledger, &data).await?;
            lags.push(lag);
            Some(long)
        } else {
            ledger.stop().await?;
            None
        };
        Ok((Measured { shape, singles, hot, followed_per_s, long, transfers, large_beside }, neighbours))
    }

    async fn beside(
        &self,
        bare: &Bare,
        ledger: &mut LedgerService,
        connections: usize,
    ) -> Result<Beside, Error> {
        let phases = self.phases;
        let few = u32::try_from(connections * ACCOUNTS_EACH).unwrap_or(u32::MAX);
        let accounts = Accounts { count: phases.accounts.count.min(few), ..phases.accounts };
        let phases = Phases { accounts, ..phases };
        let appends = Appends { at_once: connections, events: 1 };
        let (mut bares, mut ledgers) = (Rounds::default(), Rounds::default());
        for _ in 0..phases.rounds {
            let answered = ledger.stand_still(bare, appends, phases.length).await?;
            bares.add(&answered);
            ledgers.add(&ledger.send(phases, connections).await?);
        }
        let (bare, ledger) = (bares.side(), ledgers.side());
        let to_bare = ratio(ledger.per_s, bare.per_s);
        Ok(Beside { connections, accounts: accounts.count, bare, ledger, to_bare })
    }

    /// Measures what large appends of one client cost small ones of another, while the ledger stands still.
    async fn large_beside(
        &self,
        bare: &Bare,
        other: &Bare,
        ledger: &mut LedgerService,
        connections: usize,
    ) -> Result<LargeBeside, Error> {
        let (small, large) =
            (Appends { at_once: connections, events: 1 }, Appends { at_once: 1, events: LARGE });
        let length = self.phases.length;
        let (mut alone, mut beside) = (Rounds::default(), Rounds::default());
        for _ in 0..self.phases.rounds {
            alone.add(&ledger.stand_still(bare, small, length).await?);
            let (answered, larges) =
                tokio::join!(ledger.stand_still(bare, small, length), other.send(large, length));
            larges?;
            beside.add(&answered?);
        }
        let (alone, beside) = (alone.side(), beside.side());
        let p99_ratio = ratio(beside.p99_ms, alone.p99_ms);
        Ok(LargeBeside { connections, alone, beside, p99_ratio })
    }

    async fn transfers(
        &self,
        bare: &Bare,
        ledger: &mut LedgerService,
        connections: usize,
    ) -> Result<Moved, Error> {
        let phases = self.phases;
        let appends = Appends { at_once: connections, events: 1 };
        let (mut bares, mut withdrawals, mut ended) =
            (Rounds::default(), Rounds::default(), Ended::default());
        for _ in 0..phases.rounds {
            bares.add(&ledger.stand_still(bare, appends, phases.length).await?);
            withdrawals.add(&ledger.send(phases, connections).await?);
            let load = phases.load(ledger.address(), connections, true);
            let load = Load { asks: Asks::Transfers, ..load };
            ended = blocking(move || {
                ended.round(load)?;
                Ok(ended)
            })
            .await?;
        }
        let bare = bares.side();
        let transfers = ended.figures(connections, withdrawals.side());
        Ok(Moved { to_bare: ratio(transfers.ended_per_s, bare.per_s), bare, transfers })
    }

    async fn hot(&self, bare: &Bare, ledger: &mut LedgerService) -> Result<Hot, Error> {
        let phases = Phases { accounts: Accounts { count: 1, ..self.phases.accounts }, ..self.phases };
        let (mut ones, mut manies, mut ledgers) = (Rounds::default(), Rounds::default(), Rounds::default());
        let mut together = Vec::new();
        for _ in 0..phases.rounds {
            for (events, rounds) in [(1, &mut ones), (usize::from(TOGETHER), &mut manies)] {
                let appends = Appends { at_once: 1, events };
                rounds.add(&ledger.stand_still(bare, appends, phases.length).await?);
            }
            let before = ledger.done().await?;
            ledgers.add(&ledger.send(phases, TO_HOT).await?);
            let after = ledger.done().await?;
            together.push(rate(after.0 - before.0, Duration::from_secs(after.1 - before.1)));
        }
        let bare_many = manies.side();
        Ok(Hot {
            bare_one: ones.side(),
            bare_many_events_per_s: bare_many.per_s * f64::from(TOGETHER),
            bare_many,
            ledger: ledgers.side(),
            events_per_append: median(&together),
        })
    }
}
