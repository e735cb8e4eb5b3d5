//! This test counts the appends that the node has at once: of the service's own there are no more than half, so that a client's
//! command never waits behind all the steps of transfers.

use std::time::Duration;

use bookonce::domain::command::Command;
use bookonce::ledger::Verdict;
use eventstore_standin::{Options, Running, Standin};
use tokio::task::JoinSet;

use crate::holds::transfer_credit;
use crate::instances::{Hurry, ask, instance, stop, until};
use crate::support::{deposit, open};

/// A node takes this many calls at once over one connection: the stand-in does as a real one.
const CALLS_AT_ONCE: usize = 100;
/// There are so many steps and so many commands of clients: more than all places together.
const MANY: u128 = 300;

/// Nothing that is held here runs into its time.
pub const CALM: Hurry = Hurry {
    connect: Duration::from_secs(60),
    append: Duration::from_secs(120),
    read: Duration::from_secs(120),
    patience: Duration::from_secs(120),
    idle: Duration::from_secs(120),
};

/// The streams of these accounts have steps alone, or clients' commands alone.
fn payee(n: u128) -> String {
    format!("payee-{n}")
}

fn client(n: u128) -> String {
    format!("client-{n}")
}

/// Counts the appends that the node holds: steps, and those of clients.
fn held(node: &Running) -> (usize, usize) {
    let streams = node.faults().held();
    let steps = streams.iter().filter(|stream| stream.starts_with("account-payee-")).count();
    (steps, streams.len() - steps)
}

/// Catches: steps that fill the connection to the node, behind which every command of a client waits. Seen failing with 128
/// places for steps, which is half of the 256 appends of an instance and more than a connection carries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_half_of_the_appends_under_way_are_steps() {
    let node = Standin::start(Options::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ledger = instance(&node.connection_string(), dir.path(), CALM).await;
    let opened = (0..MANY).flat_map(|n| [open(1 + n, &payee(n)), open(1_001 + n, &client(n))]);
    let verdicts = ledger.execute(opened.collect::<Vec<_>>()).await.unwrap();
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Booked(..))), "{verdicts:?}");

    node.faults().hold_appends(true);
    let mut asked = JoinSet::new();
    let mut send = |command: Command| {
        let ledger = ledger.clone();
        asked.spawn(async move { ask(&ledger, &command).await });
    };
    (0..MANY).for_each(|n| send(transfer_credit(2_001 + n, &payee(n), "1.00", "somebody")));
    until("half of the places are full of steps", || held(&node).0 >= CALLS_AT_ONCE / 2 - 2).await;
    (0..MANY).for_each(|n| send(deposit(3_001 + n, &client(n), "1.00")));
    until("the node has nearly all that it takes", || {
        let (steps, clients) = held(&node);
        steps + clients >= CALLS_AT_ONCE - 5
    })
    .await;
    let (steps, clients) = held(&node);
    assert!(steps <= CALLS_AT_ONCE / 2, "{steps} steps, and {clients} appends of clients");

    node.faults().hold_appends(false);
    while let Some(verdict) = asked.join_next().await {
        let verdict = verdict.unwrap();
        assert!(matches!(verdict, Verdict::Booked(..)), "{verdict:?}");
    }
    stop(ledger).await;
}
