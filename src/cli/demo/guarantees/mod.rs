//! `bookonce demo --guarantees` sends the same events to three destinations, one for each guarantee, through one storm, and
//! counts what came of them.
//!
//! Receivers lose requests and answers, and are late; the service is killed amid sends and started again. What was sent is
//! counted in the journal, what arrived and what effects it had at the receivers: nothing is taken for true. It is tried over
//! a data folder, where one process serves: what an instance does that was cut off from the others needs an event store, and is
//! not tried here. [`receiver`] is the three receivers, [`load`] books, and [`table`] is what is found. Up the way is `demo`.

mod load;
mod receiver;
mod table;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cli::child::{self, Service};
use crate::cli::out;
use crate::cli::outcome::{Error, Exit, Outcome};
use crate::client::policy::Policy;
use crate::client::random::Draws;
use crate::client::sender::Client;

use load::Load;
use receiver::Receivers;
use table::{Journal, Table};

/// Everything must have arrived, or be a dead letter, so long after the storm.
const PATIENCE: Duration = Duration::from_secs(120);
/// This is how often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the demonstration in an empty folder.
///
/// # Errors
/// Fails when the service can't be started, killed or read.
pub(super) async fn demonstrate(folder: &Path, seconds: u64, seed: u64) -> Outcome {
    out::line(format_args!(
        "Each event goes to three destinations for {seconds} s, while requests and answers are lost and the service is \
         killed.\nSeed {seed}."
    ))?;
    let storm = Storm { folder, seconds, seed };
    let receivers = Receivers::start(folder, seed).await?;
    std::fs::write(storm.settings(), receivers.settings())?;
    let mut service = storm.serve("127.0.0.1:0").await?;
    let address = service.address;
    let length = Duration::from_secs(seconds);
    let load = Load::begin(address, seed, length).await?;
    let kills = storm.kill_again_and_again(&mut service, Instant::now() + length).await?;
    let booked = load.end().await?;
    receivers.calm();
    let client = Client::new(&format!("http://{address}"), None, Policy::default())?;
    let mut journal = Journal::default();
    let begun = Instant::now();
    loop {
        journal.read(&client).await?;
        if receivers.each().iter().all(|receiver| journal.pending(receiver).next().is_none()) {
            break;
        }
        if begun.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    service.stop().await?;
    let (verified, said) = child::verify(&storm.data(), None).await?;
    let table = Table::of(&journal, &receivers)?;
    out::line(format_args!("{booked} deposits, {} events, {kills} kills.\n", journal.events()))?;
    out::line(table.text())?;
    let mut broken = table.broken();
    if !verified {
        broken.push(format!("`bookonce verify` finds the journal wrong: {said}"));
    }
    for what in &broken {
        out::line(format_args!("BROKEN: {what}"))?;
    }
    if broken.is_empty() {
        out::line(table.verdict())?;
    }
    Ok(if broken.is_empty() { Exit::Ok } else { Exit::Found })
}

/// A `Storm` is where and how long the service runs.
struct Storm<'a> {
    folder: &'a Path,
    seconds: u64,
    seed: u64,
}

impl Storm<'_> {
    fn data(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("ledger.toml")
    }

    async fn serve(&self, listen: &str) -> Result<Service, child::Error> {
        Service::serve_with(&self.data(), listen, None, Some(&self.settings())).await
    }

    /// Kills the service at drawn moments, three times at least, and starts it again on the same port.
    async fn kill_again_and_again(&self, service: &mut Service, until: Instant) -> Result<u32, Error> {
        let draws = Draws::new(self.seed ^ 0x6b69_6c6c);
        let most = (self.seconds * 1_000 / 4).min(3_000);
        let mut kills = 0;
        loop {
            let next = Duration::from_millis(most / 2 + draws.below(most / 2));
            let left = until.saturating_duration_since(Instant::now());
            if left < next {
                tokio::time::sleep(left).await;
                return Ok(kills);
            }
            tokio::time::sleep(next).await;
            service.kill().await?;
            kills += 1;
            *service = self.again(&service.address.to_string()).await?;
        }
    }

    /// Starts the service again at the same address. The port may need a moment to be free.
    async fn again(&self, listen: &str) -> Result<Service, Error> {
        for _ in 0..20 {
            if let Ok(service) = self.serve(listen).await {
                return Ok(service);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(self.serve(listen).await?)
    }
}
