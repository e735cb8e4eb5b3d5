//! The other end of a connection, and how far the service is on its way out: what a request is told of the server.

use std::net::SocketAddr;

use tokio::sync::watch;

/// The other end of the connection; put into each request by [`mod@super::serve`].
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it is.
    pub address: SocketAddr,
    /// How far the service is on its way out, as that changes.
    pub stages: watch::Receiver<Stage>,
}

/// How far the service is on its way out; long answers look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It serves.
    Serving,
    /// It finishes what it began.
    Stopping,
    /// It cuts what is left.
    Ended,
}
