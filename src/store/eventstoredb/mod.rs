//! EventStoreDB (and KurrentDB, its new name) as the store: a stream for each account, appended to at exact revisions by
//! any number of instances. The only place that knows the `eventstore` crate; none of its types leave this folder.
//!
//! An account's event is chained to the one before it *in its stream*, so that an append rests on nothing but that stream.
//! Its id is derived from its bytes: the same bytes may be sent again and again, and take hold once; two events that
//! differ in anything never share one. What an append is told is one of few things, and [`Appended::Unknown`] is said
//! whenever it could be true.
//!
//! Up the way: whoever decides for many instances, and the follower of the journal. Down the way: a cluster's nodes.
//! Must not know what an event means.
//!
//! [`proposed`] makes the bytes, [`append`] sends them, [`settle`] until it is known what became of them; [`read`] and
//! [`follow`] bring them back as [`recorded`], [`mod@reader`] as lines. [`connection`] keeps the clients, [`mod@proof`] that they speak to the store they spoke to before, [`settings`] reads
//! where to; [`crate_traps`] keeps out of the crate's traps.

mod append;
mod connection;
mod crate_traps;
mod error;
mod follow;
mod newest;
mod proof;
mod proposed;
mod read;
mod reader;
mod recorded;
mod settings;
mod settle;

use std::sync::Arc;
use std::time::Duration;

pub use append::Appended;
pub use crate_traps::tls::prepare_tls;
pub use error::Error;
pub use follow::{Follow, Followed};
pub use newest::Newest;
pub use proof::Epoch;
pub use proposed::{MOST_BYTES, Proposed};
pub use read::Page;
pub use reader::Reader;
pub use recorded::{Foreign, Read, Recorded};
pub use settle::{Settled, Settling};

use connection::Link;
use crate_traps::tls;
use proof::Proof;
use settings::Settings;

/// What the name of the stream of another stream's metadata begins with; the other stream's name follows.
const METADATA: &str = "$$";

/// No revision is greater: a node keeps them as signed numbers.
const LAST_REVISION: u64 = i64::MAX as u64;

/// How long a call waits for the node.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection, before anything is sent.
    pub connect: Duration,
    /// For the answer to an append; after it the outcome is unknown.
    pub append: Duration,
    /// For the next message of a read.
    pub read: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), append: Duration::from_secs(2), read: Duration::from_secs(5) }
    }
}

/// A cluster or a single node. Cheap to clone. Its work is done in the runtime in which it was made.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    shown: String,
    patience: Patience,
    credentials: Option<eventstore::Credentials>,
    /// To the leader, whatever the connection string says: for what is decided on.
    leader: Link,
    /// As the connection string says: for the journal.
    any: Link,
    /// Is it known that this is the store it was?
    proof: Proof,
}

impl Store {
    /// Reads the connection string (`esdb://`, `esdb+discover://`, or the same with `kurrentdb` or `kdb`). Connects to
    /// nothing. Inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Settings`] when it can't be understood, or names a certificate that can't be read.
    pub async fn new(connection: &str) -> Result<Self, Error> {
        Self::with_patience(connection, Patience::default()).await
    }

    /// As [`Store::new`], waiting as long as told.
    ///
    /// # Errors
    /// As [`Store::new`].
    pub async fn with_patience(connection: &str, patience: Patience) -> Result<Self, Error> {
        let Settings { shown, leader, any, credentials } = Settings::read(connection)?;
        prepare_tls().await;
        tls::prepared()?;
        let proof = Proof::default();
        let leader = Link::new(leader, patience.connect, proof.clone());
        let any = Link::new(any, patience.connect, proof.clone());
        Ok(Self(Arc::new(Inner { shown, patience, credentials, leader, any, proof })))
    }

    /// The connection string without user and password, for logs and people.
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
