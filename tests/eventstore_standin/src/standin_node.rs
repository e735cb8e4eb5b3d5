//! This program runs the stand-in as a node of a test's own, which `BOOKONCE_TEST_NODE` may name: it is called with a
//! folder and a port. A program that runs a real node is called in the same way.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::Parser;
use eventstore_standin::{Options, Standin};

/// A stand-in for an EventStoreDB node, on a folder and a port of 127.0.0.1, until it is killed.
#[derive(Parser)]
struct Arguments {
    /// The folder of its log.
    folder: PathBuf,
    /// The port that it listens on.
    port: u16,
}

fn main() -> std::io::Result<()> {
    let Arguments { folder, port } = Arguments::parse();
    let listen = (Ipv4Addr::LOCALHOST, port).into();
    let _running = Standin::start(Options { listen, data: Some(folder.join("log")), ..Options::default() })?;
    loop {
        std::thread::park();
    }
}
