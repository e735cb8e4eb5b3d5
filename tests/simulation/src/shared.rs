//! An instance over the simulated node starts here: its clerk, its follower and its watch are tasks of the run.

use std::sync::Arc;

use bookonce::clerk::Limits;
use bookonce::clerk::shared::{Clerk, Office, Waits};
use bookonce::domain::time::Clock;
use bookonce::index::Index;
use bookonce::store::Head;
use bookonce::store::eventstoredb::Store;
use bookonce::tasks::enter;
use tokio::sync::{Notify, watch};

use crate::connection::{Connection, IDLE};
use crate::instance::Life;
use crate::node::Node;
use crate::service::{self, Opened, Service};
use crate::world::World;

/// Starts an instance over a node.
///
/// # Errors
/// Fails when the index can't be read.
pub fn start(
    world: &World,
    node: &Node,
    index: Index,
    clock: Clock,
    service: Service,
) -> Result<Life, String> {
    let owner = service.owner;
    let checkpoint = index.checkpoint().map_err(|error| error.to_string())?;
    let (journal_id, position, hash) = (checkpoint.journal_id, checkpoint.position, checkpoint.hash);
    let (sender, head) = watch::channel(Head { journal_id, position, hash });
    let store = Store::over(Arc::new(Connection { node: node.clone(), owner }));
    node.know(owner, store.clone());
    let office = Office {
        store: store.clone(),
        index: index.clone(),
        clock: Arc::clone(&clock),
        begins_after: Box::new(|_| {}),
        head: sender,
        limits: Limits::default(),
        waits: Waits { idle: IDLE, ..Waits::default() },
        accept_missing: false,
    };
    let clerk = {
        let _entered = enter(world.tasks().of(owner));
        Box::new(Clerk::start(office).map_err(|error| error.to_string())?)
    };
    let (called, reader, store) = (Arc::new(Notify::new()), Arc::new(node.clone()), Some(store));
    service::start(world, service, Opened { clerk, called, reader, index, head, clock, store })
}
