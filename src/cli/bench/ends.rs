//! The ends of transfers are read from the journal, after the load: how long each took from its request to its end.
//!
//! The times are those at which the two events were decided, so that reading them costs the measurement nothing. What a
//! client waits beyond them is its way to the clerk and one commit.

use std::collections::HashMap;
use std::io::Error;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::domain::time::Timestamp;

use super::stats::Latencies;
use super::wire::Connection;

/// This is how many events are read together.
const PAGE: usize = 1_000;
/// All transfers must have ended after this time.
const PATIENCE: Duration = Duration::from_secs(120);

/// An `Item` is an event of the journal, as far as it is needed.
#[derive(Deserialize)]
struct Item<'a> {
    position: u64,
    stream: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    recorded_at: &'a str,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

/// The figure of the service that counts the transfers which were driven to their end and moved.
pub(super) const COMPLETED: &str = "bookonce_transfers_ended_total{end=\"completed\"}";

/// Waits until this many transfers have moved.
///
/// # Errors
/// Fails when the service can't be reached, or they do not end.
pub(super) fn wait_for(connection: &mut Connection, completed: u64) -> Result<(), Error> {
    let begun = Instant::now();
    while connection.figure(COMPLETED)? < completed {
        if begun.elapsed() > PATIENCE {
            return Err(Error::other("the transfers do not end"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Reads the journal after a position, and gives how long each transfer took from its request to its end.
///
/// # Errors
/// Fails when the journal can't be read.
pub(super) fn read(connection: &mut Connection, after: u64) -> Result<Latencies, Error> {
    let (mut requested, mut took) = (HashMap::new(), Latencies::default());
    let mut after = after;
    loop {
        let text = connection.get(&format!("/v1/journal?after={after}&limit={PAGE}"))?;
        let page: Page<'_> = serde_json::from_str(&text)?;
        let Some(last) = page.items.last() else { return Ok(took) };
        after = last.position;
        for item in page.items.iter().filter(|item| item.stream.starts_with("transfer-")) {
            let at = Timestamp::parse(item.recorded_at).map(|at| at.micros()).unwrap_or_default();
            match item.kind {
                "TransferRequested" => {
                    requested.insert(item.stream.to_owned(), at);
                }
                "TransferCompleted" => {
                    let begun = requested.remove(item.stream);
                    let micros = begun.and_then(|begun| u64::try_from(at - begun).ok());
                    took.add(Duration::from_micros(micros.unwrap_or(u64::MAX)));
                }
                _ => {}
            }
        }
    }
}
