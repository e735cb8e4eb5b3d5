//! Holds and their captures are measured beside single withdrawals, and withdrawals from accounts with a thousand open holds
//! beside those from accounts with none.

use std::io::Error;
use std::net::SocketAddr;

use serde::Serialize;
use uuid::Uuid;

use crate::client::random::Draws;

use super::batch;
use super::load::{Asks, Load};
use super::rows::{heading, row, side};
use super::singles::{Phases, Rounds, Side, ratio};
use super::wire::{self, Accounts, Connection};

/// Holds are measured at this many connections.
const CONNECTIONS: usize = 256;
/// This many accounts have open holds.
const HOLDERS: u32 = 64;
/// Each of them has so many, which is the most that it may have.
const OPEN: usize = 1_000;

/// `Holds` has the figures.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Holds {
    /// These are single withdrawals, in turns with the pairs.
    pub(crate) withdrawals: Side,
    /// These are the pairs of a hold and its capture.
    pub(crate) pairs: Side,
    /// This is their rate, divided by that of the withdrawals.
    pub(crate) pairs_to_withdrawals: f64,
    /// These are withdrawals from accounts without holds.
    pub(crate) without: Side,
    /// These are withdrawals from accounts with a thousand open holds each.
    pub(crate) with_holds: Side,
    /// This is the rate of these divided by the rate of those.
    pub(crate) with_to_without: f64,
}

/// Measures the service at this address, in which the accounts of the phases are open.
///
/// # Errors
/// Fails when the service can't be reached, or does not place the holds.
pub(crate) fn measure(address: SocketAddr, phases: Phases) -> Result<Holds, Error> {
    let singles = phases.load(address, CONNECTIONS, true);
    let (mut withdrawals, mut pairs) = (Rounds::default(), Rounds::default());
    Load { length: singles.length / 4, ..singles }.send()?;
    for _ in 0..phases.rounds {
        withdrawals.add(&singles.send()?);
        pairs.add(&Load { asks: Asks::HoldsAndCaptures, ..singles }.send()?);
    }
    let [free, holding] = [(); 2].map(|()| Accounts::fresh(HOLDERS));
    batch::prepare(address, free)?;
    batch::prepare(address, holding)?;
    place_all(address, holding)?;
    let (mut without, mut with_holds) = (Rounds::default(), Rounds::default());
    for _ in 0..phases.rounds {
        without.add(&Load { accounts: free, ..singles }.send()?);
        with_holds.add(&Load { accounts: holding, ..singles }.send()?);
    }
    let (withdrawals, pairs) = (withdrawals.side(), pairs.side());
    let (without, with_holds) = (without.side(), with_holds.side());
    Ok(Holds {
        pairs_to_withdrawals: ratio(pairs.per_s, withdrawals.per_s),
        with_to_without: ratio(with_holds.per_s, without.per_s),
        withdrawals,
        pairs,
        without,
        with_holds,
    })
}

/// Places as many holds on each account as it may have.
fn place_all(address: SocketAddr, accounts: Accounts) -> Result<(), Error> {
    let (draws, mut connection) = (Draws::fresh(), Connection::open(address)?);
    for number in accounts.numbers() {
        let account = accounts.name(number);
        let line = |_| {
            let id = Uuid::from_bytes(wire::id(&draws));
            format!(
                "{{\"op\":\"hold\",\"transaction_id\":\"{id}\",\"account\":\"{account}\",\"amount\":\"0.01\",\
                 \"expires_in_seconds\":86400}}\n"
            )
        };
        batch::send(&mut connection, (0..OPEN).map(line).collect::<String>().as_bytes(), OPEN)?;
    }
    Ok(())
}

impl Holds {
    /// Adds the rows of the table.
    pub(crate) fn table(&self, text: &mut String) {
        heading(text, &format!("holds over {CONNECTIONS} connections"));
        side(text, "withdrawals", &self.withdrawals);
        side(text, "pairs of a hold and its capture", &self.pairs);
        row(text, "  to withdrawals", format!("{:.2}", self.pairs_to_withdrawals));
        side(text, "withdrawals, no holds on the account", &self.without);
        side(text, "withdrawals, 1,000 open holds on it", &self.with_holds);
        row(text, "  with holds to without", format!("{:.2}", self.with_to_without));
    }

    /// Gives every side that has answers which may be wrong.
    pub(crate) fn sides(&self) -> [&Side; 4] {
        [&self.withdrawals, &self.pairs, &self.without, &self.with_holds]
    }
}
