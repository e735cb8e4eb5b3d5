//! These tests append while something goes wrong: "unknown" is said whenever it could be true, and "not sent" only when
//! it is certain.

use std::time::{Duration, Instant};

use bookonce::store::eventstoredb::{Appended, Error, Proposed, Store};

use crate::{PATIENCE, deposit_at, deposits, fresh, hurried, revisions, standin};
use eventstore_standin::faults::{Fault, Faults, Leader};
use eventstore_standin::{Options, Running, Standin};

/// The first append to a stream meets the fault; then the same bytes are sent until they are acknowledged.
async fn unknown_then_stored_once(faults: &str, fault: Fault) {
    let running = standin(faults);
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    let other = fresh("bob");
    store.append(&other, &deposits(&other, None, 0..1)).await;
    running.faults().plant(0, fault);
    let proposed = deposits(&stream, None, 0..3);
    let told = store.append(&stream, &proposed).await;
    assert!(matches!(told, Appended::Unknown(_)), "{fault:?}: {told:?}");
    stored_in_the_end(&store, &proposed, &stream).await;
}

async fn stored_in_the_end(
    store: &Store,
    proposed: &Proposed,
    stream: &bookonce::domain::stream::StreamName,
) {
    let begun = Instant::now();
    let told = loop {
        match store.append(stream, proposed).await {
            Appended::Unknown(_) | Appended::NotSent(Error::Unreachable(_)) => {
                assert!(begun.elapsed() < PATIENCE, "never acknowledged");
            }
            told => break told,
        }
    };
    let last = proposed.first_revision() + proposed.len() as u64 - 1;
    assert!(matches!(told, Appended::Stored { last_revision, .. } if last_revision == last), "{told:?}");
    let found = store.stream(stream, proposed.first_revision(), 100).await.unwrap();
    assert!(proposed.is_stored_as(&found) && found.len() == proposed.len(), "once");
}

/// Long after the deadline, however late the deadline is noticed.
const LATE: Fault = Fault::Late(Duration::from_secs(20));

#[tokio::test]
async fn an_append_that_may_have_been_stored_is_unknown() {
    for fault in
        [Fault::LostRequest, Fault::LostAnswer, LATE, Fault::CutBefore, Fault::CutAfter, Fault::Timeout]
    {
        unknown_then_stored_once("", fault).await;
    }
}

/// Nobody keeps the deadline but the adapter itself.
#[tokio::test]
async fn an_append_to_a_silent_node_is_unknown_in_time() {
    for fault in [Fault::LostRequest, Fault::LostAnswer, LATE] {
        tokio::time::timeout(PATIENCE, unknown_then_stored_once("silent", fault)).await.expect("it hangs");
    }
}

#[tokio::test]
async fn an_acknowledgement_without_a_position_is_one() {
    let running = standin("");
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    running.faults().plant(0, Fault::NoPosition);
    let told = store.append(&stream, &deposits(&stream, None, 0..2)).await;
    assert_eq!(told, Appended::Stored { last_revision: 1, position: None });
}

#[tokio::test]
async fn a_conflict_may_come_before_the_other_event_can_be_read() {
    let running = standin("visibility-lag=60s");
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    let first = deposits(&stream, None, 0..1);
    assert!(matches!(store.append(&stream, &first).await, Appended::Unknown(_)), "not shown, so not told");
    let mut other = Proposed::after(&stream, None);
    other.push(&deposit_at(&stream, 0, 99, 0));
    assert_eq!(store.append(&stream, &other).await, Appended::Conflict);
    assert!(store.stream(&stream, 0, 10).await.unwrap().is_empty());
    assert!(matches!(store.append(&stream, &first).await, Appended::Unknown(_)), "a repeat too early");
}

#[tokio::test]
async fn without_a_leader_it_is_never_said_to_be_stored_or_refused() {
    let running = standin("");
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    let proposed = deposits(&stream, None, 0..1);
    running.faults().set_leader(Leader::Nobody);
    let told = store.append(&stream, &proposed).await;
    assert!(matches!(told, Appended::Unknown(_) | Appended::NotSent(Error::Unreachable(_))), "{told:?}");
    assert!(store.stream(&stream, 0, 1).await.is_err(), "a read for the clerk does not go to a follower");
    running.faults().set_leader(Leader::Here);
    stored_in_the_end(&store, &proposed, &stream).await;
}

#[tokio::test]
async fn a_follower_names_the_leader_and_the_store_goes_there() {
    let (leader, follower) = (standin(""), standin(""));
    follower.faults().set_leader(Leader::At(leader.address()));
    let (store, stream) = (hurried(&follower).await, fresh("alice"));
    let proposed = deposits(&stream, None, 0..1);
    let told = store.append(&stream, &proposed).await;
    assert!(matches!(told, Appended::NotSent(Error::Unreachable(_))), "refused by rule: {told:?}");
    stored_in_the_end(&store, &proposed, &stream).await;
    assert_eq!(follower.faults().counted().0, 0);
}

/// A node that is not there, at an address that will have one.
fn down() -> Running {
    let mut running = Standin::start(Options::default()).unwrap();
    running.stop().unwrap();
    running
}

#[tokio::test]
async fn when_the_node_is_down_nothing_was_sent_and_when_it_is_back_the_same_store_works() {
    let mut running = down();
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    let proposed = deposits(&stream, None, 0..1);
    for _ in 0..3 {
        let told = store.append(&stream, &proposed).await;
        assert!(matches!(told, Appended::NotSent(Error::Unreachable(_))), "{told:?}");
        assert!(matches!(store.stream(&stream, 0, 1).await, Err(Error::Unreachable(_))));
        assert!(matches!(store.journal(0, 1).await, Err(Error::Unreachable(_))));
        assert!(store.follow(None).await.is_err());
    }
    running.start().unwrap();
    stored_in_the_end(&store, &proposed, &stream).await;
    assert_eq!(store.journal(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_node_that_stops_under_a_connection_is_known_not_to_have_been_asked() {
    let mut running = standin("");
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    let first = deposits(&stream, None, 0..1);
    store.append(&stream, &first).await;
    running.stop().unwrap();
    let second = deposits(&stream, Some((0, first.hash())), 1..2);
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(store.append(&stream, &second).await);
    }
    // The first may have met the connection's last moment; with none left nothing can be sent.
    assert!(told.iter().all(|told| matches!(told, Appended::Unknown(_) | Appended::NotSent(_))), "{told:?}");
    assert!(matches!(told.last(), Some(Appended::NotSent(Error::Unreachable(_)))), "{told:?}");
    running.start().unwrap();
    stored_in_the_end(&store, &second, &stream).await;
}

/// Every append is repeated until it is known. Catches: an event lost or doubled, an order changed, a client that stays
/// dead, "not sent" of what was stored (the repeat after it would be decided anew).
#[tokio::test(flavor = "multi_thread")]
async fn restarts_and_faults_under_load_lose_and_double_nothing() {
    let faults = "seed=3,lost-request=0.02,lost-answer=0.05,cut-before=0.01,cut-after=0.02,timeout=0.03,\
                  late=0.02:400ms";
    let mut running = standin(faults);
    let store = hurried(&running).await;
    let writers = (0..8).map(|_| {
        let (store, stream) = (store.clone(), fresh("a"));
        tokio::spawn(async move {
            let mut last = None;
            for n in 0..40 {
                let proposed = deposits(&stream, last, n..n + 1);
                loop {
                    match store.append(&stream, &proposed).await {
                        Appended::Stored { last_revision, .. } => break assert_eq!(last_revision, n),
                        Appended::Unknown(_) | Appended::NotSent(Error::Unreachable(_)) => {}
                        told => panic!("{told:?}"),
                    }
                }
                last = Some((n, proposed.hash()));
            }
            stream
        })
    });
    let writers: Vec<_> = writers.collect();
    for appends in [50, 120, 200] {
        while running.faults().counted().0 < appends {
            tokio::task::yield_now().await;
        }
        running.restart().unwrap();
    }
    for writer in writers {
        let stream = writer.await.unwrap();
        let found = loop {
            if let Ok(found) = store.stream(&stream, 0, 100).await {
                break found;
            }
        };
        assert_eq!(revisions(&found), (0..40).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_node_that_takes_too_long_is_tried_again_on_a_new_connection() {
    let running = standin("silent");
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    let proposed = deposits(&stream, None, 0..1);
    running.faults().plant(0, Fault::LostAnswer);
    let told = tokio::time::timeout(PATIENCE, store.append(&stream, &proposed)).await.expect("it hangs");
    assert!(matches!(told, Appended::Unknown(_)), "{told:?}");
    running.faults().set(Faults::default());
    stored_in_the_end(&store, &proposed, &stream).await;
}

/// A connection takes a hundred calls at once: what waits behind them may still have gone out, or not.
#[tokio::test]
async fn what_is_said_not_to_be_sent_behind_unanswered_appends_is_not_stored() {
    let running = standin("silent,lost-answer=1");
    let store = hurried(&running).await;
    let streams: Vec<_> = (0..150).map(|_| fresh("a")).collect();
    let tries = streams.iter().map(async |stream| {
        let proposed = deposits(stream, None, 0..1);
        store.append(stream, &proposed).await
    });
    let told = futures_util::future::join_all(tries).await;
    running.faults().set(Faults::default());
    for (stream, told) in streams.iter().zip(told) {
        let found = store.stream(stream, 0, 10).await.unwrap();
        match told {
            Appended::NotSent(Error::Unreachable(_)) => assert!(found.is_empty(), "it was sent"),
            told => assert!(matches!(told, Appended::Unknown(_)), "{told:?}"),
        }
    }
}

/// The connection is gone and a new one hangs half-way. Catches: "unknown" of what can't have been sent.
#[tokio::test]
async fn while_a_connection_is_not_made_nothing_was_sent() {
    let mut running = standin("");
    let (store, stream) = (hurried(&running).await, fresh("alice"));
    let first = deposits(&stream, None, 0..1);
    store.append(&stream, &first).await;
    running.stop().unwrap();
    // Somebody listens there and takes nobody in: the next connection is not answered at all.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(running.address()).unwrap();
    let _deaf = socket.listen(1).unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(one)) =
        tokio::time::timeout(Duration::from_millis(50), tokio::net::TcpStream::connect(running.address()))
            .await
    {
        waiting.push(one);
    }
    let second = deposits(&stream, Some((0, first.hash())), 1..2);
    let told = store.append(&stream, &second).await;
    assert_eq!(told, Appended::NotSent(Error::Unreachable("no answer in time".to_owned())));
}
