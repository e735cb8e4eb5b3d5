//! Single withdrawals over HTTP, each durable before its answer, are compared with the handler that does nothing.
//!
//! The two take turns in short phases and medians are compared, so that a machine that grows slower or faster meanwhile
//! does so for both.

use std::fs::File;
use std::io::{Error, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::load::{Answered, Asks, Load};
use super::stats::{Latencies, median, rate};
use super::wire::Accounts;

/// A `Side` is a side of a comparison, such as the ledger, and its figures.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Side {
    /// Answers in a second, as the median of the rounds.
    pub(crate) per_s: f64,
    /// Half of all answers took at most this.
    pub(crate) p50_ms: f64,
    /// 99 of 100 answers took at most this.
    pub(crate) p99_ms: f64,
    /// This is the share of answers that were a first answer given again, in per cent.
    pub(crate) replayed_percent: f64,
    /// This is the number of answers that were not what they must be.
    pub(crate) wrong: u64,
}

/// `Singles` say what was measured at one number of connections.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Singles {
    /// This is the number of connections.
    pub(crate) connections: usize,
    /// This is the handler that does nothing.
    pub(crate) idle: Side,
    /// This is the ledger.
    pub(crate) ledger: Side,
    /// This is the ledger's rate, divided by that of the idle handler.
    pub(crate) to_idle: f64,
    /// This is, at one connection, how often an idle request and then an `fdatasync` of 4 KiB are done in a second.
    pub(crate) idle_and_sync_per_s: Option<f64>,
    /// This is, at one connection, the ledger's rate, divided by the figure before it.
    pub(crate) to_idle_and_sync: Option<f64>,
    /// This is the same with 4 KiB written over old ones, which is cheaper to make durable, because the file does not
    /// grow.
    pub(crate) idle_and_sync_in_place_per_s: Option<f64>,
    /// This is, at one connection, the ledger's rate, divided by the figure before it.
    pub(crate) to_idle_and_sync_in_place: Option<f64>,
}

/// `Rounds` are the rounds of one kind of phase.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    rates: Vec<f64>,
    latencies: Latencies,
    replayed: u64,
    wrong: u64,
}

impl Rounds {
    /// Adds a phase.
    pub(crate) fn add(&mut self, answered: &Answered) {
        self.rates.push(rate(answered.latencies.count() as u64, answered.took));
        self.latencies.merge(&answered.latencies);
        self.replayed += answered.replayed;
        self.wrong += answered.wrong;
    }

    /// Makes the side of a comparison from the rounds.
    #[must_use]
    pub(crate) fn side(mut self) -> Side {
        let answers = self.latencies.count().max(1) as u64;
        Side {
            per_s: median(&self.rates),
            p50_ms: self.latencies.at_most_ms(500),
            p99_ms: self.latencies.at_most_ms(990),
            replayed_percent: rate(self.replayed * 100, Duration::from_secs(answers)),
            wrong: self.wrong,
        }
    }
}

/// Phases are the short measurements that take turns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phases {
    /// This is the number of rounds.
    pub(crate) rounds: usize,
    /// This is the length of a phase.
    pub(crate) length: Duration,
    /// These are the accounts that the load is on.
    pub(crate) accounts: Accounts,
}

impl Phases {
    /// Makes the load of one phase, which is of withdrawals.
    #[must_use]
    pub(crate) fn load(&self, address: SocketAddr, connections: usize, keeps_ids: bool) -> Load {
        let (length, accounts, asks) = (self.length, self.accounts, Asks::Withdrawals);
        Load { address, connections, length, accounts, keeps_ids, asks }
    }

    /// Compares the ledger with the idle handler. `folder` is on the ledger's disk.
    ///
    /// # Errors
    /// Fails when a service can't be reached or the file not be written.
    pub(crate) fn compare(
        &self,
        idle: SocketAddr,
        ledger: SocketAddr,
        connections: usize,
        folder: &Path,
    ) -> Result<Singles, Error> {
        let idle = self.load(idle, connections, false);
        let ledger = self.load(ledger, connections, true);
        for warm_up in [idle, ledger] {
            Load { length: self.length / 4, ..warm_up }.send()?;
        }
        let (mut idles, mut ledgers) = (Rounds::default(), Rounds::default());
        let (mut appended, mut in_place) = (Rounds::default(), Rounds::default());
        for _ in 0..self.rounds {
            idles.add(&idle.send()?);
            if connections == 1 {
                appended.add(&with_sync(&idle, folder, false)?);
                in_place.add(&with_sync(&idle, folder, true)?);
            }
            ledgers.add(&ledger.send()?);
        }
        let (idle, ledger) = (idles.side(), ledgers.side());
        let (appended, in_place) = (appended.side().per_s, in_place.side().per_s);
        let alone = connections == 1;
        Ok(Singles {
            connections,
            to_idle: ratio(ledger.per_s, idle.per_s),
            idle_and_sync_per_s: alone.then_some(appended),
            to_idle_and_sync: alone.then(|| ratio(ledger.per_s, appended)),
            idle_and_sync_in_place_per_s: alone.then_some(in_place),
            to_idle_and_sync_in_place: alone.then(|| ratio(ledger.per_s, in_place)),
            idle,
            ledger,
        })
    }
}

/// Divides one by the other. Gives 0 where there is no other.
#[must_use]
pub(crate) fn ratio(one: f64, other: f64) -> f64 {
    if other > 0.0 { one / other } else { 0.0 }
}

/// After this many bytes the probe in place begins again at the file's start: a WAL holds as much between checkpoints.
const IN_PLACE: u64 = 4 << 20;

/// Sends idle requests, and after each writes 4 KiB and makes them durable: at the file's growing end, or over old ones.
fn with_sync(idle: &Load, folder: &Path, in_place: bool) -> Result<Answered, Error> {
    const BLOCK: [u8; 4096] = [0x5a; 4096];
    let path = folder.join("sync-probe");
    let mut file = File::create(&path)?;
    if in_place {
        for _ in 0..IN_PLACE / BLOCK.len() as u64 {
            file.write_all(&BLOCK)?;
        }
        file.sync_all()?;
    }
    let answered = idle.send_and(|number| {
        if in_place {
            file.seek(SeekFrom::Start(number * BLOCK.len() as u64 % IN_PLACE))?;
        }
        file.write_all(&BLOCK)?;
        file.sync_data()
    });
    std::fs::remove_file(path)?;
    answered
}
