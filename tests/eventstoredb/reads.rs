//! These tests read streams both ways, what cuts them, one position, and the journal among the events of others.

use bookonce::store::eventstoredb::{Appended, Error, Proposed};
use eventstore::{
    AppendToStreamOptions, DeleteStreamOptions, EventData, StreamMetadataBuilder, TombstoneStreamOptions,
};

use crate::{deposit_at, deposits, fill, fresh, nodes, revisions, standin};

#[tokio::test]
async fn a_stream_is_read_both_ways_in_pages() {
    for node in nodes() {
        let (store, stream) = (node.store().await, fresh("alice"));
        assert!(store.stream(&stream, 0, 10).await.unwrap().is_empty(), "there is none");
        assert!(store.stream_back(&stream, u64::MAX, 10).await.unwrap().is_empty());
        let hash = fill(&store, &stream, 10_000).await;
        let (mut forwards, mut previous) = (Vec::new(), bookonce::store::chain::Hash::of_stream(&stream));
        loop {
            let page = store.stream(&stream, forwards.len() as u64, 999).await.unwrap();
            if page.is_empty() {
                break;
            }
            for event in &page {
                previous = previous.then(&event.read().unwrap().canonical);
            }
            forwards.extend(revisions(&page));
        }
        assert_eq!(forwards, (0..10_000).collect::<Vec<_>>());
        assert_eq!(previous, hash, "the chain runs through");
        let back = store.stream_back(&stream, 9_998, 3).await.unwrap();
        assert_eq!(revisions(&back), [9_998, 9_997, 9_996]);
        for from in [u64::MAX, i64::MAX as u64, 20_000] {
            assert_eq!(revisions(&store.stream_back(&stream, from, 2).await.unwrap()), [9_999, 9_998]);
            assert!(store.stream(&stream, from, 2).await.unwrap().is_empty());
        }
        assert_eq!(revisions(&store.stream_back(&stream, 1, 10).await.unwrap()), [1, 0]);
        assert!(store.stream(&stream, 0, 0).await.unwrap().is_empty());
        assert_eq!(store.stream(&stream, 0, 20_000).await.unwrap().len(), 10_000);
    }
}

#[tokio::test]
async fn a_deleted_stream_is_empty_and_cut_says_so() {
    for node in nodes() {
        let (store, client, stream) = (node.store().await, node.raw().await, fresh("alice"));
        let first = deposits(&stream, None, 0..4);
        store.append(&stream, &first).await;
        assert_eq!(store.cut(&stream).await, Ok(None));
        client.delete_stream(stream.to_string(), &DeleteStreamOptions::default()).await.unwrap();
        assert!(store.stream(&stream, 0, 10).await.unwrap().is_empty());
        assert_eq!(store.cut(&stream).await, Ok(Some("deleted".to_owned())));
        // The store would go on at revision 4 as if nothing had been: that is what cut is for.
        let mut anew = Proposed::after(&stream, None);
        anew.push(&deposit_at(&stream, 0, 99, 0));
        let told = store.append(&stream, &anew).await;
        assert!(matches!(told, Appended::Stored { last_revision: 4, .. }), "{told:?}");
        assert!(store.cut(&stream).await.unwrap().is_some());
        let found = store.stream(&stream, 0, 10).await.unwrap();
        assert_eq!(revisions(&found), [4]);
        assert!(found[0].read().is_err() && !anew.is_stored_as(&found), "revision 0 is in its bytes");
    }
}

#[tokio::test]
async fn a_tombstone_is_an_error_everywhere() {
    for node in nodes() {
        let (store, client, stream) = (node.store().await, node.raw().await, fresh("alice"));
        let first = deposits(&stream, None, 0..4);
        store.append(&stream, &first).await;
        client.tombstone_stream(stream.to_string(), &TombstoneStreamOptions::default()).await.unwrap();
        assert_eq!(store.stream(&stream, 0, 10).await, Err(Error::Deleted));
        assert_eq!(store.stream_back(&stream, 3, 10).await, Err(Error::Deleted));
        assert_eq!(store.cut(&stream).await, Err(Error::Deleted));
        let next = deposits(&stream, Some((3, first.hash())), 4..5);
        assert_eq!(store.append(&stream, &next).await, Appended::Deleted);
    }
}

#[tokio::test]
async fn metadata_that_cuts_a_stream_is_found() {
    for node in nodes() {
        let (store, client) = (node.store().await, node.raw().await);
        for (metadata, says) in [
            (StreamMetadataBuilder::new().max_count(2), Some("$maxCount is 2")),
            (StreamMetadataBuilder::new().max_age(std::time::Duration::from_secs(60)), Some("$maxAge is ")),
            (StreamMetadataBuilder::new().truncate_before(2), Some("$tb is 2")),
            (StreamMetadataBuilder::new().insert_custom_property("owner", "branch 7"), None),
        ] {
            let stream = fresh("alice");
            store.append(&stream, &deposits(&stream, None, 0..4)).await;
            let options = AppendToStreamOptions::default();
            client.set_stream_metadata(stream.to_string(), &options, &metadata.build()).await.unwrap();
            let cut = store.cut(&stream).await.unwrap();
            match says {
                Some(says) => assert!(cut.as_deref().unwrap_or_default().starts_with(says), "{cut:?}"),
                None => assert_eq!(cut, None),
            }
        }
    }
}

async fn foreign(client: &eventstore::Client, count: usize) {
    let events = (0..count).map(|n| EventData::json("Something", &n).unwrap()).collect::<Vec<_>>();
    let stream = format!("others-{}", uuid::Uuid::new_v4());
    client.append_to_stream(stream, &AppendToStreamOptions::default(), events).await.unwrap();
}

#[tokio::test]
async fn the_journal_reads_on_over_what_is_not_the_ledgers() {
    for node in nodes() {
        let (store, client) = (node.store().await, node.raw().await);
        let (alice, bob) = (fresh("alice"), fresh("bob"));
        let Appended::Stored { position: Some(start), .. } =
            store.append(&alice, &deposits(&alice, None, 0..1)).await
        else {
            panic!("not stored")
        };
        foreign(&client, 9_000).await;
        store.append(&bob, &deposits(&bob, None, 0..3)).await;
        foreign(&client, 10).await;
        let found = store.journal(start, 100).await.unwrap();
        let found: Vec<_> =
            found.into_iter().filter(|event| event.stream_name().as_ref() == Some(&bob)).collect();
        assert_eq!(revisions(&found), [0, 1, 2]);
        assert!(found[0].position < found[1].position && found[1].position < found[2].position);
        assert_eq!(store.journal(start, 2).await.unwrap().len(), 2, "at most so many");
        let last = found[2].position;
        let rest = store.journal(last, 100).await.unwrap();
        assert!(rest.iter().all(|event| event.position > last));
        // One by one, each from the one before, none is missed and none comes twice.
        let (mut at, mut one_by_one) = (start, Vec::new());
        while at < last {
            let next = store.journal(at, 1).await.unwrap().remove(0);
            at = next.position;
            one_by_one.push(next);
        }
        assert!(one_by_one.ends_with(&found[2..]) && one_by_one.len() >= 3);

        assert_eq!(store.at(last).await.unwrap().unwrap(), found[2]);
        for nowhere in [last + 1, last - 1] {
            assert_eq!(store.at(nowhere).await.unwrap(), None, "{nowhere}");
        }
    }
}

#[tokio::test]
async fn a_journal_of_nothing_is_empty() {
    let running = standin("");
    let store = crate::hurried(&running).await;
    assert!(store.journal(0, 10).await.unwrap().is_empty());
    assert_eq!(store.at(8).await.unwrap(), None);
    let stream = fresh("alice");
    store.append(&stream, &deposits(&stream, None, 0..2)).await;
    assert_eq!(store.journal(0, 10).await.unwrap().len(), 2, "from the very start");
    assert!(store.journal(0, 0).await.unwrap().is_empty());
}
