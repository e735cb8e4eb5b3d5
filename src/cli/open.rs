//! A ledger is opened for a command with the machine's clock and random numbers, and with a progress bar for a person.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::clerk::Limits;
use crate::config::ConnectionString;
use crate::domain::time::system_clock;
use crate::ledger::{DriveOrder, Ledger, OpenError, Options, ReadLimits, system_steady};
use crate::store::eventstoredb::Store;

use super::outcome::Error;

/// A bar is shown from this many events on.
const WORTH_A_BAR: u64 = 200_000;

/// An `Ordered` is what an operator orders for one start.
#[derive(Clone, Copy, Default)]
pub(super) struct Ordered {
    /// The clock is right, though it is behind the last event.
    pub(super) accept_clock: bool,
    /// This is what is to become of the driving of transfers.
    pub(super) drive: DriveOrder,
}

/// Opens the ledger whose store is a cluster, with its index in `data`. It must be called inside a tokio runtime.
pub(super) async fn over_store(
    data: &Path,
    connection: &ConnectionString,
    reads: ReadLimits,
    ordered: Ordered,
) -> Result<Ledger, Error> {
    let store = Store::new(connection.reveal()).await?;
    Ok(Ledger::open_store(options(data, reads, ordered, Box::new(|_, _| {})), store)?)
}

/// Opens the ledger in `data`. With `shown`, long work shows how
/// far it is, on standard error.
pub(super) fn ledger(
    data: &Path,
    reads: ReadLimits,
    shown: bool,
    ordered: Ordered,
) -> Result<Ledger, OpenError> {
    let bar = ProgressBar::hidden();
    let style = ProgressStyle::with_template(
        "building the index {bar:40} {human_pos} of {human_len} events, {eta} left",
    );
    if let Ok(style) = style {
        bar.set_style(style);
    }
    let progress = move |done: u64, all: u64| {
        if shown && all >= WORTH_A_BAR {
            if bar.length().is_none() {
                bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
            bar.set_length(all);
            bar.set_position(done);
        }
    };
    Ledger::open(options(data, reads, ordered, Box::new(progress)))
}

fn options(
    data: &Path,
    reads: ReadLimits,
    ordered: Ordered,
    progress: Box<dyn Fn(u64, u64) + Send>,
) -> Options {
    Options {
        data: data.to_owned(),
        clock: system_clock(),
        steady: Some(system_steady()),
        accept_clock: ordered.accept_clock,
        drive: ordered.drive,
        fresh: random_id(),
        limits: Limits::default(),
        reads,
        progress,
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the edge at which random numbers enter")]
fn random_id() -> Uuid {
    Uuid::new_v4()
}
