//! These tests look at what a batch leaves to single commands: room before the clerk, the connection to the node, and turns on
//! its own account.
//!
//! A single command whose answer nobody has taken is under way for the clerk, so that it expects others.

use std::pin::pin;

use bookonce::clerk::Limits;
use bookonce::clerk::shared::Waits;
use bookonce::domain::command::Command;
use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Options, Unavailable, Verdict, Workings};
use bookonce::store::eventstoredb::{Patience, Store};
use eventstore_standin::{Options as Node, Standin};
use futures_util::FutureExt;

use crate::instances::{instance, stop, until};
use crate::places::CALM;
use crate::support::{deposit, open, options};

/// This is the most commands of batches that are under way beside single commands.
const TURN: usize = 64;
/// This is the most appends that they may be.
const APPENDS: usize = 8;

fn booked(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| matches!(verdict, Verdict::Booked(..)))
}

/// Sends commands, and waits for nothing.
fn send(ledger: &Ledger, commands: Vec<Command>) -> tokio::task::JoinHandle<Vec<Verdict>> {
    let ledger = ledger.clone();
    tokio::spawn(async move { ledger.execute(commands).await.unwrap() })
}

/// Catches: batches that wait, and keep every single command out. Seen failing with one count for all commands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_wait_keep_no_single_command_out() {
    let node = Standin::start(Node::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let waits = Patience { connect: CALM.connect, append: CALM.append, read: CALM.read };
    let store = Store::with_patience(&node.connection_string(), waits).await.unwrap();
    let limits = Limits { commands: 100, ..Limits::default() };
    let options = Options { limits, ..options(dir.path(), system_clock()) };
    let workings =
        Workings { waits: Waits { patience: CALM.patience, idle: CALM.idle }, ..Workings::default() };
    let ledger = Ledger::open_store_with(options, store, workings).unwrap();
    until("the instance is ready", || ledger.status().ready).await;
    assert!(booked(&ledger.execute(vec![open(1, "alice"), open(2, "bob")]).await.unwrap()));

    node.faults().hold_appends(true);
    let batch = |from: u128| (from..from + 100).map(|n| deposit(n, "alice", "1.00")).collect::<Vec<_>>();
    let waiting = send(&ledger, batch(100));
    until("the batch waits", || ledger.status().queue_depth == 1).await;
    assert!(matches!(ledger.execute(batch(200)).await, Err(Unavailable::Overloaded)));
    let mut single = pin!(ledger.execute(vec![deposit(3, "bob", "1.00")]));
    assert!(single.as_mut().now_or_never().is_none(), "it is taken");
    node.faults().hold_appends(false);
    assert!(booked(&single.await.unwrap()) && booked(&waiting.await.unwrap()));
    stop(ledger.clone()).await;
}

/// Catches: a batch over many accounts that fills the connection to the node. Seen failing without turns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_over_many_accounts_has_few_appends_beside_single_commands() {
    const ACCOUNTS: u128 = 120;
    let node = Standin::start(Node::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ledger = instance(&node.connection_string(), dir.path(), CALM).await;
    let account = |n| format!("many-{n}");
    let opened = (0..ACCOUNTS).map(|n| open(1_000 + n, &account(n)));
    assert!(booked(&ledger.execute(opened.collect::<Vec<_>>()).await.unwrap()));
    assert!(booked(&ledger.execute(vec![open(1, "bob"), open(2, "carol")]).await.unwrap()));
    let mut under_way = pin!(ledger.execute(vec![deposit(3, "bob", "1.00")]));
    assert!(under_way.as_mut().now_or_never().is_none());

    node.faults().hold_appends(true);
    let many = (0..ACCOUNTS).map(|n| deposit(2_000 + n, &account(n), "1.00")).collect();
    let batch = send(&ledger, many);
    let of_batch = || node.faults().held().iter().filter(|stream| stream.contains("many-")).count();
    until("a turn is under way", || of_batch() >= APPENDS).await;
    // Whatever else the batch had sent would be there by now, or soon after.
    let single = send(&ledger, vec![deposit(4, "carol", "1.00")]);
    until("the single command is there", || node.faults().held().contains(&"account-carol".to_owned())).await;
    assert_eq!(of_batch(), APPENDS);
    node.faults().hold_appends(false);
    assert!(booked(&single.await.unwrap()) && booked(&batch.await.unwrap()));
    assert!(booked(&under_way.await.unwrap()));
    stop(ledger.clone()).await;
}

/// Catches: a batch on one account that is decided to its end before anybody else's command there. Seen failing without turns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_the_end_of_a_batch_on_the_same_account() {
    let node = Standin::start(Node::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ledger = instance(&node.connection_string(), dir.path(), CALM).await;
    assert!(booked(&ledger.execute(vec![open(1, "alice"), open(2, "bob")]).await.unwrap()));
    let mut under_way = pin!(ledger.execute(vec![deposit(3, "bob", "1.00")]));
    assert!(under_way.as_mut().now_or_never().is_none());

    node.faults().hold_appends(true);
    node.faults().record();
    let batch = send(&ledger, (1_000..2_000).map(|n| deposit(n, "alice", "1.00")).collect());
    until("its first turn is under way", || node.faults().held().contains(&"account-alice".to_owned())).await;
    let mut single = pin!(ledger.execute(vec![deposit(4, "alice", "1.00")]));
    assert!(single.as_mut().now_or_never().is_none());
    node.faults().hold_appends(false);
    let verdict = single.await.unwrap().remove(0);
    let Verdict::Booked(event, _) = &verdict else { panic!("{verdict:?}") };
    assert!(event.revision <= 1 + TURN as u64, "it is the {}th event of its account", event.revision);
    assert!(booked(&batch.await.unwrap()) && booked(&under_way.await.unwrap()));
    let attempts = node.faults().attempts();
    let most = attempts.iter().map(|attempt| attempt.ids.len()).max();
    assert_eq!(most, Some(TURN), "no append is longer than a turn while a single command is under way");
    stop(ledger.clone()).await;
}
