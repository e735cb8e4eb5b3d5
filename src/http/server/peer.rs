//! A peer is the other end of a connection. Each request is told of it, and of how far the service is with stopping.

use std::net::SocketAddr;

use tokio::sync::watch;

/// A `Peer` is the other end of a connection. [`mod@super::serve`] puts it into each request.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// This is its address.
    pub(crate) address: SocketAddr,
    /// This is the stage of the service, as it changes.
    pub(crate) stages: watch::Receiver<Stage>,
}

/// A `Stage` says how far the service is with stopping. Long answers look at it, to end in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The service takes requests.
    Serving,
    /// The service takes nothing new, and finishes what it began.
    Stopping,
    /// The service cuts the connections that are left.
    Ended,
}
