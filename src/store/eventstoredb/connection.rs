//! A [`Link`] keeps one client of the `eventstore` crate: it makes the client when it is needed, and a new one after every
//! trouble with the connection.
//!
//! The crate leaves that to its caller: a client whose first connection failed never connects again, and one that was
//! connected goes on asking the same node even when the cluster has another leader. A new client looks for its node again.
//! At most five clients are made in a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eventstore::{Client, ClientSettings, Credentials};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::Error;
use super::crate_traps::nodelay;
use super::diagnosis;
use super::proof::Proof;

/// This is the shortest time between the making of two clients.
const PAUSE: Duration = Duration::from_millis(200);
/// A call that took longer than this may have met Nagle's algorithm: the crate connects again by itself, and turns it on.
const SLOW: Duration = Duration::from_millis(20);
/// This is the shortest time between two looks at the sockets, when calls are slow or fail.
const NODELAY_PAUSE: Duration = Duration::from_millis(100);
/// This is the time after which the sockets are looked at again, when calls are fast.
const NODELAY_EVERY: Duration = Duration::from_secs(5);

/// A `Link` is the connection to a node, over whichever client is alive.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    settings: ClientSettings,
    patience: Duration,
    runtime: Handle,
    state: Mutex<State>,
    making: tokio::sync::Mutex<()>,
    proof: Proof,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// This is how many clients were begun so far; below it is when the last one was begun.
    begun: u64,
    begun_at: Option<Instant>,
    /// This is why the last client could not connect.
    failed: Option<Error>,
    looked_at: Option<Instant>,
}

/// `Links` are the connections to the nodes, and who connects.
pub(super) struct Links {
    pub(super) credentials: Option<Credentials>,
    /// This connection goes to the leader, whatever the connection string says: decisions rest on what is read over it.
    pub(super) leader: Link,
    /// This connection goes to the leader, too. It is asked where the store ends, and must not wait behind appends.
    pub(super) probe: Link,
    /// This connection goes where the connection string says. The journal is read over it.
    pub(super) any: Link,
}

impl Links {
    /// Returns the connection over which this is asked.
    pub(super) fn to(&self, whom: Whom) -> &Link {
        match whom {
            Whom::Leader => &self.leader,
            Whom::Any => &self.any,
        }
    }
}

/// A `Whom` says over which connection something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Leader,
    Any,
}

/// A `Live` is a client that is connected, with its number: a caller gives up the client that failed, and not its
/// successor.
#[derive(Clone)]
pub struct Live {
    pub client: Client,
    number: u64,
}

impl Link {
    /// Makes a link that is not connected yet.
    pub fn new(settings: ClientSettings, patience: Duration, proof: Proof) -> Self {
        let (state, making) = (Mutex::default(), tokio::sync::Mutex::new(()));
        Self(Arc::new(Inner { settings, patience, runtime: Handle::current(), state, making, proof }))
    }

    /// Returns a connected client. Callers that come while one is being made wait for the same one.
    pub async fn live(&self) -> Result<Live, Error> {
        if let Some(live) = self.0.state.lock().live.clone() {
            return Ok(live);
        }
        let inner = Arc::clone(&self.0);
        // This is a task of its own, so that it goes on when the caller gives up: a slow connection is made in the end.
        let making = self.0.runtime.spawn(async move { inner.make().await });
        match tokio::time::timeout(self.0.patience, making).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(Error::Unreachable("the runtime ends".to_owned())),
            Err(_) => Err(Error::Unreachable("no connection in time".to_owned())),
        }
    }

    /// Drops this client, if it is still the one in use: the next call makes another.
    pub fn give_up(&self, live: &Live) {
        self.0.give_up(live.number);
    }

    /// Takes note of a finished call, and looks at the sockets from time to time, sooner after a slow or failed one.
    pub fn took(&self, begun: Instant, failed: bool) {
        let now = Instant::now();
        let pause = if failed || now - begun > SLOW { NODELAY_PAUSE } else { NODELAY_EVERY };
        let mut state = self.0.state.lock();
        if state.looked_at.is_none_or(|last| now - last >= pause) {
            state.looked_at = Some(now);
            drop(state);
            drop(self.0.runtime.spawn_blocking(nodelay::set_everywhere));
        }
    }
}

impl Inner {
    fn give_up(&self, number: u64) {
        let mut state = self.state.lock();
        if state.live.as_ref().is_some_and(|live| live.number == number) {
            state.live = None;
            drop(state);
            self.proof.doubt();
        }
    }

    async fn make(&self) -> Result<Live, Error> {
        let seen = self.state.lock().begun;
        let _one_at_a_time = self.making.lock().await;
        let wait = {
            let state = self.state.lock();
            match (&state.live, &state.failed) {
                (Some(live), _) => return Ok(live.clone()),
                // Another caller's attempt failed while this one waited for it.
                (None, Some(why)) if state.begun > seen => return Err(why.clone()),
                _ => state.begun_at.map(|at| PAUSE.saturating_sub(at.elapsed())),
            }
        };
        tokio::time::sleep(wait.unwrap_or_default()).await;
        let number = {
            let mut state = self.state.lock();
            state.begun += 1;
            state.begun_at = Some(Instant::now());
            state.begun
        };
        let made = self.connect().await;
        let mut state = self.state.lock();
        state.looked_at = Some(Instant::now());
        match made {
            Ok(client) => {
                let live = Live { client, number };
                (state.live, state.failed) = (Some(live.clone()), None);
                Ok(live)
            }
            Err(why) => {
                state.failed = Some(why.clone());
                Err(why)
            }
        }
    }

    async fn connect(&self) -> Result<Client, Error> {
        let client = Client::with_runtime_handle(self.runtime.clone(), self.settings.clone())
            .map_err(|error| Error::Settings(error.to_string()))?;
        if let Err(error) = client.server_info().await {
            return Err(diagnosis::why(&self.settings).await.unwrap_or_else(|| error.into()));
        }
        let _looked = self.runtime.spawn_blocking(nodelay::set_everywhere).await;
        Ok(client)
    }
}

/// Says whether a new client may do better after this error. It is of no use when the node named its leader: the crate
/// goes there by itself.
pub fn is_over(error: &eventstore::Error) -> bool {
    use eventstore::Error as E;
    matches!(error, E::ConnectionClosed | E::GrpcConnectionError(_) | E::ServerError(_))
}
