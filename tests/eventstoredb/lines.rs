//! These tests take an event's parts in the store and its line in the journal: they are the same bytes, cut and put
//! together again.

use bookonce::store::chain::Hash;
use bookonce::store::codec::{Encoder, decode};
use bookonce::store::eventstoredb::{Foreign, Proposed, Recorded, Store};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{arbitrary, each, fresh, nodes, stream};
use bookonce::domain::event::Event;

/// The event as the first of its stream, as the store gives it back.
async fn stored(store: &Store, event: &Event) -> Recorded {
    let mut proposed = Proposed::after(&event.stream, None);
    assert!(proposed.push(event));
    store.append(&event.stream, &proposed).await;
    let mut found = store.stream(&event.stream, 0, 2).await.unwrap();
    assert!(proposed.is_stored_as(&found));
    found.remove(0)
}

fn line(event: &Event, position: u64, previous: &Hash) -> Vec<u8> {
    let mut line = Vec::new();
    Encoder::default().line(event, position, previous, &mut line);
    assert_eq!(line.pop(), Some(b'\n'));
    line
}

#[tokio::test]
async fn each_kind_of_event_comes_back_as_the_codecs_line() {
    for node in nodes() {
        let store = node.store().await;
        for (what, mut event) in each::one_of_each() {
            let stream = fresh("alice");
            (event.stream, event.revision) = (stream.clone(), 0);
            let found = stored(&store, &event).await;
            let line = line(&event, found.position, &Hash::of_stream(&stream));
            assert_eq!(found.line().unwrap(), line, "{what}: {}", String::from_utf8_lossy(&line));
            let read = found.read().unwrap();
            assert_eq!(read.line.event, event, "{what}");
            assert_eq!(Hash::of_stream(&stream).then(&read.canonical), read.line.hash, "{what}");
            assert_eq!(found.stream_name(), Some(stream));
        }
    }
}

/// A runtime and a node that live for a whole property.
fn fixed() -> (tokio::runtime::Runtime, eventstore_standin::Running, Store) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = crate::standin("");
    let store = runtime.block_on(Store::new(&running.connection_string())).unwrap();
    (runtime, running, store)
}

#[test]
fn any_event_comes_back_as_the_codecs_line() {
    let (runtime, _running, store) = fixed();
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(mut event in arbitrary::event())| {
        event.stream = fresh("a");
        event.revision = 0;
        let found = runtime.block_on(stored(&store, &event));
        let line = line(&event, found.position, &Hash::of_stream(&event.stream));
        prop_assert_eq!(found.line().unwrap(), line.clone());
        prop_assert_eq!(found.read().unwrap().line.hash, decode(&line).unwrap().hash);
        let metadata: serde_json::Value = serde_json::from_slice(&found.metadata).unwrap();
        let keys: Vec<&String> = metadata.as_object().unwrap().keys().collect();
        prop_assert!(keys.len() == 8 || keys.len() == 9, "{:?}", keys);
    });
}

/// Catches: an event of somebody else's, or a changed one, that is taken for the ledger's.
#[tokio::test]
async fn what_this_program_did_not_write_is_foreign() {
    let running = crate::standin("");
    let store = Store::new(&running.connection_string()).await.unwrap();
    let right = stored(&store, &crate::deposit_at(&stream("alice"), 0, 1, 0)).await;
    assert!(right.line().is_ok());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (data, metadata) = (text(&right.data), text(&right.metadata));
    let with = |data: String, metadata: String| Recorded {
        data: data.into(),
        metadata: metadata.into(),
        ..right.clone()
    };
    let wrong = [
        Recorded { stream: "transfer-1".into(), ..right.clone() },
        Recorded { stream: "$$account-alice".into(), ..right.clone() },
        Recorded { stream: "account-bob".into(), ..right.clone() },
        Recorded { stream: "account-al ice".into(), ..right.clone() },
        Recorded { revision: 1, ..right.clone() },
        Recorded { event_id: Uuid::from_u128(7), ..right.clone() },
        Recorded { kind: "Withdrawn".into(), ..right.clone() },
        Recorded { kind: "Deposited\",\"x\":\"".into(), ..right.clone() },
        with(data.replace("7.00", "8.00"), metadata.clone()),
        with(data.clone(), metadata.replace("7.00", "8.00")),
        with(data.replace("{\"", "{ \""), metadata.clone()),
        with(data.clone(), metadata.replace("\"actor\"", "\"new\":1,\"actor\"")),
        with(data.clone(), metadata.replace("\"version\":1", "\"version\":2")),
        with(data.clone(), String::new()),
        with(data.clone(), "{}".to_owned()),
    ];
    for wrong in wrong {
        assert!(wrong.line().is_err() && wrong.read().is_err(), "{wrong:?}");
    }
    let other_hash =
        Recorded { metadata: metadata.replace("\"hash\":\"", "\"hash\":\"0").into(), ..right.clone() };
    assert!(matches!(other_hash.line(), Err(Foreign::Event(_))));
    let elsewhere = Recorded { stream: "transfer-1".into(), ..right };
    assert!(matches!(elsewhere.line(), Err(Foreign::Stream)) && elsewhere.stream_name().is_none());
}

#[test]
fn a_stream_has_a_beginning_of_its_own() {
    let hashes = ["alice", "alice2", "bob"].map(|name| Hash::of_stream(&stream(name)));
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
    // printf 'bookonce stream account-alice' | sha256sum
    let alice = "34a18aec9ac6f77d8e770fcb706eed8b87c377d4dadc1461c608955ba496181a";
    assert_eq!(hashes[0].to_string(), alice);
    assert_ne!(hashes[0].and(&hashes[1]), hashes[1].and(&hashes[0]));
}
