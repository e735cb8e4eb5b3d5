//! The service of an instance is here: its ledger with its sagas, and the way of a request through both, as HTTP has it.

use std::path::PathBuf;
use std::sync::Arc;

use bookonce::clerk::{Port, Unavailable};
use bookonce::domain::command::{Command, Operation};
use bookonce::domain::payee::Payee;
use bookonce::domain::time::Clock;
use bookonce::domain::transfer::command::TransferOperation;
use bookonce::index::Index;
use bookonce::ledger::{DriveOrder, Ledger, Parts, Verdict};
use bookonce::payouts::Providers;
use bookonce::sagas::{self, Sagas};
use bookonce::store::eventstoredb::Store;
use bookonce::store::{Head, Reader};
use bookonce::tasks::enter;
use tokio::sync::{Notify, oneshot, watch};

use crate::executor::Owner;
use crate::instance::Life;
use crate::seat::Seat;
use crate::world::World;

/// A `Service` is what one life of an instance is started with, whichever store it has.
pub struct Service {
    /// This is the owner of its tasks.
    pub owner: Owner,
    /// This is what is ordered about the driving of its transfers.
    pub drive: DriveOrder,
    /// This is its data folder.
    pub folder: PathBuf,
    /// These are the payout providers that it is set up with.
    pub providers: Providers,
}

/// An `Opened` is what the two kinds of instances open each in its own way.
pub struct Opened {
    /// This is the clerk.
    pub clerk: Box<dyn Port>,
    /// This wakes a clerk that has no way of its own to be woken.
    pub called: Arc<Notify>,
    /// This reads the journal.
    pub reader: Reader,
    /// This is the index.
    pub index: Index,
    /// This tells how far the journal goes.
    pub head: watch::Receiver<Head>,
    /// This is the machine's clock.
    pub clock: Clock,
    /// This is the handle of the store, where several write one.
    pub store: Option<Store>,
}

/// Starts the service over what is open.
///
/// # Errors
/// Fails when a thread can't be started.
pub fn start(world: &World, service: Service, opened: Opened) -> Result<Life, String> {
    let Service { owner, drive, folder, providers } = service;
    let Opened { clerk, called, reader, index, head, clock, store } = opened;
    let clerk = Seat::new(world, owner, clerk, called);
    let parts = Parts {
        clerk: Box::new(clerk.clone()),
        reader,
        index: index.clone(),
        head: head.clone(),
        clock,
        drive,
        folder,
    };
    let _entered = enter(world.tasks().of(owner));
    let ledger = Ledger::of_parts(parts).map_err(|error| error.to_string())?;
    let sagas = Sagas::new(ledger.clone());
    sagas.pay_through(providers.clone());
    sagas::start(&sagas);
    Ok(Life { owner, clerk, index, head, ledger, sagas, providers, store })
}

/// A `Called` is a request that an instance has. When the caller goes away, the instance gives it up.
pub struct Called {
    world: World,
    task: u64,
    ruled: oneshot::Receiver<Result<Vec<Verdict>, Unavailable>>,
}

impl Called {
    /// Waits for the verdicts; `None` when the instance crashes before it has them.
    pub async fn ruled(&mut self) -> Option<Result<Vec<Verdict>, Unavailable>> {
        (&mut self.ruled).await.ok()
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        self.world.tasks().abort(self.task);
    }
}

/// Sends commands to an instance, where a task of its own takes them, as the service does for each request.
pub fn call(world: &World, life: &Life, commands: Arc<[Command]>) -> Called {
    let (tell, ruled) = oneshot::channel();
    let (ledger, sagas, providers) = (life.ledger.clone(), life.sagas.clone(), life.providers.clone());
    let task = world.tasks().spawn(life.owner, async move {
        let mut places = Vec::new();
        for command in commands.iter().filter(|command| is_request(command)) {
            // A new transfer is refused while they are paused, and one to a provider that is not known here.
            let is_refused = ledger.is_paused() || !is_known(&providers, command);
            let place = if is_refused { None } else { sagas.admit().await };
            let Some(place) = place else {
                let _nobody_waits = tell.send(Err(Unavailable::Overloaded));
                return;
            };
            places.push(place);
        }
        let ruled = ledger.execute(commands).await;
        if let Ok(verdicts) = &ruled {
            sagas.goes_on(verdicts, places);
        }
        let _nobody_waits = tell.send(ruled);
    });
    Called { world: world.clone(), task, ruled }
}

fn is_request(command: &Command) -> bool {
    matches!(command.operation, Operation::Transfer(TransferOperation::Request(_)))
}

/// Says whether the service is set up with the provider of a new transfer, where it has one.
fn is_known(providers: &Providers, command: &Command) -> bool {
    match &command.operation {
        Operation::Transfer(TransferOperation::Request(asked)) => match &asked.to {
            Payee::External(name) => providers.get(name).is_some(),
            Payee::Account(_) => true,
        },
        _ => true,
    }
}
