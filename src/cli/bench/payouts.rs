//! Payouts, from the request to the end, are measured beside single withdrawals: to a provider that answers at once, first
//! alone and then beside one that never answers, which is to hold back only its own.
//!
//! The providers are tasks of this process and share the machine with the service and the load. Each call comes on a connection
//! of its own, as the service sends it.

use std::future::pending;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::cli::child::Service;
use crate::cli::outcome;
use crate::cli::trial_provider::{Answers, Call, TrialProvider};
use crate::client::random::Draws;

use super::batch;
use super::blocking::blocking;
use super::form::Form;
use super::load::{Asks, Load};
use super::rows::{heading, row, side};
use super::singles::{Phases, Rounds, Side, ratio};
use super::stats::Latencies;
use super::transfers::{Ended, One, Transfers, each_to_its_end};
use super::wire::{self, Connection};

/// This many payouts wait for the provider that never answers.
const WAITING: usize = 512;
/// The quick provider takes this many calls at once, and the other one as many as is usual.
const AT_ONCE: usize = 64;

/// `Payouts` has the figures at one number of connections.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Payouts {
    /// These are payouts to a provider that answers at once.
    pub(crate) alone: Transfers,
    /// These are the same beside payouts that wait for one that never answers.
    pub(crate) beside: Transfers,
    /// This is the rate of these divided by the rate of those.
    pub(crate) beside_to_alone: f64,
    /// This is the number of payouts that wait meanwhile.
    pub(crate) waiting: usize,
}

/// It pays, and says so at once.
struct AtOnce;

impl Answers for AtOnce {
    async fn answer(&self, _call: Call) -> Option<&'static str> {
        Some(r#"{"outcome":"done"}"#)
    }
}

/// It never answers.
struct Never;

impl Answers for Never {
    async fn answer(&self, _call: Call) -> Option<&'static str> {
        pending().await
    }
}

/// Starts a service with the two providers, and measures it at each number of connections but one.
///
/// # Errors
/// Fails when the service can't be started or reached, or the payouts do not end.
pub(crate) async fn measure_each(
    phases: Phases,
    connections: &[usize],
    folder: &Path,
) -> Result<Vec<Payouts>, outcome::Error> {
    let (quick, slow) =
        (TrialProvider::start(Arc::new(AtOnce)).await?, TrialProvider::start(Arc::new(Never)).await?);
    let file = folder.join("payouts.toml");
    let more = format!("timeout_seconds = 600\nat_once = {AT_ONCE}\n");
    let settings = quick.settings("quick", "same_key", false, &more)
        + &slow.settings("slow", "same_key", false, "timeout_seconds = 600\n");
    std::fs::write(&file, settings)?;
    let service = Service::serve_with(&folder.join("payouts"), "127.0.0.1:0", None, Some(&file)).await?;
    let (address, connections) = (service.address, connections.to_owned());
    let found = blocking(move || {
        batch::prepare(address, phases.accounts)?;
        Ok(measure(address, phases, &connections)?)
    })
    .await?;
    // What waits for it goes on waiting, and keeps nobody from stopping.
    drop(slow);
    service.stop().await?;
    Ok(found)
}

fn measure(address: SocketAddr, phases: Phases, connections: &[usize]) -> Result<Vec<Payouts>, Error> {
    let many = || connections.iter().copied().filter(|connections| *connections > 1);
    let mut found = Vec::new();
    for connections in many() {
        let load = phases.load(address, connections, true);
        Load { length: load.length / 4, ..load }.send()?;
        found.push(Payouts { alone: rounds(load, phases)?, ..Payouts::default() });
    }
    // It is the same service: what waits from here on waits until the end.
    let waiting = let_wait(&phases.load(address, 1, true))?;
    for (connections, found) in many().zip(&mut found) {
        found.beside = rounds(phases.load(address, connections, true), phases)?;
        found.beside_to_alone = ratio(found.beside.ended_per_s, found.alone.ended_per_s);
        found.waiting = waiting;
    }
    Ok(found)
}

/// Measures payouts in turns with withdrawals, and one payout at a time.
fn rounds(load: Load, phases: Phases) -> Result<Transfers, Error> {
    let payouts = Load { asks: Asks::Payouts, ..load };
    let (mut withdrawals, mut ended) = (Rounds::default(), Ended::default());
    let (mut one, mut ones) = (Latencies::default(), Latencies::default());
    for _ in 0..phases.rounds {
        withdrawals.add(&load.send()?);
        ended.round(payouts)?;
        one.merge(&Load { connections: 1, ..load }.send()?.latencies);
        ones.merge(&each_to_its_end(&payouts)?);
    }
    let figures = ended.figures(load.connections, withdrawals.side());
    Ok(Transfers { one: Some(One::new(one, ones)), ..figures })
}

/// Asks for the payouts that are to wait. Returns how many there are.
fn let_wait(load: &Load) -> Result<usize, Error> {
    let draws = Draws::fresh();
    let mut form = Form::payout(load.accounts, "slow").ok_or(ErrorKind::InvalidInput)?;
    let mut connection = Connection::open(load.address)?;
    for _ in 0..WAITING {
        form.fill(&wire::id(&draws), load.accounts.draw(&draws));
        let status = connection.ask(&[&form.bytes])?.0.status;
        if status != 202 {
            return Err(Error::other(format!("a payout was answered with {status}")));
        }
    }
    Ok(WAITING)
}

impl Payouts {
    /// Adds the rows of the table.
    pub(crate) fn table(&self, text: &mut String) {
        let Transfers { connections, withdrawals, requests, .. } = &self.alone;
        heading(text, &format!("payouts over {connections} connections, the provider answers at once"));
        side(text, "withdrawals", withdrawals);
        side(text, "requests for payouts", requests);
        self.alone.ended(text, "payouts");
        heading(text, &format!("the same, while {} payouts wait for another provider", self.waiting));
        self.beside.ended(text, "payouts");
        row(text, "their rate, to that without those", format!("{:.2}", self.beside_to_alone));
    }

    /// Gives every side that has answers which may be wrong.
    pub(crate) fn sides(&self) -> [&Side; 4] {
        let [first, second] = self.alone.sides();
        let [third, fourth] = self.beside.sides();
        [first, second, third, fourth]
    }
}
