//! This module opens ledgers over the store that the tests run over: the one in the folder, or EventStoreDB.
//!
//! With `BOOKONCE_TEST_STORE=eventstoredb` every ledger and every service that a test opens through `support` keeps its
//! events in a node of EventStoreDB ([`Node`]): one for each folder, so that the same folder opened again finds its events
//! again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use bookonce::clerk::shared::Waits;
use bookonce::index::Tuning;
use bookonce::ledger::{Ledger, OpenError, Options, Workings};
use bookonce::store::eventstoredb::{Error, Patience, Store};
use eventstore_standin::Running;
use tokio::runtime::Runtime;

use super::node::Node;

/// This is how long anything may take that a test waits for, however slow and busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// Says whether the tests run over EventStoreDB.
pub fn is_eventstoredb() -> bool {
    match std::env::var("BOOKONCE_TEST_STORE").as_deref() {
        Ok("eventstoredb") => true,
        Ok("" | "embedded") | Err(_) => false,
        Ok(other) => panic!("BOOKONCE_TEST_STORE is eventstoredb or embedded, not {other}"),
    }
}

/// These are the nodes, by the folders of the ledgers that are in them. They end with the process.
static NODES: Mutex<BTreeMap<PathBuf, Node>> = Mutex::new(BTreeMap::new());

/// Returns the connection string of the store of this folder's ledger; `None`: the ledger is in the folder itself.
pub fn of(data: &Path) -> Option<String> {
    if !is_eventstoredb() {
        return None;
    }
    let mut nodes = NODES.lock().unwrap();
    Some(
        nodes.entry(std::path::absolute(data).unwrap()).or_insert_with(Node::start_empty).connection_string(),
    )
}

/// Does something with the stand-in of this folder's ledger. It is started if need be, before the ledger is opened.
pub fn with_standin<T>(data: &Path, work: impl FnOnce(&mut Running) -> T) -> T {
    let mut nodes = NODES.lock().unwrap();
    let node = nodes.entry(std::path::absolute(data).unwrap()).or_insert_with(Node::standin);
    work(node.as_standin().unwrap())
}

/// Returns what `bookonce serve` is told besides, so that the ledger is where the tests want it.
pub fn arguments(data: &Path) -> Vec<String> {
    of(data).map(|store| vec!["--store".to_owned(), store]).unwrap_or_default()
}

/// Opens a ledger where the tests want it, and waits until it takes commands.
pub fn open(options: Options, index: Tuning) -> Result<Ledger, OpenError> {
    match of(&options.data) {
        Some(store) => over(options, &store, index),
        None => Ledger::open_with(options, Workings { index, ..Workings::default() }),
    }
}

/// Opens a ledger over an EventStoreDB, and waits until it takes commands.
pub fn over(options: Options, connection: &str, index: Tuning) -> Result<Ledger, OpenError> {
    over_with(options, connection, index, Patience::default())
}

/// Does the same with a patience of the test's own.
pub fn over_with(
    options: Options,
    connection: &str,
    index: Tuning,
    patience: Patience,
) -> Result<Ledger, OpenError> {
    let ledger = unready(options, connection, index, patience)?;
    apart(|| until("the ledger takes commands", || ledger.status().ready));
    Ok(ledger)
}

/// Opens a ledger over an EventStoreDB, and waits for nothing.
pub fn begin(options: Options, connection: &str) -> Result<Ledger, OpenError> {
    unready(options, connection, Tuning::default(), Patience::default())
}

/// Opens a ledger over an EventStoreDB that lets go of accounts soon, and waits until it takes commands.
pub fn forgetful(options: Options, connection: &str, idle: Duration) -> Result<Ledger, OpenError> {
    let connected = Store::new(connection);
    let waits = Waits { idle, ..Waits::default() };
    let workings = move || Workings { waits, ..Workings::default() };
    let ledger = opened(options, connected, workings)?;
    apart(|| until("the ledger takes commands", || ledger.status().ready));
    Ok(ledger)
}

fn unready(
    options: Options,
    connection: &str,
    index: Tuning,
    patience: Patience,
) -> Result<Ledger, OpenError> {
    let connected = Store::with_patience(connection, patience);
    opened(options, connected, move || Workings { index, ..Workings::default() })
}

fn opened(
    options: Options,
    connected: impl Future<Output = Result<Store, Error>> + Send,
    workings: impl FnOnce() -> Workings + Send,
) -> Result<Ledger, OpenError> {
    apart(|| {
        let runtime = runtime();
        let _inside = runtime.enter();
        let store = runtime.block_on(connected).unwrap();
        Ledger::open_store_with(options, store, workings())
    })
}

/// Stops a ledger, also from inside a runtime.
pub fn stop(ledger: &Ledger) {
    apart(|| ledger.stop()).unwrap();
}

/// Asks until it is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Does something that blocks on a thread of its own: the caller's may be one of a runtime.
pub fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// Returns the runtime of every store's client in this process: it outlives those of the tests.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let new = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    RUNTIME.get_or_init(new)
}
