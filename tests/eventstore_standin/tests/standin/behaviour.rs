//! These tests hold what a real node was seen to do: idempotency by ids, positions, limits, deleted and cut streams,
//! subscriptions, and the log in a file.

use crate::stub::{
    ANY, NO_STREAM, NONE, Stub, Told, all_from, at, backwards, event, events, filtered, follow, id, limited,
    next, place, seen, stream_from,
};
use eventstore_standin::proto::append::{BatchRequest, BatchResult, Expected, Target, WrongVersionDetail};
use eventstore_standin::proto::cluster::{Cluster, LEADER, Supported};
use eventstore_standin::proto::read::{Content, Expression, FilterOn, FromPosition, FromRevision, IdChoice};
use eventstore_standin::proto::{Id, StreamName};
use eventstore_standin::{Options, Running, Standin};
use tonic::Code;

const START: FromRevision = FromRevision::Start(NONE);

async fn node() -> (Running, Stub) {
    let running = Standin::start(Options::default()).unwrap();
    let stub = Stub::connect(running.address()).await;
    (running, stub)
}

fn position(told: Told) -> u64 {
    match told {
        Told::Stored { position: Some(position), .. } => position,
        told => panic!("{told:?}"),
    }
}

#[tokio::test]
async fn ids_below_the_current_revision_are_acknowledged_again() {
    let (_running, stub) = node().await;
    let one = stub.append("a", NO_STREAM, events(0..1)).await.unwrap();
    let rest = stub.append("a", at(0), events(1..5)).await.unwrap();
    assert!(position(one) < position(rest));

    assert_eq!(stub.append("a", at(0), events(1..5)).await.unwrap(), rest);
    let other_bodies = (1..5).map(|n| event(n, "\"other\"")).collect();
    assert_eq!(stub.append("a", at(0), other_bodies).await.unwrap(), rest, "bodies are not compared");
    assert_eq!(stub.append("a", NO_STREAM, events(0..1)).await.unwrap(), one);
    let leading = stub.append("a", at(0), events(1..3)).await.unwrap();
    let third = seen(&stub.read(stream_from("a", FromRevision::Revision(2))).await.unwrap())[0].2;
    assert_eq!(leading, Told::Stored { revision: 2, position: Some(third) }, "a leading part is a repeat");

    let wrong = Told::Wrong { current: Some(4) };
    let mixed = vec![event(1, "{}"), event(99, "{}")];
    assert_eq!(stub.append("a", at(0), mixed).await.unwrap(), wrong, "one new id among them");
    assert_eq!(stub.append("a", at(1), events(1..2)).await.unwrap(), wrong, "stored, but not there");
    assert_eq!(stub.append("a", at(9), events(9..10)).await.unwrap(), wrong);
    assert_eq!(stub.append("b", at(0), events(0..1)).await.unwrap(), Told::Wrong { current: None });
    assert_eq!(stub.stored("a").await.len(), 5);
}

#[tokio::test]
async fn at_the_current_revision_nothing_is_compared() {
    let (_running, stub) = node().await;
    stub.append("a", NO_STREAM, events(0..1)).await.unwrap();
    stub.append("a", at(0), events(0..1)).await.unwrap();
    assert_eq!(stub.stored("a").await, [(0, id(0)), (1, id(0))]);
}

#[tokio::test]
async fn with_no_revision_ids_seen_lately_are_repeats_until_a_restart() {
    let (mut running, stub) = node().await;
    let first = stub.append("a", ANY, events(0..2)).await.unwrap();
    assert_eq!(stub.append("a", ANY, events(0..2)).await.unwrap(), first);
    assert_eq!(stub.append("a", Expected::StreamExists(NONE), events(0..2)).await.unwrap(), first);
    stub.append("b", ANY, events(0..2)).await.unwrap();
    running.restart().unwrap();
    let stub = Stub::connect(running.address()).await;
    stub.append("a", ANY, events(0..2)).await.unwrap();
    assert_eq!(stub.stored("a").await.len(), 4, "forgotten, so doubled");
}

#[tokio::test]
async fn an_append_holds_at_most_a_mebibyte() {
    let (_running, stub) = node().await;
    let room = 1_048_576 - 2 * "Deposited".len();
    let refused = stub.append("a", ANY, vec![event(0, &"x".repeat(room + 1))]).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message(), "Maximum Append Size of 1048576 Exceeded.");
    stub.append("a", ANY, vec![event(0, &"x".repeat(room))]).await.unwrap();
}

#[tokio::test]
async fn a_deleted_stream_is_not_found_and_goes_on_at_its_old_count() {
    let (_running, stub) = node().await;
    stub.append("a", NO_STREAM, events(0..4)).await.unwrap();
    stub.delete("a", at(3)).await.unwrap();
    let read = stub.read(stream_from("a", START)).await.unwrap();
    assert!(matches!(&read[..], [Content::StreamNotFound(_)]));
    let told = stub.append("a", NO_STREAM, events(4..5)).await.unwrap();
    assert!(matches!(told, Told::Stored { revision: 4, .. }));
    assert_eq!(stub.stored("a").await, [(4, id(4))]);
    let wrong = stub.delete("a", at(2)).await.unwrap_err();
    assert_eq!(wrong.code(), Code::FailedPrecondition);
    assert_eq!(wrong.metadata().get("exception").unwrap(), "wrong-expected-version");
}

#[tokio::test]
async fn metadata_cuts_a_stream_without_a_word() {
    let (_running, stub) = node().await;
    stub.append("a", NO_STREAM, events(0..6)).await.unwrap();
    for (metadata, first) in [("{\"$maxCount\":2}", 4), ("{\"$tb\":3}", 3), ("{\"$maxAge\":3600}", 0)] {
        stub.append("$$a", ANY, vec![event(1000 + first, metadata)]).await.unwrap();
        assert_eq!(stub.stored("a").await.first(), Some(&(u64::try_from(first).unwrap(), id(first))));
    }
    assert_eq!(stub.stored("$$a").await.len(), 1, "a metadata stream shows its last event");
    stub.append("$$a", ANY, vec![event(2000, "{\"$maxAge\":0}")]).await.unwrap();
    let read = stub.read(stream_from("a", START)).await.unwrap();
    assert!(seen(&read).is_empty() && !matches!(read[0], Content::StreamNotFound(_)));
}

#[tokio::test]
async fn streams_and_all_are_read_both_ways_from_any_place() {
    let (_running, stub) = node().await;
    for n in 0..5 {
        stub.append("a", ANY, events(2 * n..2 * n + 1)).await.unwrap();
        stub.append("b", ANY, events(2 * n + 1..2 * n + 2)).await.unwrap();
    }
    let all = seen(&stub.read(all_from(FromPosition::Start(NONE))).await.unwrap());
    assert_eq!(all.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), (0..10).map(id).collect::<Vec<_>>());
    assert!(all.is_sorted_by_key(|(_, _, position)| *position));
    let ids =
        |messages: Vec<Content>| seen(&messages).iter().map(|(_, id, _)| id.as_u128()).collect::<Vec<_>>();
    let from = place(all[4].2);
    assert_eq!(ids(stub.read(limited(all_from(from), 3)).await.unwrap()), [4, 5, 6], "it starts at it");
    assert_eq!(ids(stub.read(limited(backwards(all_from(from)), 2)).await.unwrap()), [3, 2], "before it");
    let end = all_from(FromPosition::End(NONE));
    assert_eq!(ids(stub.read(limited(backwards(end), 2)).await.unwrap()), [9, 8]);
    let stream = |from| stream_from("b", from);
    assert_eq!(ids(stub.read(stream(FromRevision::Revision(3))).await.unwrap()), [7, 9]);
    assert_eq!(ids(stub.read(backwards(stream(FromRevision::Revision(1)))).await.unwrap()), [3, 1]);
    assert_eq!(ids(stub.read(limited(backwards(stream(FromRevision::End(NONE))), 1)).await.unwrap()), [9]);
    let mut structured = stream(START);
    structured.id_form = Some(IdChoice { wanted: None });
    assert_eq!(ids(stub.read(structured).await.unwrap()), [1, 3, 5, 7, 9]);

    let by_prefix = FilterOn::Stream(Expression { regex: String::new(), prefix: vec!["b".to_owned()] });
    let by_type = FilterOn::EventType(Expression { regex: "^(?!(Dep.*)$)".to_owned(), prefix: Vec::new() });
    let start = || all_from(FromPosition::Start(NONE));
    assert_eq!(ids(stub.read(filtered(start(), by_prefix)).await.unwrap()), [1, 3, 5, 7, 9]);
    assert!(ids(stub.read(filtered(start(), by_type)).await.unwrap()).is_empty());
}

#[tokio::test]
async fn a_subscription_confirms_catches_up_goes_live_and_resumes_after_its_place() {
    let (_running, stub) = node().await;
    stub.append("a", NO_STREAM, events(0..40)).await.unwrap();
    stub.append("b", NO_STREAM, events(40..41)).await.unwrap();
    let position = seen(&stub.read(stream_from("a", START)).await.unwrap())[37].2;
    let prefix = FilterOn::Stream(Expression { regex: String::new(), prefix: vec!["a".to_owned()] });
    let mut all = stub.open(follow(filtered(all_from(place(position)), prefix))).await.unwrap();
    let mut stream = stub.open(follow(stream_from("a", FromRevision::Revision(37)))).await.unwrap();
    for subscription in [&mut all, &mut stream] {
        assert!(matches!(next(subscription).await.unwrap(), Content::Confirmation(_)));
        for n in [38, 39] {
            assert_eq!(seen(&[next(subscription).await.unwrap()])[0].1, id(n));
        }
        assert!(matches!(next(subscription).await.unwrap(), Content::CaughtUp(_)));
    }
    stub.append("b", at(0), events(50..80)).await.unwrap();
    let Content::Checkpoint(checkpoint) = next(&mut all).await.unwrap() else { panic!("no checkpoint") };
    assert!(checkpoint.commit > position, "a checkpoint says how far the filter has looked");
    stub.append("a", at(39), events(90..91)).await.unwrap();
    for subscription in [&mut all, &mut stream] {
        assert_eq!(seen(&[next(subscription).await.unwrap()])[0].1, id(90));
    }
}

#[tokio::test]
async fn a_batch_is_answered_item_by_item_with_what_went_wrong() {
    let (_running, stub) = node().await;
    let item = |n: u128, expected, ids| BatchRequest {
        correlation: Some(Id::text(id(n))),
        target: Some(Target { stream: Some(StreamName::new("a")), expected: Some(expected) }),
        events: events(ids),
        last: true,
    };
    let stored = stub.batch(vec![item(1, NO_STREAM, 0..3)]).await.unwrap();
    assert!(matches!(stored[0].result, Some(BatchResult::Success(_))));
    let refused = stub.batch(vec![item(2, at(0), 7..8)]).await.unwrap();
    assert_eq!(refused[0].correlation, Some(Id::text(id(2))));
    let Some(BatchResult::Error(status)) = &refused[0].result else { panic!("{refused:?}") };
    let detail = status.detail.as_ref().unwrap();
    assert!(detail.type_url.ends_with("/event_store.client.WrongExpectedVersion"));
    let detail: WrongVersionDetail = prost::Message::decode(detail.value.as_slice()).unwrap();
    assert_eq!((detail.current, detail.expected), (Some(2), Some(0)));
}

#[tokio::test]
async fn it_says_which_calls_it_has_and_that_it_leads() {
    let (running, stub) = node().await;
    let supported: Supported = stub
        .unary("/event_store.client.server_features.ServerFeatures/GetSupportedMethods", NONE)
        .await
        .unwrap();
    assert!(supported.methods.iter().any(|method| method.name == "batchappend"));
    let cluster: Cluster = stub.unary("/event_store.client.gossip.Gossip/Read", NONE).await.unwrap();
    let [member] = &cluster.members[..] else { panic!("{cluster:?}") };
    assert_eq!(member.state, LEADER);
    assert_eq!(member.end_point.as_ref().unwrap().port, u32::from(running.address().port()));
}

#[tokio::test]
async fn the_log_is_read_again_at_start_and_a_torn_end_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("log");
    let options = || Options { data: Some(data.clone()), ..Options::default() };
    let mut running = Standin::start(options()).unwrap();
    let stub = Stub::connect(running.address()).await;
    stub.append("a", NO_STREAM, events(0..3)).await.unwrap();
    let whole = std::fs::metadata(&data).unwrap().len();
    stub.append("a", at(2), events(3..6)).await.unwrap();
    stub.delete("b", ANY).await.unwrap();
    let all = stub.read(all_from(FromPosition::Start(NONE))).await.unwrap();
    running.restart().unwrap();
    let stub = Stub::connect(running.address()).await;
    assert_eq!(stub.read(all_from(FromPosition::Start(NONE))).await.unwrap(), all);

    running.stop().unwrap();
    std::fs::OpenOptions::new().write(true).open(&data).unwrap().set_len(whole + 100).unwrap();
    running.start().unwrap();
    let stub = Stub::connect(running.address()).await;
    assert_eq!(stub.stored("a").await.len(), 3, "an append is there whole or not at all");
    assert_eq!(std::fs::metadata(&data).unwrap().len(), whole);
    stub.append("a", at(2), events(9..10)).await.unwrap();
    drop(running);
    let running = Standin::start(options()).unwrap();
    assert_eq!(Stub::connect(running.address()).await.stored("a").await.len(), 4);
}
