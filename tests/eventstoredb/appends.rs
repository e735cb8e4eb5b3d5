//! These tests append to a node that does what it should.

use bookonce::domain::account::event::Fact;
use bookonce::domain::currency::Currency;
use bookonce::domain::metadata::Metadata;
use bookonce::store::eventstoredb::{Appended, MOST_BYTES, Patience, Proposed, Store};

use crate::{deposit_at, deposits, event, fresh, given, nodes, revisions, standin};

#[tokio::test]
async fn an_append_is_told_its_last_revision_and_position_and_read_back() {
    for node in nodes() {
        let (store, stream) = (node.store().await, fresh("alice"));
        let first = deposits(&stream, None, 0..1);
        assert_eq!((first.expected(), first.first_revision(), first.len()), (None, 0, 1));
        let Appended::Stored { last_revision: 0, position: Some(one) } = store.append(&stream, &first).await
        else {
            panic!("not stored")
        };
        let rest = deposits(&stream, Some((0, first.hash())), 1..4);
        let Appended::Stored { last_revision: 3, position: Some(last) } = store.append(&stream, &rest).await
        else {
            panic!("not stored")
        };
        let found = store.stream(&stream, 0, 10).await.unwrap();
        assert_eq!(revisions(&found), [0, 1, 2, 3]);
        assert_eq!((found[0].position, found[3].position), (one, last));
        assert!(first.is_stored_as(&found) && rest.is_stored_as(&found[1..]));
        assert!(!rest.is_stored_as(&found) && !rest.is_stored_as(&found[1..3]) && !rest.is_stored_as(&[]));
        let ids: Vec<_> = found[1..].iter().map(|event| event.event_id).collect();
        assert_eq!(rest.ids().collect::<Vec<_>>(), ids);
        // The chain runs along the stream.
        let hash = |at: usize| found[at].read().unwrap().line.hash;
        assert_eq!(hash(0), first.hash());
        assert_eq!(hash(0).then(&found[1].read().unwrap().canonical), hash(1));
        assert_eq!(hash(3), rest.hash());
    }
}

#[tokio::test]
async fn the_same_bytes_again_are_acknowledged_and_stored_once() {
    for node in nodes() {
        let (store, stream) = (node.store().await, fresh("alice"));
        let first = deposits(&stream, None, 0..3);
        let told = store.append(&stream, &first).await;
        let second = deposits(&stream, Some((2, first.hash())), 3..4);
        store.append(&stream, &second).await;
        for _ in 0..3 {
            assert_eq!(store.append(&stream, &first).await, told, "below the current revision");
        }
        // Encoded anew, by another instance, it is the same.
        assert_eq!(store.append(&stream, &deposits(&stream, None, 0..3)).await, told);
        assert_eq!(revisions(&store.stream(&stream, 0, 10).await.unwrap()), [0, 1, 2, 3]);
    }
}

#[tokio::test]
async fn another_event_at_the_same_revision_conflicts() {
    for node in nodes() {
        let (store, stream) = (node.store().await, fresh("alice"));
        store.append(&stream, &deposits(&stream, None, 0..1)).await;
        let mut other = Proposed::after(&stream, None);
        assert!(other.push(&deposit_at(&stream, 0, 99, 0)));
        assert_eq!(store.append(&stream, &other).await, Appended::Conflict);
        assert!(!other.is_stored_as(&store.stream(&stream, 0, 10).await.unwrap()));
        let mut early = Proposed::after(&stream, Some((4, other.hash())));
        assert!(early.push(&deposit_at(&stream, 5, 5, 0)));
        assert_eq!(store.append(&stream, &early).await, Appended::Conflict, "beyond the end");
    }
}

#[tokio::test]
async fn of_many_who_append_the_same_revision_one_wins() {
    for node in nodes() {
        let (store, stream) = (node.store().await, fresh("alice"));
        let tries = (0..16_u128).map(|n| {
            let (store, stream) = (store.clone(), stream.clone());
            tokio::spawn(async move {
                let mut proposed = Proposed::after(&stream, None);
                proposed.push(&deposit_at(&stream, 0, n, 0));
                store.append(&stream, &proposed).await
            })
        });
        let mut stored = 0;
        for told in tries.collect::<Vec<_>>() {
            match told.await.unwrap() {
                Appended::Stored { .. } => stored += 1,
                told => assert_eq!(told, Appended::Conflict),
            }
        }
        assert_eq!(stored, 1);
        assert_eq!(store.stream(&stream, 0, 10).await.unwrap().len(), 1);
    }
}

/// Catches: an append that the node refuses as too large, because the frame of each event was not counted.
#[tokio::test]
async fn an_append_is_cut_to_what_a_node_takes() {
    for node in nodes() {
        let (store, stream) = (node.store().await, fresh("alice"));
        for note in ["", &"é".repeat(90)] {
            let eur = Currency::parse("EUR").unwrap();
            let large = |revision| event(&stream, revision, 1, given::NOW, noted(note), eur);
            let found = store.stream_back(&stream, u64::MAX, 1).await.unwrap();
            let last = found.first().map(|last| (last.revision, last.read().unwrap().line.hash));
            let mut proposed = Proposed::after(&stream, last);
            let from = proposed.first_revision();
            while proposed.push(&large(from + proposed.len() as u64)) {}
            let (before, hash) = (proposed.len(), proposed.hash());
            assert!(!proposed.push(&large(from + before as u64)), "still full");
            assert_eq!((proposed.len(), proposed.hash()), (before, hash), "left as it was");
            assert!(before > 100 && before < MOST_BYTES / 400);
            let told = store.append(&stream, &proposed).await;
            assert!(matches!(told, Appended::Stored { .. }), "{before} events: {told:?}");
        }
    }
}

fn noted(note: &str) -> Fact {
    let note = [("note".to_owned(), note.to_owned())].into_iter().filter(|(_, note)| !note.is_empty());
    let metadata = Metadata::new(note.collect()).unwrap();
    Fact::AccountOpened { overdraft_limit: given::money("0", Currency::parse("EUR").unwrap()), metadata }
}

#[tokio::test]
async fn an_append_of_nothing_is_not_sent() {
    let running = standin("");
    let store = Store::with_patience(&running.connection_string(), Patience::default()).await.unwrap();
    let stream = fresh("alice");
    let told = store.append(&stream, &Proposed::after(&stream, None)).await;
    assert!(matches!(told, Appended::NotSent(_)), "{told:?}");
    assert_eq!(running.faults().counted().0, 0);
}

#[tokio::test]
async fn user_and_password_are_shown_nowhere() {
    let running = standin("");
    let connection = format!("esdb://admin:s3cret@{}?tls=false", running.address());
    let store = Store::new(&connection).await.unwrap();
    let stream = fresh("alice");
    assert!(matches!(store.append(&stream, &deposits(&stream, None, 0..1)).await, Appended::Stored { .. }));
    assert_eq!(store.shown(), format!("esdb://{}?tls=false", running.address()));
    assert!(!format!("{store:?}").contains("s3cret"));
}
