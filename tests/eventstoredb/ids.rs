//! These tests show why an event's id is made of all of its bytes: the store compares ids, and never bodies.

use std::collections::BTreeSet;

use bookonce::store::chain;
use bookonce::store::codec::Encoder;
use bookonce::store::eventstoredb::{Appended, Proposed, Store};
use eventstore::{AppendToStreamOptions, EventData, ExpectedRevision};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{arbitrary, deposit_at, fresh, nodes, raw};

fn id(event: &bookonce::domain::event::Event) -> Uuid {
    chain::event_id(Encoder::default().parts(event).canonical)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_share_an_id_exactly_when_they_are_equal(a in arbitrary::event(), b in arbitrary::event(), n in 1..1_000_i64) {
        prop_assert_eq!(id(&a), id(&a.clone()));
        prop_assert_eq!(id(&a) == id(&b), a == b);
        let mut later = a.clone();
        later.recorded_at = bookonce::domain::time::Timestamp::from_micros(a.recorded_at.micros() + n);
        prop_assert_ne!(id(&a), id(&later));
        let next = bookonce::domain::event::Event { revision: a.revision + 1, ..a.clone() };
        prop_assert_ne!(id(&a), id(&next));
    }
}

#[test]
fn no_two_of_many_events_share_an_id() {
    let stream = fresh("alice");
    let ids: BTreeSet<Uuid> = (0..5_000_u64).map(|n| id(&deposit_at(&stream, n, n.into(), 0))).collect();
    assert_eq!(ids.len(), 5_000);
}

/// Two instances decide the same command, each by its own clock.
#[tokio::test]
async fn of_two_instances_with_different_clocks_one_is_told_that_it_lost() {
    for node in nodes() {
        let (one, other) = (node.store().await, node.store().await);
        let stream = fresh("alice");
        let decided = |seconds| {
            let mut proposed = Proposed::after(&stream, None);
            proposed.push(&deposit_at(&stream, 0, 7, seconds));
            proposed
        };
        assert!(matches!(one.append(&stream, &decided(0)).await, Appended::Stored { .. }));
        assert_eq!(other.append(&stream, &decided(1)).await, Appended::Conflict);
    }
}

/// What goes wrong otherwise. With an id made of the transaction's alone both are told "stored", and the second would
/// answer its client with an event that is not in the journal.
#[tokio::test]
async fn an_id_of_the_transaction_alone_would_let_both_believe_that_they_were_first() {
    for node in nodes() {
        let client = node.raw().await;
        let stream = fresh("alice");
        let name = stream.to_string();
        let transaction = Uuid::new_v4();
        let append = async |body: &str| {
            let event = EventData::json("Deposited", &body).unwrap().id(transaction);
            let options = AppendToStreamOptions::default().expected_revision(ExpectedRevision::NoStream);
            client.append_to_stream(name.as_str(), &options, event).await
        };
        append("recorded at 12:00:00").await.unwrap();
        append("recorded at 12:00:01").await.expect("the second instance is told that its event is stored");
        let found = Store::new(&node.connection).await.unwrap().stream(&stream, 0, 10).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].data.as_ref(), b"\"recorded at 12:00:00\"", "and it is not");
        drop(raw(&node.connection).await);
    }
}
