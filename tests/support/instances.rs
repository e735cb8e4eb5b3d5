//! These are instances of the ledger in this process, over one store. They wait only a short time.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::Path;
use std::time::{Duration, Instant};

use bookonce::answers::render;
use bookonce::clerk::shared::Waits;
use bookonce::domain::command::Command;
use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Unavailable, Verdict, Workings};
use bookonce::store::eventstoredb::{Patience, Store};

use crate::support::options;

/// What a test waits for comes within this time, or never.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A `Hurry` says how long an instance waits.
#[derive(Clone, Copy)]
pub struct Hurry {
    pub connect: Duration,
    pub append: Duration,
    pub read: Duration,
    pub patience: Duration,
    pub idle: Duration,
}

impl Default for Hurry {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            append: Duration::from_millis(400),
            read: Duration::from_secs(5),
            patience: Duration::from_secs(6),
            idle: Duration::from_secs(10),
        }
    }
}

/// Returns an instance that is ready, with its index in this folder.
pub async fn instance(connection: &str, data: &Path, hurry: Hurry) -> Ledger {
    let Hurry { connect, append, read, patience, idle } = hurry;
    let waits = Patience { connect, append, read };
    let store = Store::with_patience(connection, waits).await.unwrap();
    let workings = Workings { waits: Waits { patience, idle }, ..Workings::default() };
    let ledger = Ledger::open_store_with(options(data, system_clock()), store, workings).unwrap();
    until("the instance is ready", || ledger.status().ready).await;
    ledger
}

/// Asks again and again until it is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Stops an instance, as a signal does.
pub async fn stop(ledger: Ledger) {
    tokio::task::spawn_blocking(move || ledger.stop()).await.unwrap().unwrap();
}

/// Returns what one command came to.
pub async fn ask(ledger: &Ledger, command: &Command) -> Verdict {
    let mut verdicts = ledger.execute(vec![command.clone()]).await.unwrap();
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0)
}

/// Asks until there is an answer: what the command was booked or refused as.
pub async fn insist(ledger: &Ledger, command: &Command) -> Verdict {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < DEADLINE, "no answer for {command:?}");
        match ledger.execute(vec![command.clone()]).await.map(|mut verdicts| verdicts.remove(0)) {
            Ok(Verdict::Unavailable(Unavailable::StoreDamaged)) => panic!("nothing is damaged here"),
            Ok(Verdict::Unavailable(_)) | Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            Ok(verdict) => return verdict,
        }
    }
}

/// Returns the body of the answer that a verdict is, if it is one.
pub fn body(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Booked(event, _) | Verdict::Replayed(event, _) => {
            Some(String::from_utf8(render(event).body).unwrap())
        }
        Verdict::Reused { .. } | Verdict::Refused(_) | Verdict::Unavailable(_) => None,
    }
}
