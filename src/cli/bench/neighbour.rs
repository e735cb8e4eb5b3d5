//! The neighbour is a client whose single withdrawals are measured beside another client that sends the worst commands it
//! may: partial reversals of one deposit, by the ten thousand, and each of them again; or as many deposits into many accounts.
//!
//! The two phases take turns: the neighbour alone, and the neighbour beside the other one.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

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
use super::stats::rate;
use super::wire::{self, Accounts, Connection};

/// This is the most lines that a batch may have.
const LINES: usize = 10_000;

/// The other client's deposits go into this many accounts.
const SPREAD: u32 = 2_000;

/// A `Sends` says what the other client sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sends {
    /// It sends reversals of one deposit.
    #[default]
    Reversals,
    /// It sends deposits into many accounts.
    Deposits,
}

/// `Neighbour` has the figures of the neighbour, alone and beside the other client.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Neighbour {
    /// This is the number of the neighbour's connections.
    pub(crate) connections: usize,
    /// This is what the other client sends.
    pub(crate) other_sends: Sends,
    /// These are its figures while nobody else sends.
    pub(crate) alone: Side,
    /// These are its figures beside the other client.
    pub(crate) beside: Side,
    /// This is the p99 beside the other client, divided by the p99 alone.
    pub(crate) p99_ratio: f64,
    /// This is how many commands of the other client were answered meanwhile.
    pub(crate) commands_of_the_other: u64,
    /// This is how many of its commands are answered in a second while nobody else sends.
    pub(crate) other_alone_per_s: f64,
}

/// Measures the neighbour at each number of connections, beside each of the other clients. The accounts must be open.
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
        for sends in [Sends::Reversals, Sends::Deposits] {
            found.push(blocking(move || Ok(measure(address, phases, connections, sends)?)).await?);
        }
    }
    Ok(found)
}

/// Measures the neighbour at one number of connections.
fn measure(
    address: SocketAddr,
    phases: Phases,
    connections: usize,
    sends: Sends,
) -> Result<Neighbour, io::Error> {
    let mut other = Other::open(address, sends)?;
    let other_alone_per_s = other.alone_per_s()?;
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
    let commands_of_the_other = other.answered;
    Ok(Neighbour {
        connections,
        other_sends: sends,
        alone,
        beside,
        p99_ratio,
        commands_of_the_other,
        other_alone_per_s,
    })
}

/// An `Other` is the client that sends the worst commands it may.
struct Other {
    connection: Connection,
    sends: Sends,
    draws: Draws,
    accounts: Accounts,
    /// This is the ID of the deposit that all of its reversals name.
    original: Uuid,
    /// This is the batch before, which is sent again in turn with a new one.
    before: Option<String>,
    answered: u64,
}

impl Other {
    fn open(address: SocketAddr, sends: Sends) -> Result<Self, io::Error> {
        let accounts = Accounts::fresh(if sends == Sends::Deposits { SPREAD } else { 1 });
        batch::prepare(address, accounts)?;
        let draws = Draws::fresh();
        let original = Uuid::from_bytes(wire::id(&draws));
        let connection = Connection::open(address)?;
        let mut other = Self { connection, sends, draws, accounts, original, before: None, answered: 0 };
        let deposit = other.line("deposit", original, accounts.first, ",\"amount\":\"900000000.00\"");
        other.send(&deposit)?;
        Ok(other)
    }

    /// Sends batches while nobody else sends. The first of them is not measured, since single commands came before it.
    fn alone_per_s(&mut self) -> Result<f64, io::Error> {
        let bodies = [(); 4].map(|()| self.batch());
        let mut begun = Instant::now();
        for (number, body) in bodies.iter().enumerate() {
            if number == 1 {
                begun = Instant::now();
            }
            self.send(body)?;
        }
        Ok(rate((LINES * (bodies.len() - 1)) as u64, begun.elapsed()))
    }

    fn send_while(&mut self, going: &AtomicBool) -> Result<(), io::Error> {
        // It stands for another machine: what it needs itself is not to be missing here.
        give_way();
        while going.load(Ordering::Acquire) {
            let body = self.before.take().unwrap_or_else(|| self.batch());
            self.send(&body)?;
            self.before = (self.answered / LINES as u64).is_multiple_of(2).then_some(body);
            self.answered += LINES as u64;
        }
        Ok(())
    }

    fn batch(&self) -> String {
        let id = || Uuid::from_bytes(wire::id(&self.draws));
        let line = |_| match self.sends {
            Sends::Reversals => {
                let rest =
                    format!(",\"reverses\":\"{}\",\"amount\":\"0.01\",\"reason\":\"again\"", self.original);
                self.line("reverse", id(), self.accounts.first, &rest)
            }
            Sends::Deposits => {
                self.line("deposit", id(), self.accounts.draw(&self.draws), ",\"amount\":\"0.01\"")
            }
        };
        (0..LINES).map(line).collect()
    }

    fn line(&self, op: &str, id: Uuid, account: u32, rest: &str) -> String {
        let account = self.accounts.name(account);
        format!("{{\"op\":\"{op}\",\"transaction_id\":\"{id}\",\"account\":\"{account}\"{rest}}}\n")
    }

    fn send(&mut self, body: &str) -> Result<(), io::Error> {
        batch::send(&mut self.connection, body.as_bytes(), body.lines().count())
    }
}

impl Neighbour {
    /// Adds the rows of the table.
    pub(crate) fn table(&self, text: &mut String) {
        let other = match self.other_sends {
            Sends::Reversals => "reverses one deposit 10,000 times a batch",
            Sends::Deposits => "sends batches of 10,000 deposits into 2,000 accounts",
        };
        heading(text, &format!("single withdrawals beside a client that {other}"));
        side(text, &format!("{} connections, alone", self.connections), &self.alone);
        side(text, &format!("{} connections, beside it", self.connections), &self.beside);
        row(text, "  p99 beside to alone", format!("{:.2}", self.p99_ratio));
        row(text, "commands of the other client", self.commands_of_the_other.to_string());
        row(text, "  its batches while it is alone", format!("{:>8.0}/s", self.other_alone_per_s));
    }
}
