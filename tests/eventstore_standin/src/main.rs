//! This program runs the stand-in by itself: `cargo run --release -p eventstore_standin -- --listen 127.0.0.1:2113`.

#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use eventstore_standin::faults::Faults;
use eventstore_standin::{Options, Standin};

/// A stand-in for an EventStoreDB node: it speaks its gRPC protocol, and fails as told.
#[derive(Parser)]
struct Arguments {
    /// Where it listens; port 0 is any free one.
    #[arg(long, default_value = "127.0.0.1:2113")]
    listen: SocketAddr,
    /// The file of its log. Without one nothing outlives the process.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Such as lost-answer=0.05,late=0.02:300ms,delay=0.1:50ms,seed=7 (all of them: tests/eventstore_standin/src/faults.rs).
    #[arg(long, default_value = "")]
    faults: Faults,
    /// The shortest time between two flushes; a real node has 2 ms under load.
    #[arg(long, default_value_t = 0)]
    flush_delay_ms: u64,
    /// Threads that serve calls.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Restart every so many seconds: connections cut, what no reader has seen forgotten.
    #[arg(long)]
    restart_every_s: Option<u64>,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let mut running = Standin::start(Options {
        listen: arguments.listen,
        data: arguments.data,
        faults: arguments.faults,
        flush_delay: Duration::from_millis(arguments.flush_delay_ms),
        threads: arguments.threads,
        ..Options::default()
    })?;
    println!("listening on {}", running.connection_string());
    loop {
        std::thread::sleep(Duration::from_secs(arguments.restart_every_s.unwrap_or(3600)));
        if arguments.restart_every_s.is_some() {
            running.restart()?;
        }
    }
}
