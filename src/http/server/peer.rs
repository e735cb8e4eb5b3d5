//! A peer is the other end of a connection. Each request is told of it, and of how far the service is with stopping.

use std::net::SocketAddr;

use tokio::sync::watch;

/// The other end of a connection. [`mod@super::serve`] puts it into each request.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// The stage of the service, as it changes.
    pub(crate) stages: watch::Receiver<Stage>,
}

/// How far the service is with stopping. Long answers look at it, to end in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It serves.
    Serving,
    /// It takes nothing new, and finishes what it began.
    Stopping,
    /// It cuts the connections that are left.
    Ended,
}
