//! These tests let the stand-in fail as it is told to, and only so: at one append, or by rate and seed.

use std::time::{Duration, Instant};

use crate::stub::{ANY, NO_STREAM, NONE, Stub, Told, at, events, follow, id, next, seen, stream_from};
use eventstore_standin::faults::{Fault, Faults, Leader};
use eventstore_standin::proto::append::Proposed;
use eventstore_standin::proto::cluster::{Cluster, FOLLOWER};
use eventstore_standin::proto::read::{Content, FromRevision};
use eventstore_standin::{Options, Running, Standin};
use tonic::{Code, Status};

async fn node(faults: &str) -> (Running, Stub) {
    let options = Options { faults: faults.parse().unwrap(), ..Options::default() };
    let running = Standin::start(options).unwrap();
    let stub = Stub::connect(running.address()).await;
    (running, stub)
}

/// An append whose client waits a short time only.
async fn hurried(stub: &Stub, stream: &str, events: Vec<Proposed>) -> Result<Told, Status> {
    stub.hurried().append(stream, NO_STREAM, events).await
}

#[tokio::test]
async fn an_answer_is_lost_and_the_event_is_there() {
    let (running, stub) = node("").await;
    running.faults().plant(0, Fault::LostAnswer);
    assert_eq!(hurried(&stub, "a", events(0..1)).await.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(stub.stored("a").await, [(0, id(0))]);
    assert!(matches!(stub.append("a", NO_STREAM, events(0..1)).await, Ok(Told::Stored { revision: 0, .. })));
    assert_eq!(running.faults().counted(), (2, 1));
}

#[tokio::test]
async fn a_request_is_lost_and_no_event_comes() {
    let (running, stub) = node("").await;
    running.faults().plant_on("b", 0, Fault::LostRequest);
    stub.append("a", NO_STREAM, events(0..1)).await.unwrap();
    assert_eq!(hurried(&stub, "b", events(1..2)).await.unwrap_err().code(), Code::DeadlineExceeded);
    assert!(stub.stored("b").await.is_empty());
}

#[tokio::test]
async fn an_append_lands_after_its_client_gave_up() {
    let (running, stub) = node("").await;
    running.faults().plant(0, Fault::Kept);
    let mut subscription = stub.open(follow(stream_from("a", FromRevision::Start(NONE)))).await.unwrap();
    assert_eq!(hurried(&stub, "a", events(0..1)).await.unwrap_err().code(), Code::DeadlineExceeded);
    assert!(stub.stored("a").await.is_empty(), "reading back proves nothing");
    running.faults().let_land(1).await;
    while seen(&[next(&mut subscription).await.unwrap()]).is_empty() {}
    assert_eq!(stub.stored("a").await, [(0, id(0))]);
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_append() {
    for (fault, stored) in [(Fault::CutBefore, 0), (Fault::CutAfter, 1)] {
        let (running, stub) = node("").await;
        running.faults().plant(0, fault);
        stub.append("a", NO_STREAM, events(0..1)).await.unwrap_err();
        assert!(stub.read(stream_from("a", FromRevision::Start(NONE))).await.is_err(), "all of it is cut");
        let stub = Stub::connect(running.address()).await;
        assert_eq!(stub.stored("a").await.len(), stored);
    }
}

#[tokio::test]
async fn an_answer_is_late_or_an_error_or_has_no_position() {
    let (running, stub) = node("").await;
    running.faults().plant(0, Fault::Delay(Duration::from_millis(150)));
    running.faults().plant(1, Fault::Timeout);
    running.faults().plant(2, Fault::NoPosition);
    let begun = Instant::now();
    stub.append("a", NO_STREAM, events(0..1)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert_eq!(stub.append("a", at(0), events(1..2)).await.unwrap_err().code(), Code::Aborted);
    let told = stub.append("a", at(1), events(2..3)).await.unwrap();
    assert_eq!(told, Told::Stored { revision: 2, position: None });
}

#[tokio::test]
async fn a_conflict_is_answered_before_the_other_event_can_be_read_and_that_may_vanish() {
    let (mut running, stub) = node("visibility-lag=60s").await;
    let first = hurried(&stub, "a", events(0..1)).await;
    assert_eq!(first.unwrap_err().code(), Code::DeadlineExceeded, "not shown, so not acknowledged");
    let second = stub.append("a", NO_STREAM, events(1..2)).await.unwrap();
    assert_eq!(second, Told::Wrong { current: Some(0) });
    assert!(stub.stored("a").await.is_empty());
    let repeat = hurried(&stub, "a", events(0..1)).await;
    assert_eq!(repeat.unwrap_err().code(), Code::DeadlineExceeded, "a repeat too early is dropped");

    // The lag is taken back after the restart: it would show the event, and keep it.
    running.restart().unwrap();
    running.faults().set(Faults::default());
    let stub = Stub::connect(running.address()).await;
    assert!(stub.stored("a").await.is_empty());
    assert!(matches!(stub.append("a", NO_STREAM, events(1..2)).await, Ok(Told::Stored { revision: 0, .. })));
}

#[tokio::test]
async fn a_live_subscription_is_dropped_when_more_than_32_events_wait() {
    let (_running, stub) = node("").await;
    let mut subscription = stub.open(follow(stream_from("a", FromRevision::Start(NONE)))).await.unwrap();
    next(&mut subscription).await.unwrap();
    assert!(matches!(next(&mut subscription).await.unwrap(), Content::CaughtUp(_)));
    stub.append("a", NO_STREAM, events(0..32)).await.unwrap();
    for n in 0..32 {
        assert_eq!(seen(&[next(&mut subscription).await.unwrap()])[0].1, id(n));
    }
    stub.append("a", at(31), events(32..65)).await.unwrap();
    let dropped = loop {
        if let Err(status) = next(&mut subscription).await {
            break status;
        }
    };
    assert_eq!(dropped.code(), Code::Aborted);
    let said = "Consumer too slow to handle event while live. Client resubscription required.";
    assert!(dropped.message().ends_with(said), "{dropped:?}");
}

#[tokio::test]
async fn told_so_a_subscription_falls_behind_instead() {
    let (_running, stub) = node("most-waiting=0").await;
    let mut subscription = stub.open(follow(stream_from("a", FromRevision::Start(NONE)))).await.unwrap();
    next(&mut subscription).await.unwrap();
    next(&mut subscription).await.unwrap();
    stub.append("a", NO_STREAM, events(0..1000)).await.unwrap();
    let mut messages = Vec::new();
    while !matches!(messages.last(), Some(Content::CaughtUp(_))) {
        messages.push(next(&mut subscription).await.unwrap());
    }
    assert!(matches!(messages[0], Content::FellBehind(_)));
    assert_eq!(seen(&messages).len(), 1000);
}

#[tokio::test]
async fn without_a_leader_nothing_is_written_and_a_follower_names_it() {
    let (running, stub) = node("").await;
    running.faults().set_leader(Leader::Nobody);
    assert_eq!(stub.append("a", ANY, events(0..1)).await.unwrap_err().code(), Code::Unavailable);
    let elsewhere = "127.0.0.1:4242".parse().unwrap();
    running.faults().set_leader(Leader::At(elsewhere));
    let refused = stub.append("a", ANY, events(0..1)).await.unwrap_err();
    assert_eq!(refused.metadata().get("exception").unwrap(), "not-leader");
    assert_eq!(refused.metadata().get("leader-endpoint-port").unwrap(), "4242");
    assert!(stub.stored("a").await.is_empty(), "a follower reads");
    let cluster: Cluster = stub.unary("/event_store.client.gossip.Gossip/Read", NONE).await.unwrap();
    assert_eq!(cluster.members[0].state, FOLLOWER);
    running.faults().set_leader(Leader::Here);
    stub.append("a", ANY, events(0..1)).await.unwrap();
}

#[tokio::test]
async fn a_seed_always_fails_the_same_appends() {
    let outcomes = async |seed: u64| {
        let (_running, stub) = node(&format!("seed={seed},timeout=0.2,no-position=0.2")).await;
        let mut outcomes = Vec::new();
        for n in 0..100 {
            outcomes.push(match stub.append(&format!("{n}"), ANY, events(n..n + 1)).await {
                Ok(Told::Stored { position, .. }) => position.is_some(),
                _ => false,
            });
        }
        outcomes
    };
    let first = outcomes(7).await;
    let failed = first.iter().filter(|well| !**well).count();
    assert!((25..55).contains(&failed), "{failed} of 100");
    assert_eq!(first, outcomes(7).await);
    assert_ne!(first, outcomes(8).await);
}
