//! The ledger over the store is a service that stands still while the store is measured alone.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::child::Service;
use crate::cli::outcome::Error;
use crate::config::ConnectionString;

use super::super::blocking::blocking;
use super::super::large::{Lag, catch_up, head};
use super::super::load::{Answered, Load};
use super::super::singles::Phases;
use super::super::stats::rate;
use super::super::wire::Connection;
use super::bare::{Appends, Bare};

/// The service may take this long to know all that is in the store.
const PATIENCE: Duration = Duration::from_secs(600);

/// A `LedgerService` is the service of the ledger, and says how quickly it read what others had written.
pub(crate) struct LedgerService {
    service: Service,
    /// These are the events that it read in a second, each time.
    pub(crate) followed: Vec<f64>,
}

impl LedgerService {
    /// Starts the service, and waits until it has read all that is there and takes commands.
    ///
    /// # Errors
    /// Fails when the service does not start.
    pub(crate) async fn start(store: &ConnectionString, data: &Path) -> Result<Self, Error> {
        let service = Service::serve(data, "127.0.0.1:0", Some(store)).await?;
        let address = service.address;
        wait_for(move || Ok(Connection::open(address)?.figure("bookonce_ready")? == 1)).await?;
        Ok(Self { service, followed: Vec::new() })
    }

    /// Says where it listens.
    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.service.address
    }

    /// Stops the service.
    ///
    /// # Errors
    /// Fails when it does not stop.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.service.stop().await?;
        Ok(())
    }

    /// Appends to the bare store while the ledger stands still, and lets it read that.
    ///
    /// # Errors
    /// Fails when the store does not take an event, or the ledger does not read it.
    pub(crate) async fn stand_still(
        &mut self,
        bare: &Bare,
        appends: Appends,
        length: Duration,
    ) -> Result<Answered, Error> {
        self.service.suspend()?;
        let answered = bare.send(appends, length).await;
        self.service.resume()?;
        let answered = answered?;
        let (begun, last, address) = (Instant::now(), bare.last(), self.address());
        wait_for(move || Ok(head(address)? >= last)).await?;
        let events = (answered.latencies.count() * appends.events) as u64;
        self.followed.push(rate(events, begun.elapsed()));
        self.lag("what others wrote").await?;
        Ok(answered)
    }

    /// Sends the load of a phase, after a warm-up in which the accounts come into use.
    ///
    /// # Errors
    /// Fails when it can't be reached.
    pub(crate) async fn send(&self, phases: Phases, connections: usize) -> Result<Answered, Error> {
        let load = phases.load(self.address(), connections, true);
        blocking(move || {
            Load { length: load.length / 2, ..load }.send()?;
            Ok(load.send()?)
        })
        .await
    }

    /// Waits until the index has everything.
    ///
    /// # Errors
    /// Fails when it does not.
    pub(crate) async fn lag(&self, after: &str) -> Result<Lag, Error> {
        let (address, after) = (self.address(), after.to_owned());
        blocking(move || catch_up(address, &after)).await
    }

    /// Asks how many events and commits there were since its start.
    ///
    /// # Errors
    /// Fails when it does not tell.
    pub(crate) async fn done(&self) -> Result<(u64, u64), Error> {
        let address = self.address();
        blocking(move || {
            let mut connection = Connection::open(address)?;
            Ok((connection.figure("bookonce_events")?, connection.figure("bookonce_commits")?))
        })
        .await
    }
}

/// Asks again and again until it is so.
async fn wait_for(is_so: impl Fn() -> Result<bool, Error> + Send + 'static) -> Result<(), Error> {
    blocking(move || {
        let begun = Instant::now();
        while !is_so()? {
            if begun.elapsed() > PATIENCE {
                return Err("the ledger does not come to know what is in the store".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    })
    .await
}
