//! This folder keeps the journal in EventStoreDB (or KurrentDB, its new name): each account has a stream there, and any
//! number of instances append to it at exact revisions. Nobody else knows the `eventstore` crate, and none of its types
//! leave this folder.
//!
//! An event is chained to the one before it *in its stream*, so that an append depends on that stream alone. The id of an
//! event is derived from its bytes: the same bytes may be sent many times and are stored once, and two events that differ
//! in anything have different ids. An append has one of few outcomes; [`Appended::Unknown`] is one of them, and it is
//! returned whenever the append may have been stored and nobody can say so.
//!
//! The shared clerk and the follower of the journal use this folder; it uses the nodes of a cluster. It must not know what
//! an event means.
//!
//! - [`proposed`] encodes events, [`append`] sends them once, and [`settle`] sends them until the outcome is known.
//! - [`read`] and [`follow`] bring events back as [`recorded`] ones, and [`mod@reader`] as lines of the journal;
//!   [`hidden`] says what the metadata of a stream keeps from them.
//! - [`mod@proof`] says whether the node is still the store that it was, and [`newest`] where the store ends.
//! - [`settings`] reads the connection string, [`connection`] keeps the clients, [`diagnosis`] says why they
//!   can't connect, and [`crate_traps`] works around the faults of the crate.

mod append;
mod appended;
mod connection;
mod crate_traps;
mod diagnosis;
mod error;
mod follow;
mod followed;
mod hidden;
mod names;
mod newest;
pub mod node;
mod proof;
mod proposed;
mod proven;
mod read;
mod reader;
mod recorded;
mod settings;
mod settle;

use std::sync::Arc;
use std::time::Duration;

pub use appended::Appended;
pub use crate_traps::tls::prepare_tls;
pub use error::Error;
pub use follow::Follow;
pub use followed::Followed;
pub use newest::Newest;
pub use proof::Epoch;
pub use proposed::{MOST_BYTES, Proposed};
pub use read::Page;
pub use reader::Reader;
pub use recorded::{Foreign, Read, Recorded};
pub use settle::{Settled, Settling};

use connection::{Link, Links};
use crate_traps::tls;
use node::Node;
use proof::Proof;
use settings::Settings;

/// `Patience` says how long a call waits for the node before it gives up.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// This is how long it waits for a connection. Nothing is sent before there is one.
    pub connect: Duration,
    /// This is how long it waits for the answer to an append. After that the outcome is unknown.
    pub append: Duration,
    /// This is how long it waits for the next message of a read.
    pub read: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), append: Duration::from_secs(2), read: Duration::from_secs(5) }
    }
}

/// A `Store` is a handle to a cluster or to a single node. It is cheap to clone, and works in the runtime in which it
/// was made.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    shown: String,
    patience: Patience,
    way: Way,
    /// The proof says whether it is known that this is the store that it was.
    proof: Proof,
}

/// A `Way` is the way to the nodes.
enum Way {
    /// The `eventstore` crate connects to them.
    Links(Links),
    /// One in this process answers for them.
    Node(Arc<dyn Node>),
}

impl Store {
    /// Reads the connection string (`esdb://`, `esdb+discover://`, or the same with `kurrentdb` or `kdb`). It does not
    /// connect yet. It must be called inside a tokio runtime.
    ///
    /// # Errors
    /// Fails with [`Error::Settings`] when it can't be understood, or names a certificate that can't be read.
    pub async fn new(connection: &str) -> Result<Self, Error> {
        Self::with_patience(connection, Patience::default()).await
    }

    /// Does what [`Store::new`] does, with other waits than the usual ones.
    ///
    /// # Errors
    /// Fails as [`Store::new`] does.
    pub async fn with_patience(connection: &str, patience: Patience) -> Result<Self, Error> {
        let Settings { shown, leader, any, credentials } = Settings::read(connection)?;
        prepare_tls().await;
        tls::prepared()?;
        let proof = Proof::default();
        let way = Way::Links(Links {
            credentials,
            probe: Link::new(leader.clone(), patience.connect, Proof::default()),
            leader: Link::new(leader, patience.connect, proof.clone()),
            any: Link::new(any, patience.connect, proof.clone()),
        });
        Ok(Self(Arc::new(Inner { shown, patience, way, proof })))
    }

    /// Makes the handle of a store whose node is in this process.
    #[must_use]
    pub fn over(node: Arc<dyn Node>) -> Self {
        let (shown, patience) = ("a node in this process".to_owned(), Patience::default());
        Self(Arc::new(Inner { shown, patience, way: Way::Node(node), proof: Proof::default() }))
    }

    /// Returns the connection string without user and password, to be logged or shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.0.shown
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.0.shown).finish()
    }
}
