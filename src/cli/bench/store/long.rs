//! A long account has many events. It is measured how soon its first command is answered by a service that has just started.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::outcome::Error;
use crate::config::ConnectionString;

use super::super::batch;
use super::super::blocking::blocking;
use super::super::large::Lag;
use super::super::load::Load;
use super::super::singles::{Phases, Rounds, Side};
use super::super::stats::median;
use super::super::wire::Accounts;
use super::ledger::LedgerService;

/// The account gets at least this many events.
const EVENTS: u64 = 100_000;

/// A `Long` has the figures of an account with many events. Those of times are medians.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Long {
    /// This is the number of events that were booked on it in batches.
    pub(crate) events: u64,
    /// This is how many of them were booked in a second.
    pub(crate) booked_per_s: f64,
    /// This is the time that the service took to start again, until it took commands.
    pub(crate) ready_s: f64,
    /// This is the time that the first command on the account took then.
    pub(crate) first_ms: f64,
    /// This is the time that the second command took.
    pub(crate) second_ms: f64,
    /// These are the figures of commands that are then sent one after the other on all accounts. To most accounts it is the
    /// first command since the start.
    pub(crate) first_touches: Side,
}

/// Books many events on one account. In each round it then starts the service again and sends commands.
pub(super) async fn measure(
    store: &ConnectionString,
    phases: Phases,
    ledger: LedgerService,
    data: &Path,
) -> Result<(Long, Lag), Error> {
    let all = phases.accounts;
    let long = Accounts { first: all.first + all.count, count: 1, ..all };
    let address = ledger.address();
    let filled = blocking(move || {
        batch::prepare(address, long)?;
        Ok(batch::fill(address, long, EVENTS, 1)?)
    });
    let filled = filled.await?;
    let lag = ledger.lag("batches on one account").await?;
    ledger.stop().await?;
    let (mut ready, mut firsts, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    let mut touches = Rounds::default();
    for _ in 0..phases.rounds {
        let begun = Instant::now();
        let ledger = LedgerService::start(store, data).await?;
        ready.push(begun.elapsed().as_secs_f64());
        let load = phases.load(ledger.address(), 1, true);
        let one = Load { accounts: long, length: Duration::from_nanos(1), ..load };
        let answered = blocking(move || Ok([one.send()?, one.send()?, load.send()?]));
        let [first, second, touched] = answered.await?;
        for (answered, times) in [(first, &mut firsts), (second, &mut seconds)] {
            if answered.wrong > 0 {
                return Err("a withdrawal from the account with many events was answered wrongly".into());
            }
            times.push(answered.took.as_secs_f64() * 1e3);
        }
        touches.add(&touched);
        ledger.stop().await?;
    }
    let long = Long {
        events: filled.commands,
        booked_per_s: filled.all_per_s,
        ready_s: median(&ready),
        first_ms: median(&firsts),
        second_ms: median(&seconds),
        first_touches: touches.side(),
    };
    Ok((long, lag))
}
