//! One client of the crate, made when it is needed and made anew when it is of no use any more.
//!
//! A client whose first connection failed is dead for ever; one that had a connection goes on asking the same node, even
//! when the cluster has another leader. So after every trouble with the connection the client is dropped, and the next
//! call makes one, which looks for its node again: at most five times a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eventstore::{Client, ClientSettings};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::Error;
use super::crate_traps::nodelay;
use super::proof::Proof;

/// At least this long between one client and the next.
const PAUSE: Duration = Duration::from_millis(200);
/// A call that took longer may have met Nagle's algorithm on a connection that the crate made anew by itself.
const SLOW: Duration = Duration::from_millis(20);
/// At least this long between two looks at the sockets after slow calls.
const NODELAY_PAUSE: Duration = Duration::from_millis(100);
/// At most this long between two looks at the sockets while calls are made.
const NODELAY_EVERY: Duration = Duration::from_secs(5);

/// The way to a node.
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
    /// How many were begun, and when the last.
    begun: u64,
    begun_at: Option<Instant>,
    /// Why the last one came to nothing.
    failed: Option<Error>,
    looked_at: Option<Instant>,
}

/// A client that is connected, and which one it is.
#[derive(Clone)]
pub struct Live {
    pub client: Client,
    number: u64,
}

impl Link {
    /// Connects to nothing yet.
    pub fn new(settings: ClientSettings, patience: Duration, proof: Proof) -> Self {
        let (state, making) = (Mutex::default(), tokio::sync::Mutex::new(()));
        Self(Arc::new(Inner { settings, patience, runtime: Handle::current(), state, making, proof }))
    }

    /// A connected client. Whoever comes while one is being made waits for that one.
    pub async fn live(&self) -> Result<Live, Error> {
        if let Some(live) = self.0.state.lock().live.clone() {
            return Ok(live);
        }
        let inner = Arc::clone(&self.0);
        // A task of its own: it goes on when this caller gives up, or a slow connection would never be made.
        let making = self.0.runtime.spawn(async move { inner.make().await });
        match tokio::time::timeout(self.0.patience, making).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(Error::Unreachable("the runtime ends".to_owned())),
            Err(_) => Err(Error::Unreachable("no connection in time".to_owned())),
        }
    }

    /// The client is of no use: the next call makes another.
    pub fn give_up(&self, live: &Live) {
        self.0.give_up(live.number);
    }

    /// Takes note of how long a call took, and looks after the sockets.
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
                // Another's attempt failed while this one waited for it.
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
        client.server_info().await?;
        let _looked = self.runtime.spawn_blocking(nodelay::set_everywhere).await;
        Ok(client)
    }
}

/// Does the error mean that another client may do better? Not when the node named its leader: the crate goes there.
pub fn is_over(error: &eventstore::Error) -> bool {
    use eventstore::Error as E;
    matches!(error, E::ConnectionClosed | E::GrpcConnectionError(_) | E::ServerError(_))
}
