//! A large ledger has many transactions. Its start, memory, speed, index and replay are measured.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::child::{self, Service};
use crate::cli::outcome::Error;

use super::blocking::blocking;
use super::load::Load;
use super::singles::{Phases, Rounds, Side, ratio};
use super::wire::Connection;

/// The large ledger is compared with an empty one at this many connections.
const CONNECTIONS: usize = 256;

/// A `Start` has the figures of a large ledger that was started.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Start {
    /// This is the number of its events.
    pub(crate) events: u64,
    /// This is the time that it took to stop.
    pub(crate) stop_s: f64,
    /// This is the time from the start of its process to the first withdrawal's answer.
    pub(crate) first_answer_s: f64,
    /// This is the resident memory after that, in MB (10^6 bytes).
    pub(crate) resident_mb: f64,
    /// This is the resident memory after the load at 256 connections.
    pub(crate) resident_after_load_mb: f64,
    /// This is an empty ledger at 256 connections.
    pub(crate) empty: Side,
    /// This is the large ledger at 256 connections.
    pub(crate) loaded: Side,
    /// This is its rate, divided by that of the empty one.
    pub(crate) to_empty: f64,
}

/// The lag of the index says how far it was behind after a load, and how soon it had caught up.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Lag {
    /// This is the load.
    pub(crate) after: String,
    /// This is the number of events that it had not taken in when the load ended.
    pub(crate) events: u64,
    /// This is the time that it took to have them all.
    pub(crate) caught_up_s: f64,
}

/// A `Replay` has the figures of a replay: the whole journal was verified.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Replay {
    /// This is the number of events.
    pub(crate) events: u64,
    /// This is the time that it took, with the start of the process.
    pub(crate) took_s: f64,
    /// This is the number of events in a second.
    pub(crate) events_per_s: f64,
}

/// Waits until the index has everything.
///
/// # Errors
/// Fails when the service does not say how far it is, or is not there after two minutes.
pub(crate) fn catch_up(address: SocketAddr, after: &str) -> Result<Lag, Error> {
    let mut connection = Connection::open(address)?;
    let begun = Instant::now();
    let events = lag(&mut connection)?;
    while lag(&mut connection)? > 0 {
        if begun.elapsed() > Duration::from_secs(120) {
            return Err("the index does not catch up".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(Lag { after: after.to_owned(), events, caught_up_s: begun.elapsed().as_secs_f64() })
}

fn lag(connection: &mut Connection) -> Result<u64, Error> {
    Ok(connection.figure("bookonce_index_lag_events")?)
}

/// Asks for the position at which the journal ends.
///
/// # Errors
/// Fails when the service does not tell.
pub(crate) fn head(address: SocketAddr) -> Result<u64, Error> {
    let head: serde_json::Value = serde_json::from_str(&Connection::open(address)?.get("/v1/journal/head")?)?;
    head["position"].as_u64().ok_or_else(|| "the journal's head has no position".into())
}

/// Stops the ledger, starts it again, and compares it with an empty one.
///
/// # Errors
/// Fails when a service can't be stopped, started or reached.
pub(crate) async fn restart(
    service: Service,
    data: &Path,
    empty: &Service,
    phases: Phases,
) -> Result<(Service, Start, Lag), Error> {
    let address = service.address;
    let events = blocking(move || head(address)).await?;
    let begun = Instant::now();
    service.stop().await?;
    let stop_s = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let service = Service::serve(data, "127.0.0.1:0", None).await?;
    let one = Load { length: Duration::from_nanos(1), ..phases.load(service.address, 1, true) };
    let first = blocking(move || Ok(one.send()?)).await?;
    let first_answer_s = begun.elapsed().as_secs_f64();
    if first.wrong > 0 {
        return Err("the first answer after the start was wrong".into());
    }
    let resident_mb = resident_mb(&service)?;
    let (empty, loaded) = compare(empty.address, service.address, phases).await?;
    let address = service.address;
    let lag = blocking(move || catch_up(address, "singles at 256 connections")).await?;
    let start = Start {
        events,
        stop_s,
        first_answer_s,
        resident_mb,
        resident_after_load_mb: self::resident_mb(&service)?,
        to_empty: ratio(loaded.per_s, empty.per_s),
        empty,
        loaded,
    };
    Ok((service, start, lag))
}

async fn compare(empty: SocketAddr, loaded: SocketAddr, phases: Phases) -> Result<(Side, Side), Error> {
    blocking(move || {
        let (empty, loaded) = (phases.load(empty, CONNECTIONS, true), phases.load(loaded, CONNECTIONS, true));
        let (mut empties, mut loadeds) = (Rounds::default(), Rounds::default());
        for _ in 0..phases.rounds {
            empties.add(&empty.send()?);
            loadeds.add(&loaded.send()?);
        }
        Ok((empties.side(), loadeds.side()))
    })
    .await
}

/// Times `bookonce verify` on a folder.
///
/// # Errors
/// Fails when it can't be run, or finds something wrong.
pub(crate) async fn replay(data: &Path, events: u64) -> Result<Replay, Error> {
    let begun = Instant::now();
    let (right, said) = child::verify(data, None).await?;
    let took = begun.elapsed();
    if !right {
        return Err(format!("verify found something wrong: {said}").into());
    }
    Ok(Replay { events, took_s: took.as_secs_f64(), events_per_s: super::stats::rate(events, took) })
}

fn resident_mb(service: &Service) -> Result<f64, Error> {
    memory_mb(service, "VmRSS:")
}

/// Reads how much memory a service uses or has used, by the name that Linux has for it in `/proc`.
///
/// # Errors
/// Fails when the system does not tell.
pub(crate) fn memory_mb(service: &Service, name: &str) -> Result<f64, Error> {
    let pid = service.pid().ok_or("the service has ended")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u32>().ok());
    Ok(f64::from(kib.ok_or("the system does not tell the service's memory")?) * 1024.0 / 1e6)
}
