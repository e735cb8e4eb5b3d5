//! An account with many events: how soon its first command is answered by a service that has just started.

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

/// How many events the account gets, at least.
const EVENTS: u64 = 100_000;

/// An account with many events.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Long {
    /// How many events were booked on it in batches.
    pub(crate) events: u64,
    /// In a second.
    pub(crate) booked_per_s: f64,
    /// How long the service took to start again until it took commands.
    pub(crate) ready_s: f64,
    /// How long the first command on the account took then; all of these are medians.
    pub(crate) first_ms: f64,
    /// And the second.
    pub(crate) second_ms: f64,
    /// After that: one command after the other on all accounts of the run, most for the first time since the start.
    pub(crate) first_touches: Side,
}

/// Books many events on one account, starts the service again when its index has them, and asks it: as often as
/// there are rounds.
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
