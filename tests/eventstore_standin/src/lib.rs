//! The stand-in takes the place of an EventStoreDB node in tests: it is a small server that speaks the node's gRPC protocol
//! over real sockets, does what a real node was seen to do, and fails as a test wants it to. It is no part of the product,
//! and knows nothing of the ledger.
//!
//! `Standin::start(Options { .. })` runs one inside a test; `main.rs` runs one by itself. The way of a call is [`rpc`] →
//! `answer_*` → [`node`] (its fault) → [`writer`] ([`decide`], [`mod@file`]) → answer. A read goes from `answer_read`
//! through [`walk`] over the [`log`], and a subscription does the same again and again.
//!
//! The whole log is kept in memory: each event, and about a hundred bytes with it.

#![allow(clippy::disallowed_methods, reason = "this is a server of its own: its clock and its ids are here")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a stand-in that is wrong may stop the test")]

mod answer_cluster;
mod answer_read;
mod answer_write;
mod decide;
pub mod faults;
pub mod file;
mod filter;
mod held;
mod log;
mod metadata;
mod node;
pub mod proto;
mod rich;
mod rpc;
mod statuses;
mod subscription;
mod walk;
mod writer;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::{oneshot, watch};

use faults::{Faults, Handle};
use log::Log;
use writer::{Store, Writer};

pub struct Options {
    pub listen: SocketAddr,
    /// The log's file; without one the log lives as long as this [`Running`].
    pub data: Option<PathBuf>,
    pub faults: Faults,
    pub flush_delay: Duration,
    pub threads: usize,
    /// The release it says it is.
    pub version: String,
    /// This is the one `authorization` header that it lets in; without one it lets everybody in, as a node without users does.
    pub authorization: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            data: None,
            faults: Faults::default(),
            flush_delay: Duration::ZERO,
            threads: 2,
            version: "23.10.6".to_owned(),
            authorization: None,
        }
    }
}

pub struct Standin;

/// A node that runs, on threads of its own, until it is stopped or dropped.
pub struct Running {
    options: Options,
    address: SocketAddr,
    /// Keeps the address from everybody else while the node is stopped: bound, and never listened on.
    _place: TcpSocket,
    faults: Arc<Handle>,
    /// The log, for a node without a file.
    kept: Option<Arc<Store>>,
    run: Option<Run>,
}

/// From a start to a stop.
struct Run {
    cut: watch::Sender<u64>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

impl Standin {
    pub fn start(options: Options) -> io::Result<Running> {
        let faults = Arc::new(Handle::new(options.faults.clone()));
        let place = if options.listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        place.set_reuseaddr(true)?;
        place.bind(options.listen)?;
        let address = place.local_addr()?;
        let mut running = Running { options, address, _place: place, faults, kept: None, run: None };
        running.start()?;
        Ok(running)
    }
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For clients.
    pub fn connection_string(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    /// What goes wrong from now on.
    pub fn faults(&self) -> &Handle {
        &self.faults
    }

    /// Ends every connection there is; new ones are taken.
    pub fn cut_connections(&self) {
        if let Some(run) = &self.run {
            run.cut.send_modify(|times| *times += 1);
        }
    }

    /// From now on what comes is not shown in `$all` to those who read it forwards or follow it; or it is again.
    pub fn hide(&self, hide: bool) {
        if let Some(store) = &self.kept {
            self.faults.hide(hide.then(|| store.visible()));
        }
    }

    /// Lets a deleted stream's events be gone from `$all`, too, until the next stop. Its next revision stays.
    pub fn scavenge(&self, stream: &str) {
        if let Some(store) = &self.kept {
            store.log.write().scavenged.insert(stream.to_owned());
        }
    }

    /// Stops as by a power cut: connections end, and what no reader could see yet is gone. The port refuses until
    /// [`Running::start`].
    pub fn stop(&mut self) -> io::Result<()> {
        let Some(Run { stop, server, .. }) = self.run.take() else { return Ok(()) };
        drop(stop);
        server.join().expect("the server does not panic")
    }

    /// Starts again at the same address, from the file or from what was kept.
    pub fn start(&mut self) -> io::Result<()> {
        if self.run.is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.address)?;
        listener.set_nonblocking(true)?;
        let mut log = Log::default();
        let file =
            self.options.data.as_deref().map(|path| file::LogFile::open(path, &mut log)).transpose()?;
        let store = match self.kept.take() {
            Some(kept) if file.is_none() => kept,
            _ => Arc::new(Store::new(log)),
        };
        self.kept = Some(Arc::clone(&store));
        let (writes, writing) = crossbeam_channel::unbounded();
        let writer = Writer {
            store: Arc::clone(&store),
            file,
            faults: Arc::clone(&self.faults),
            flush_delay: self.options.flush_delay,
        };
        let node = node::Node {
            store,
            faults: Arc::clone(&self.faults),
            address: self.address,
            instance: uuid::Uuid::new_v4(),
            version: self.options.version.clone(),
            authorization: self.options.authorization.clone(),
            writes,
        };
        let (cut, cutting) = watch::channel(0);
        let (stop, stopped) = oneshot::channel();
        let threads = self.options.threads;
        let server = std::thread::spawn(move || {
            let writer = std::thread::spawn(move || writer.run(&writing));
            serve(listener, node, cutting, stopped, threads)?;
            writer.join().expect("the writer does not panic")
        });
        self.run = Some(Run { cut, stop, server });
        Ok(())
    }

    pub fn restart(&mut self) -> io::Result<()> {
        self.stop()?;
        self.start()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

/// Serves until told to stop. Everything of this run ends with its runtime, so that nothing lands after a restart.
fn serve(
    listener: TcpListener,
    node: node::Node,
    cut: watch::Receiver<u64>,
    stopped: oneshot::Receiver<()>,
    threads: usize,
) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads.max(1)).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            () = rpc::accept(listener, Arc::new(node), cut) => {}
            _ = stopped => {}
        }
        io::Result::Ok(())
    })
}
