//! `bookonce fault-proxy` is a network with faults for whoever tests a client or a broker: it stands in front of a service
//! and does harm by shares of a thousand, from a seed.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::out;
use super::outcome::{Error, Exit, Outcome};
use super::told_to_stop::told_to_stop;
use crate::client::faults::tcp::{TcpProxy, TcpRates};
use crate::client::faults::{FaultRates, Proxy};

/// Stand in front of a service and lose, double, delay, cut, reorder and drip
///
/// Each share is of a thousand. Over HTTP only requests with an Idempotency-Key meet a fault, and what happens to one follows
/// from the seed, its ID and how often that has come. With --tcp whole connections meet one, of any protocol, in the order in
/// which they come. Nothing is on its way when it stops.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bookonce fault-proxy --to 127.0.0.1:7070 --listen 127.0.0.1:7071 --seed 7 --lose-answer 300 --lose-request 100
  bookonce fault-proxy --to 127.0.0.1:4222 --listen 127.0.0.1:4223 --tcp --cut 100 --black-hole 50

Exit codes: 0 it was told to stop, and says what it did; 2 wrong usage; 3 it can't listen or find the service.")]
pub struct Args {
    /// The service, as a host and a port
    #[arg(long, value_name = "HOST:PORT", value_parser = service)]
    to: SocketAddr,
    /// Where clients reach it; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What the faults are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Harm connections of any protocol
    #[arg(long)]
    tcp: bool,
    /// The service never sees the request
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share(), conflicts_with = "tcp")]
    lose_request: u64,
    /// The client never sees the answer
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share(), conflicts_with = "tcp")]
    lose_answer: u64,
    /// The service gets the request twice
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share(), conflicts_with = "tcp")]
    double: u64,
    /// The request, or each piece of a connection, waits
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share())]
    delay: u64,
    /// The answer breaks off in the middle
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share())]
    cut: u64,
    /// Another request passes this one
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share(), conflicts_with = "tcp")]
    reorder: u64,
    /// The answer comes byte by byte
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share(), conflicts_with = "tcp")]
    drip: u64,
    /// The connection takes everything and answers nothing
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share(), requires = "tcp")]
    black_hole: u64,
    /// The connection takes more and answers no more
    #[arg(long, value_name = "SHARE", default_value_t = 0, value_parser = share(), requires = "tcp")]
    half_close: u64,
    /// The longest delay, and how long a request waits to be passed and an answer drips, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    longest_delay_ms: u64,
}

fn share() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(0..=1000)
}

fn service(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| error.to_string())?;
    found.next().ok_or_else(|| "has no address".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Fails when it can't listen.
pub(crate) fn run(args: &Args) -> Outcome {
    let longest_delay = Duration::from_millis(args.longest_delay_ms);
    let http = FaultRates {
        lose_request: args.lose_request,
        lose_answer: args.lose_answer,
        double: args.double,
        delay: args.delay,
        cut: args.cut,
        reorder: args.reorder,
        drip: args.drip,
        longest_delay,
    };
    let (black_hole, half_close) = (args.black_hole, args.half_close);
    let tcp = TcpRates { delay: args.delay, cut: args.cut, black_hole, half_close, longest_delay };
    if http.sum().max(tcp.sum()) > 1000 {
        super::outcome::complain(Error::from("the shares are of 1000, and their sum is more").as_ref());
        return Ok(Exit::Usage);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let told = told_to_stop()?;
        if args.tcp {
            let proxy = TcpProxy::start(args.listen, args.to, args.seed, tcp).await?;
            greet(args, "tcp", proxy.address)?;
            told.await;
            let counts = proxy.counts();
            out::line(said(&[("connections", &counts.came), ("harmed", &counts.harmed)]))?;
        } else {
            let proxy = Proxy::start_at(args.listen, vec![args.to], args.seed, http).await?;
            greet(args, "http", proxy.address)?;
            told.await;
            let counts = proxy.counts();
            out::line(said(&[
                ("requests", &counts.came),
                ("lost requests", &counts.lost_requests),
                ("lost answers", &counts.lost_answers),
                ("doubled", &counts.doubled),
                ("delayed", &counts.delayed),
                ("cut", &counts.cut),
                ("reordered", &counts.reordered),
                ("dripped", &counts.dripped),
                ("service down", &counts.service_down),
                ("doubled with two answers", &counts.disagreed),
            ]))?;
        }
        Ok(Exit::Ok)
    })
}

fn greet(args: &Args, scheme: &str, address: SocketAddr) -> Result<(), Error> {
    out::line(format_args!("fault-proxy on {scheme}://{address}, to {}, seed {}", args.to, args.seed))
}

fn said(counts: &[(&str, &AtomicU64)]) -> String {
    let each = counts.iter().map(|(what, count)| format!("{what} {}", count.load(Ordering::Relaxed)));
    each.collect::<Vec<_>>().join(", ")
}
