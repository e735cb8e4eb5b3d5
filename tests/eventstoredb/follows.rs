//! These tests follow the journal while the node drops its subscribers: what must come does come, and nothing comes
//! twice.

use std::sync::Arc;

use bookonce::store::eventstoredb::{Error, Follow, Followed, Store};
use eventstore::{AppendToStreamOptions, EventData, StreamMetadataBuilder};
use tokio::sync::Notify;

use crate::{PATIENCE, deposits, events, fill, fresh, hurried, nodes, revisions, standin};

async fn next(follow: &mut Follow) -> Result<Followed, Error> {
    tokio::time::timeout(PATIENCE, follow.next()).await.expect("it hangs")
}

#[tokio::test]
async fn what_is_there_comes_first_then_what_is_new_and_of_the_ledger_only() {
    for node in nodes() {
        let (store, client, stream) = (node.store().await, node.raw().await, fresh("alice"));
        let first = deposits(&stream, None, 0..2);
        store.append(&stream, &first).await;
        let start = store.stream(&stream, 0, 1).await.unwrap()[0].position;
        let mut follow = store.follow(Some(start)).await.unwrap();
        let mut seen = Vec::new();
        while seen.len() < 3 {
            match next(&mut follow).await.unwrap() {
                Followed::CaughtUp => {
                    let other = EventData::json("Something", &1).unwrap();
                    let options = AppendToStreamOptions::default();
                    client.append_to_stream(format!("others-{stream}"), &options, other).await.unwrap();
                    let cut = StreamMetadataBuilder::new().max_count(7).build();
                    client.set_stream_metadata(stream.to_string(), &options, &cut).await.unwrap();
                    store.append(&stream, &deposits(&stream, Some((1, first.hash())), 2..3)).await;
                }
                Followed::Event(event) if event.stream_name().as_ref() == Some(&stream) => seen.push(event),
                // A real node may be in use by others.
                Followed::Event(event) => assert!(node.running.is_none(), "{event:?}"),
            }
        }
        assert_eq!(revisions(&seen), [1, 0, 2], "its own event is not repeated; the metadata's comes too");
        assert!(seen[1].is_metadata() && !seen[2].is_metadata());
    }
}

/// A reader's rest after its first events, in which the node gets more to say than it lets anybody wait for.
///
/// Without it a node drops a subscriber only where the writers happen to be faster, which no machine promises.
#[derive(Default)]
struct Rest {
    begun: Notify,
    over: Notify,
}

/// Follows until so many events have been seen, from after the last one each time the subscription ends. Gives their
/// positions, and how often one ended.
async fn follow_through(store: &Store, count: usize, rest: &Rest) -> (Vec<u64>, usize) {
    let (mut seen, mut ends) = (Vec::<u64>::new(), 0);
    while seen.len() < count {
        let Ok(mut follow) = store.follow(seen.last().copied()).await else { continue };
        while seen.len() < count {
            let next = tokio::time::timeout(PATIENCE, follow.next_many(64));
            let Ok(many) = next.await.expect("it hangs") else {
                ends += 1;
                break;
            };
            assert!(!many.is_empty() && many.len() <= 64);
            let first = seen.is_empty();
            seen.extend(events(many).into_iter().map(|event| event.position));
            if first && !seen.is_empty() {
                rest.begun.notify_one();
                rest.over.notified().await;
            }
        }
    }
    (seen, ends)
}

async fn write(store: &Store, accounts: usize, each: u64) {
    let writers = (0..accounts).map(|_| {
        let store = store.clone();
        async move { fill(&store, &fresh("a"), each).await }
    });
    futures_util::future::join_all(writers).await;
}

/// Catches: an event skipped or repeated where a subscription was taken up again.
#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_skipped_or_repeated_over_drops() {
    for (faults, drops) in [("most-waiting=32", true), ("most-waiting=0", false)] {
        let running = standin(faults);
        let store = Store::new(&running.connection_string()).await.unwrap();
        let rest = Arc::new(Rest::default());
        let following = tokio::spawn({
            let (store, rest) = (store.clone(), Arc::clone(&rest));
            async move { follow_through(&store, 12_001, &rest).await }
        });
        write(&store, 1, 1).await;
        rest.begun.notified().await;
        write(&store, 4, 1_500).await;
        rest.over.notify_one();
        write(&store, 4, 1_500).await;
        let (seen, ends) = following.await.unwrap();
        let journal = store.journal(0, 20_000).await.unwrap();
        let journal: Vec<_> = journal.iter().map(|event| event.position).collect();
        assert!(seen == journal, "each once, in the order of $all");
        assert!(!drops || ends > 0, "the node never dropped it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_lives_through_restarts_and_cuts() {
    let mut running = standin("");
    let store = hurried(&running).await;
    let stream = fresh("alice");
    let (mut last, mut seen, mut after) = (None, Vec::new(), None);
    for round in 0..6_u64 {
        match round % 3 {
            1 => running.restart().unwrap(),
            2 => running.cut_connections(),
            _ => {}
        }
        let proposed = deposits(&stream, last, round..round + 1);
        while !matches!(
            store.append(&stream, &proposed).await,
            bookonce::store::eventstoredb::Appended::Stored { .. }
        ) {}
        last = Some((round, proposed.hash()));
        while seen.len() <= usize::try_from(round).unwrap() {
            let Ok(mut follow) = store.follow(after).await else { continue };
            while let Ok(followed) = next(&mut follow).await {
                if let Followed::Event(event) = followed {
                    after = Some(event.position);
                    seen.push(event.revision);
                    break;
                }
            }
        }
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_subscription_that_is_over_says_so_again_and_again() {
    let mut running = standin("");
    let store = hurried(&running).await;
    let mut follow = store.follow(None).await.unwrap();
    while next(&mut follow).await.unwrap() != Followed::CaughtUp {}
    running.stop().unwrap();
    for _ in 0..3 {
        assert!(matches!(next(&mut follow).await, Err(Error::Dropped(_))));
        assert!(matches!(follow.next_many(5).await, Err(Error::Dropped(_))));
    }
}
