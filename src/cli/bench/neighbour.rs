//! The neighbour is a client whose single withdrawals are measured beside another client that sends the worst commands it
//! may: partial reversals of one deposit, by the ten thousand, and each of them again.
//!
//! The two phases take turns: the neighbour alone, and the neighbour beside the other one.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use uuid::Uuid;

use crate::cli::outcome::Error;
use crate::client::random::Draws;
use crate::patient::give_way;

use super::batch;
use super::beside::beside;
use super::blocking::blocking;
use super::rows::{heading, row, side};
use super::singles::{Phases, Rounds, Side, ratio};
use super::wire::{self, Accounts, Connection};

/// This is the most lines that a batch may have.
const LINES: usize = 10_000;

/// `Neighbour` has the figures of the neighbour, alone and beside the other client.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Neighbour {
    /// This is the number of the neighbour's connections.
    pub(crate) connections: usize,
    /// These are its figures while nobody else sends.
    pub(crate) alone: Side,
    /// These are its figures beside the other client.
    pub(crate) beside: Side,
    /// This is the p99 beside the other client, divided by the p99 alone.
    pub(crate) p99_ratio: f64,
    /// This is how many commands of the other client were answered meanwhile.
    pub(crate) commands_of_the_other: u64,
}

/// Measures the neighbour at each number of connections. The accounts must be open.
///
/// # Errors
/// Fails when the service can't be reached, or does not answer the other client's batches.
pub(crate) async fn measure_each(
    address: SocketAddr,
    phases: Phases,
    connections: &[usize],
) -> Result<Vec<Neighbour>, Error> {
    let mut found = Vec::new();
    for connections in connections.iter().copied() {
        found.push(blocking(move || Ok(measure(address, phases, connections)?)).await?);
    }
    Ok(found)
}

/// Measures the neighbour at one number of connections.
fn measure(address: SocketAddr, phases: Phases, connections: usize) -> Result<Neighbour, io::Error> {
    let mut other = Other::open(address)?;
    let (mut alone, mut together) = (Rounds::default(), Rounds::default());
    let load = phases.load(address, connections, true);
    load.send()?;
    for _ in 0..phases.rounds {
        alone.add(&load.send()?);
        let answered = beside(|going| other.send_while(going), || load.send())?.1;
        together.add(&answered);
    }
    let (alone, beside) = (alone.side(), together.side());
    let p99_ratio = ratio(beside.p99_ms, alone.p99_ms);
    Ok(Neighbour { connections, alone, beside, p99_ratio, commands_of_the_other: other.answered })
}

/// An `Other` is the client that sends the worst commands it may.
struct Other {
    connection: Connection,
    draws: Draws,
    account: String,
    /// This is the ID of the deposit that all of its reversals name.
    original: Uuid,
    /// This is the batch before, which is sent again in turn with a new one.
    before: Option<String>,
    answered: u64,
}

impl Other {
    fn open(address: SocketAddr) -> Result<Self, io::Error> {
        let accounts = Accounts::fresh(1);
        batch::prepare(address, accounts)?;
        let (draws, account) = (Draws::fresh(), accounts.name(0));
        let original = Uuid::from_bytes(wire::id(&draws));
        let connection = Connection::open(address)?;
        let mut other = Self { connection, draws, account, original, before: None, answered: 0 };
        let deposit = format!(
            "{{\"op\":\"deposit\",\"transaction_id\":\"{original}\",\"account\":\"{}\",\"amount\":\"900000000.00\"}}\n",
            other.account
        );
        other.send(&deposit)?;
        Ok(other)
    }

    fn send_while(&mut self, going: &AtomicBool) -> Result<(), io::Error> {
        // It stands for another machine: what it needs itself is not to be missing here.
        give_way();
        while going.load(Ordering::Acquire) {
            let body = self.before.take().unwrap_or_else(|| self.reversals());
            self.send(&body)?;
            self.before = (self.answered / LINES as u64).is_multiple_of(2).then_some(body);
            self.answered += LINES as u64;
        }
        Ok(())
    }

    fn reversals(&self) -> String {
        let line = |_| {
            format!(
                "{{\"op\":\"reverse\",\"transaction_id\":\"{}\",\"account\":\"{}\",\"reverses\":\"{}\",\
                 \"amount\":\"0.01\",\"reason\":\"again\"}}\n",
                Uuid::from_bytes(wire::id(&self.draws)),
                self.account,
                self.original
            )
        };
        (0..LINES).map(line).collect()
    }

    fn send(&mut self, body: &str) -> Result<(), io::Error> {
        batch::send(&mut self.connection, body.as_bytes(), body.lines().count())
    }
}

impl Neighbour {
    /// Adds the rows of the table.
    pub(crate) fn table(&self, text: &mut String) {
        heading(text, "single withdrawals beside a client that reverses one deposit 10,000 times a batch");
        side(text, &format!("{} connections, alone", self.connections), &self.alone);
        side(text, &format!("{} connections, beside it", self.connections), &self.beside);
        row(text, "  p99 beside to alone", format!("{:.2}", self.p99_ratio));
        row(text, "commands of the other client", self.commands_of_the_other.to_string());
    }
}
