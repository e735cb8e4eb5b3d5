//! Transfers between the accounts of a load, from the request to the end, are measured beside single withdrawals.
//!
//! Clients send one request after the other and do not wait for ends; a phase ends when all that was accepted has ended, so
//! that no work is left for the phase after it.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::Instant;

use serde::Serialize;

use crate::client::random::Draws;

use super::ends;
use super::load::{Answered, Asks, Load};
use super::rows::{heading, row, side};
use super::singles::{Phases, Rounds, Side, ratio};
use super::stats::{Latencies, median, rate};
use super::wire::{self, Connection};

/// `Transfers` has the figures.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Transfers {
    /// This is the number of connections.
    pub(crate) connections: usize,
    /// These are single withdrawals, in turns with the transfers.
    pub(crate) withdrawals: Side,
    /// These are the answers to the requests.
    pub(crate) requests: Side,
    /// This is the number of transfers that ended in a second, as the median of the rounds.
    pub(crate) ended_per_s: f64,
    /// This is that rate, divided by that of the withdrawals.
    pub(crate) to_withdrawals: f64,
    /// Half of all transfers took at most this from the request to the end.
    pub(crate) end_p50_ms: f64,
    /// 99 of 100 transfers took at most this from the request to the end.
    pub(crate) end_p99_ms: f64,
    /// This is the share of requests that were refused, in per cent.
    pub(crate) refused_percent: f64,
    /// This is what one transfer at a time takes.
    pub(crate) one: Option<One>,
}

/// A `One` says what a transfer takes that is alone: its request, and a read that waits for its end.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct One {
    /// Half of the withdrawals at one connection took at most this.
    pub(crate) withdrawal_p50_ms: f64,
    /// Half of the transfers took at most this.
    pub(crate) transfer_p50_ms: f64,
    /// 99 of 100 transfers took at most this.
    pub(crate) transfer_p99_ms: f64,
    /// This is the one divided by the other.
    pub(crate) to_withdrawal: f64,
}

/// What transfers were measured in several rounds.
#[derive(Default)]
pub(super) struct Ended {
    requests: Rounds,
    per_s: Vec<f64>,
    took: Latencies,
    sent: u64,
    refused: u64,
}

impl Ended {
    /// Sends the load, which is of transfers or payouts, and waits until all have ended.
    ///
    /// # Errors
    /// Fails when the service can't be reached or the transfers do not end.
    pub(super) fn round(&mut self, load: Load) -> Result<(), Error> {
        let mut connection = Connection::open(load.address)?;
        let head = super::large::head(load.address).map_err(|error| Error::other(error.to_string()))?;
        let (before, begun) = (connection.figure(ends::COMPLETED)?, Instant::now());
        let answered = load.send()?;
        let Answered { refused, wrong, .. } = answered;
        let sent = answered.latencies.count() as u64;
        let accepted = sent - refused - wrong;
        ends::wait_for(&mut connection, before + accepted)?;
        self.per_s.push(rate(accepted, begun.elapsed()));
        self.requests.add(&answered);
        self.took.merge(&ends::read(&mut connection, head)?);
        (self.sent, self.refused) = (self.sent + sent, self.refused + refused);
        Ok(())
    }

    /// Makes the figures, beside those of withdrawals.
    pub(super) fn figures(mut self, connections: usize, withdrawals: Side) -> Transfers {
        let ended_per_s = median(&self.per_s);
        Transfers {
            connections,
            ended_per_s,
            to_withdrawals: ratio(ended_per_s, withdrawals.per_s),
            end_p50_ms: self.took.at_most_ms(500),
            end_p99_ms: self.took.at_most_ms(990),
            refused_percent: rate(self.refused * 100, std::time::Duration::from_secs(self.sent.max(1))),
            requests: self.requests.side(),
            withdrawals,
            one: None,
        }
    }
}

/// Measures transfers at each number of connections but one, and one transfer at a time.
///
/// # Errors
/// Fails when the service can't be reached or the transfers do not end.
pub(crate) fn measure_each(
    address: SocketAddr,
    phases: Phases,
    connections: &[usize],
) -> Result<Vec<Transfers>, Error> {
    let mut found = Vec::new();
    for connections in connections.iter().copied().filter(|connections| *connections > 1) {
        let load = phases.load(address, connections, true);
        Load { length: load.length / 4, ..load }.send()?;
        let (mut withdrawals, mut ended) = (Rounds::default(), Ended::default());
        for _ in 0..phases.rounds {
            withdrawals.add(&load.send()?);
            ended.round(Load { asks: Asks::Transfers, ..load })?;
        }
        found.push(ended.figures(connections, withdrawals.side()));
    }
    if let Some(last) = found.last_mut() {
        last.one = Some(one_at_a_time(address, phases)?);
    }
    Ok(found)
}

fn one_at_a_time(address: SocketAddr, phases: Phases) -> Result<One, Error> {
    let load = phases.load(address, 1, true);
    let to_the_end = Load { asks: Asks::Transfers, ..load };
    let (mut withdrawals, mut transfers) = (Latencies::default(), Latencies::default());
    for _ in 0..phases.rounds {
        withdrawals.merge(&load.send()?.latencies);
        transfers.merge(&each_to_its_end(&to_the_end)?);
    }
    Ok(One::new(withdrawals, transfers))
}

impl One {
    /// Makes the figures of what each withdrawal and each transfer took.
    pub(super) fn new(mut withdrawals: Latencies, mut transfers: Latencies) -> Self {
        let (withdrawal_p50_ms, transfer_p50_ms) = (withdrawals.at_most_ms(500), transfers.at_most_ms(500));
        let transfer_p99_ms = transfers.at_most_ms(990);
        let to_withdrawal = ratio(transfer_p50_ms, withdrawal_p50_ms);
        Self { withdrawal_p50_ms, transfer_p50_ms, transfer_p99_ms, to_withdrawal }
    }
}

/// Sends one transfer or payout after the other, and waits for the end of each.
///
/// # Errors
/// Fails when the service can't be reached, or one of them does not move.
pub(super) fn each_to_its_end(load: &Load) -> Result<Latencies, Error> {
    let (draws, mut took) = (Draws::fresh(), Latencies::default());
    let mut form = load.asks.form(load.accounts).ok_or(ErrorKind::InvalidInput)?;
    let mut connection = Connection::open(load.address)?;
    let begun = Instant::now();
    while begun.elapsed() < load.length {
        let (id, from) = (wire::id(&draws), load.accounts.draw(&draws));
        form.fill(&id, from);
        form.fill_other(load.accounts.draw_other(&draws, from));
        let sent = Instant::now();
        let status = connection.ask(&[&form.bytes])?.0.status;
        let end = connection.get(&format!("/v1/transfers/{}?wait=30", uuid::Uuid::from_bytes(id)))?;
        took.add(sent.elapsed());
        if status != 202 || !end.contains("\"state\":\"completed\"") {
            return Err(Error::other(format!("a transfer was answered with {status}, and then: {end}")));
        }
    }
    Ok(took)
}

impl Transfers {
    /// Adds the rows of the table.
    pub(crate) fn table(&self, text: &mut String) {
        heading(text, &format!("transfers over {} connections", self.connections));
        side(text, "withdrawals", &self.withdrawals);
        side(text, "requests for transfers", &self.requests);
        self.ended(text, "transfers");
    }

    /// Adds the rows about their ends.
    pub(super) fn ended(&self, text: &mut String, what: &str) {
        row(text, &format!("{what} that ended"), format!("{:>8.0}/s", self.ended_per_s));
        row(text, "  to withdrawals", format!("{:.2}", self.to_withdrawals));
        let took = format!("p50 {:.0} ms   p99 {:.0} ms", self.end_p50_ms, self.end_p99_ms);
        row(text, "from the request to the end", took);
        row(text, "refused", format!("{:.2} %", self.refused_percent));
        if let Some(one) = &self.one {
            let took = format!(
                "p50 {:.2} ms   p99 {:.2} ms, a withdrawal p50 {:.2} ms",
                one.transfer_p50_ms, one.transfer_p99_ms, one.withdrawal_p50_ms
            );
            row(text, "one at a time, to its end", took);
            row(text, "  to a withdrawal", format!("{:.1}", one.to_withdrawal));
        }
    }

    /// Gives every side that has answers which may be wrong.
    pub(crate) fn sides(&self) -> [&Side; 2] {
        [&self.withdrawals, &self.requests]
    }
}
