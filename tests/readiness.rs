//! Over EventStoreDB readiness is earned: an instance that does not have in its index what is in the store says so, follows
//! anew, and books no ID that another one may have booked; and nothing is appended to a node that came back as another.
//!
//! Catches, the first two seen on the code before: checkpoints of a subscription that are believed (with 2^64-1 and with
//! the place of the next event the other instance was blind for ever, ready, and booked the ID on another account); an
//! instance that calls itself ready whatever it sees (the same with events kept from it); and, seen with appends that do not
//! wait for the comparison, a node that came back empty, from a backup or as another ledger's, and is written to.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

#[path = "support/instances.rs"]
mod instances;
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bookonce::domain::time::system_clock;
use bookonce::ledger::{Ledger, Unavailable, Verdict};
use bookonce::store::chain::event_id;
use bookonce::store::eventstoredb::{Recorded, Store};
use eventstore_standin::file::{replaced, rewrite};
use eventstore_standin::{Options, Standin};
use instances::{Hurry, ask, body, insist, instance, stop, until};
use support::http::Service;
use support::node::Node;
use support::{deposit, open, store};

async fn begun(connection: &str, folder: &Path) -> Ledger {
    instance(connection, folder, Hurry::default()).await
}

/// Two instances begin on an empty store, where one writes and the other follows.
async fn follows_whatever_is_said(faults: &str) {
    let node = Standin::start(Options { faults: faults.parse().unwrap(), ..Options::default() }).unwrap();
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let writer = begun(&node.connection_string(), folders[0].path()).await;
    let other = begun(&node.connection_string(), folders[1].path()).await;
    for n in 1..=20_u128 {
        let account = format!("a{n}");
        let Verdict::Booked(_, position) = insist(&writer, &open(n, &account)).await else {
            panic!("{faults}: {n} was not booked")
        };
        until("the other has it", || other.head().position >= position).await;
        let reused = insist(&other, &open(n, &format!("b{n}"))).await;
        assert!(matches!(reused, Verdict::Reused { .. }), "{faults}: {reused:?}");
    }
    until("the other is ready", || other.status().ready).await;
    assert_eq!(writer.digest(None).await.unwrap(), other.digest(None).await.unwrap());
    stop(writer).await;
    stop(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_beyond_everything_is_not_believed() {
    follows_whatever_is_said("checkpoint=far").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_goes_back_is_not_believed() {
    follows_whatever_is_said("checkpoint=back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_the_event_that_comes_next_is_not_believed() {
    follows_whatever_is_said("checkpoint=next").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_checkpoint_is_needed() {
    follows_whatever_is_said("checkpoint=never").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_stays_silent_is_not_waited_for() {
    follows_whatever_is_said("mute").await;
}

/// The store takes what is appended and shows it in its stream, and keeps it from who follows.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_does_not_see_what_is_in_the_store_is_not_ready_and_books_nothing_new() {
    let node = Standin::start(Options::default()).unwrap();
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let one = begun(&node.connection_string(), folders[0].path()).await;
    let two = begun(&node.connection_string(), folders[1].path()).await;
    assert!(matches!(insist(&one, &open(1, "alice")).await, Verdict::Booked(..)));
    until("both have it", || two.head().position >= one.head().position).await;
    node.hide(true);
    let first = ask(&one, &deposit(2, "alice", "5.00")).await;
    assert!(matches!(first, Verdict::Booked(..)), "{first:?}");
    for ledger in [&one, &two] {
        until("it is not ready", || !ledger.status().ready).await;
        let reason = ledger.status().reason.unwrap();
        assert!(reason.contains("does not show"), "{reason}");
    }
    // Only the index could tell that the ID is booked.
    let elsewhere = ask(&two, &open(2, "bob")).await;
    assert!(matches!(elsewhere, Verdict::Unavailable(Unavailable::StoreUnavailable)), "{elsewhere:?}");
    // What the stream itself shows is answered.
    for ledger in [&one, &two] {
        let again = ask(ledger, &deposit(2, "alice", "5.00")).await;
        assert!(matches!(again, Verdict::Replayed(..)), "{again:?}");
        assert_eq!(body(&again), body(&first));
    }
    node.hide(false);
    for ledger in [&one, &two] {
        until("it is ready again", || ledger.status().ready).await;
    }
    let elsewhere = insist(&two, &open(2, "bob")).await;
    assert!(matches!(elsewhere, Verdict::Reused { .. }), "{elsewhere:?}");
    stop(one).await;
    stop(two).await;
}

/// A node comes back with this file while clients open accounts and book money: what came to it, and what was answered.
async fn comes_back(with: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("node");
    let backup = dir.path().join("backup");
    let mut node = Standin::start(Options { data: Some(file.clone()), ..Options::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ledger = Arc::new(begun(&node.connection_string(), folder.path()).await);
    assert!(matches!(insist(&ledger, &open(1, "alice")).await, Verdict::Booked(..)));
    std::fs::copy(&file, &backup).unwrap();
    assert!(matches!(insist(&ledger, &deposit(2, "alice", "5.00")).await, Verdict::Booked(..)));
    let (next, over, away) =
        (Arc::new(AtomicU64::new(100)), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (ledger, next, over, away) = (ledger.clone(), next.clone(), over.clone(), away.clone());
            tokio::spawn(async move {
                let mut booked_after = Vec::new();
                while !over.load(Ordering::Acquire) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let began_after = away.load(Ordering::Acquire);
                    let said = ledger.execute(vec![open(n.into(), &format!("new-{n}"))]).await;
                    match said.map(|mut verdicts| verdicts.remove(0)) {
                        Ok(Verdict::Booked(event, _)) if began_after => booked_after.push(event),
                        Ok(_) | Err(_) => {}
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                booked_after
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    node.stop().unwrap();
    // A node takes longer to come back than its clients take to see that it is gone.
    until("it is missed", || !ledger.status().ready).await;
    away.store(true, Ordering::Release);
    with(&file);
    node.faults().record();
    node.start().unwrap();
    until("it is found out", || ledger.status().reason.is_some_and(|reason| reason.contains("rebuild")))
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    over.store(true, Ordering::Release);
    for client in clients {
        assert_eq!(client.await.unwrap(), Vec::new(), "booked in another store");
    }
    assert_eq!(node.faults().attempts(), Vec::new(), "sent to another store");
}

/// Catches: an error of the store's for a position at which no event is (the journal 503 for ever, the live feed silent).
#[test]
fn a_position_at_which_no_event_is_is_refused_with_the_nearest_before() {
    let node = Node::start_empty();
    let service = Service::over(tempfile::tempdir().unwrap(), &node.connection_string());
    store::until("it is ready", || service.get("/readyz").status == 200);
    service.account("alice");
    service.account("bob");
    let journal = service.get("/v1/journal");
    let positions: Vec<u64> =
        journal.json()["items"].as_array().unwrap().iter().map(|e| e["position"].as_u64().unwrap()).collect();
    assert!(positions.len() > 2 && positions.windows(2).all(|two| two[1] > two[0] + 1), "{positions:?}");
    for (after, nearest) in [(5, 0), (positions[0] - 1, 0), (positions[1] + 1, positions[1])] {
        for path in ["/v1/journal", "/v1/journal/live"] {
            let refused = service.get(&format!("{path}?after={after}"));
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (400, "unknown_position"),
                "{}",
                refused.text()
            );
            assert_eq!(refused.json()["nearest"], nearest);
        }
    }
    let from = service.get(&format!("/v1/journal?after={}", positions[1]));
    assert_eq!(from.json()["items"].as_array().unwrap().len(), positions.len() - 2);
    let beyond = service.get(&format!("/v1/journal?after={}", positions[positions.len() - 1] + 7));
    assert_eq!((beyond.status, beyond.json()["items"].as_array().unwrap().len()), (200, 0));
    store::stop(service.app.ledger());
}

/// Catches: "the store can't be reached" for ever, where it is another store.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_ledger_is_told_as_such() {
    let node = Node::start_empty();
    let folder = tempfile::tempdir().unwrap();
    let ledger = begun(&node.connection_string(), folder.path()).await;
    for n in 1..=5 {
        let Verdict::Booked(_, position) = insist(&ledger, &open(n, &format!("a{n}"))).await else {
            panic!()
        };
        until("the index has it", || ledger.head().position >= position).await;
    }
    stop(ledger).await;
    for others in [0_u128, 20] {
        let other = Node::start_empty();
        let elsewhere = tempfile::tempdir().unwrap();
        let writer = begun(&other.connection_string(), elsewhere.path()).await;
        for n in 0..others {
            insist(&writer, &open(n + 100, &format!("somebody-else-{n}"))).await;
        }
        stop(writer).await;
        let lost = store::apart(|| {
            store::begin(support::options(folder.path(), system_clock()), &other.connection_string())
        })
        .unwrap();
        until("it is told", || lost.status().reason.is_some_and(|reason| reason.contains("rebuild"))).await;
        assert!(lost.cause().unwrap().contains("position"), "{:?}", lost.cause());
        stop(lost).await;
    }
}

/// Makes of a stored event what a newer version would have written: its version is 2, and its id that of its bytes.
fn made_newer(file: &Path, event: &Recorded) {
    let (old, event_uuid) = (event.read().unwrap(), event.event_id.to_string());
    let newer = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains("\"version\":1"), "{text}");
        text.replace("\"version\":1", "\"version\":2").into_bytes()
    };
    let id = event_id(&newer(&old.canonical)).to_string();
    rewrite(file, 1, &event.stream, |event| {
        let event = replaced(event, b"\"version\":1", b"\"version\":2");
        replaced(&event, event_uuid.as_bytes(), id.as_bytes())
    });
}

/// While versions are changed one instance after the other. Catches: the account marked as damaged, for this index for ever.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_newer_version_makes_an_instance_say_that_it_must_be_upgraded() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("node");
    let mut node = Standin::start(Options { data: Some(file.clone()), ..Options::default() }).unwrap();
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let writer = begun(&node.connection_string(), folders[0].path()).await;
    for command in [open(1, "alice"), deposit(2, "alice", "5.00"), open(3, "bob")] {
        insist(&writer, &command).await;
    }
    stop(writer).await;
    let raw = Store::new(&node.connection_string()).await.unwrap();
    let stored = raw.stream(&support::name("alice").into(), 1, 1).await.unwrap().remove(0);
    node.stop().unwrap();
    made_newer(&file, &stored);
    node.start().unwrap();
    let old = store::apart(|| {
        store::begin(support::options(folders[1].path(), system_clock()), &node.connection_string())
    })
    .unwrap();
    until("it says so", || old.status().kind == Some("upgrade")).await;
    assert!(old.cause().unwrap().contains("version 2"), "{:?}", old.cause());
    assert_eq!(old.status().damaged_accounts, 0);
    let refused = old.execute(vec![deposit(4, "bob", "1.00")]).await;
    assert!(matches!(refused, Err(Unavailable::StoreUnavailable)), "{refused:?}");
    stop(old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_appended_to_a_node_that_came_back_empty() {
    comes_back(|file| std::fs::remove_file(file).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_appended_to_a_node_that_came_back_as_another_ledgers() {
    let dir = tempfile::tempdir().unwrap();
    let others = dir.path().join("others");
    {
        let node = Standin::start(Options { data: Some(others.clone()), ..Options::default() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ledger = begun(&node.connection_string(), folder.path()).await;
        // More than the other has: at whatever position one looks something stands.
        for n in 0..40 {
            insist(&ledger, &open(1_000 + n, &format!("somebody-else-{n}"))).await;
        }
        stop(ledger).await;
    }
    comes_back(|file| {
        std::fs::copy(&others, file).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_appended_to_a_node_that_came_back_from_a_backup() {
    comes_back(|file| {
        std::fs::copy(file.with_file_name("backup"), file).unwrap();
    })
    .await;
}
