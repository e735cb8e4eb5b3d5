//! What the settings change at a start: destinations that are new, changed, missing, removed and named again, and a folder that
//! is a copy.

use std::collections::BTreeSet;
use std::sync::Arc;

use bookonce::delivery::runner::{Deliveries, Owner, SettleError};
use bookonce::domain::delivery::Stage;
use bookonce::domain::delivery::event::{DeliveryEvent, PauseCode};
use bookonce::domain::delivery::failure::FailureClass;
use bookonce::ledger::FolderId;
use uuid::Uuid;

use crate::memory::{Memory, name};
use crate::receiver::{Does, Receiver};
use crate::running::{FOLDER, given, one, start, start_as};

fn types(memory: &Memory) -> Vec<&'static str> {
    memory.events("crm").iter().map(DeliveryEvent::type_name).collect()
}

/// Guards against: a filter that is changed while the destination lags, and counts for what was booked before.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_filter_counts_from_the_position_of_the_change() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let of = |accounts: &str| {
        one(
            "crm",
            &receiver,
            "at_least_once",
            &format!("[destinations.crm.select]\naccounts = ['{accounts}']"),
        )
    };
    let old = Owner::new(FOLDER, true);
    start_as(&memory, &of("a-*"), old.clone()).await.stop().await;
    let before = [memory.books("a-1"), memory.books("b-1")];
    start_as(&memory, &of("b-*"), old.clone()).await.stop().await;
    let between = [memory.books("a-1"), memory.books("b-1")];
    start_as(&memory, &of("c-*"), old).await.stop().await;
    assert!(receiver.arrivals().is_empty(), "it is held");
    let after = [memory.books("a-1"), memory.books("c-1")];
    let deliveries = start(&memory, &of("c-*")).await;
    memory.until("crm", |state| state.through >= Some(after[1])).await;
    deliveries.stop().await;
    assert_eq!(receiver.taken().into_keys().collect::<Vec<_>>(), [before[0], between[1], after[1]]);
    assert_eq!(types(&memory)[..4], ["DestinationSet", "DestinationSet", "DestinationSet", "ServingTaken"]);
}

/// Guards against: a start that records something though nothing has changed, or sends what was booked before a destination
/// that begins now.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_begins_where_its_settings_say_and_another_start_records_nothing() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let early: Vec<u64> = (0..3).map(|_| memory.books("alice")).collect();
    let from = |from: &str| {
        one("crm", &receiver, "at_least_once", "").replace("from = 'start'", &format!("from = {from}"))
    };
    let held = Owner::new(FOLDER, true);
    for (begins, arrive) in [("'now'", &early[..0]), ("2", &early[2..]), ("'start'", &early[..])] {
        let memory = Memory::new();
        for _ in 0..3 {
            memory.books("alice");
        }
        start_as(&memory, &from(begins), held.clone()).await.stop().await;
        let next = memory.books("alice");
        let deliveries = start(&memory, &from(begins)).await;
        memory.until("crm", |state| state.through >= Some(next)).await;
        deliveries.stop().await;
        let recorded = types(&memory).len();
        start(&memory, &from(begins)).await.stop().await;
        assert_eq!(types(&memory).len(), recorded, "{begins}");
        let mut expected: Vec<u64> = arrive.to_vec();
        expected.push(next);
        let mut arrived: Vec<u64> = receiver.arrivals().iter().map(|arrival| arrival.position).collect();
        let arrived = arrived.split_off(arrived.len() - expected.len());
        assert_eq!(arrived, expected, "{begins}");
    }
    assert_eq!(receiver.arrivals().len(), 1 + 2 + 4);
}

/// Guards against: a line that somebody deletes by mistake, and that loses what was booked meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_missing_is_paused_and_goes_on_where_it_was() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let settings = one("crm", &receiver, "at_least_once", "");
    start(&memory, &settings).await.stop().await;
    start(&memory, "").await.stop().await;
    assert_eq!(memory.state("crm").unwrap().stage, Stage::Paused(PauseCode::Missing));
    let meanwhile = memory.books("alice");
    start(&memory, "").await.stop().await;
    assert_eq!(types(&memory).iter().filter(|kind| **kind == "DestinationPaused").count(), 1);
    let deliveries = start(&memory, &settings).await;
    memory.until("crm", |state| state.through >= Some(meanwhile)).await;
    deliveries.stop().await;
    assert_eq!(receiver.taken().into_keys().collect::<Vec<_>>(), [meanwhile]);
}

/// Guards against: messages that are neither sent nor told to anybody when their destination is removed.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_removed_destination_had_parked_becomes_letters_and_its_name_must_say_where_it_begins() {
    let memory = Memory::new();
    let receiver = Receiver::start(|arrival, _| {
        if arrival.subject == "account-alice" { Does::Answers(422, None) } else { Does::Takes }
    });
    let settings = one("crm", &receiver, "at_least_once", "retry = ['1h']");
    let parked: BTreeSet<u64> = (0..4).map(|_| memory.books("alice")).collect();
    let passes = memory.books("bob");
    let deliveries = start(&memory, &settings).await;
    memory.until("crm", |state| state.through >= Some(passes) && state.parked.len() == 1).await;
    deliveries.stop().await;
    let removed = settings.clone() + "removed = true";
    start(&memory, &removed).await.stop().await;
    start(&memory, &removed).await.stop().await;
    start(&memory, "").await.stop().await;
    assert_eq!(memory.state("crm").unwrap().stage, Stage::Removed);
    assert_eq!(types(&memory).last(), Some(&"DestinationRemoved"));
    let letters = memory.letters("crm");
    assert_eq!(letters.keys().copied().collect::<BTreeSet<_>>(), parked);
    assert!(letters.values().all(|letter| letter.error.class == FailureClass::DestinationRemoved));

    let unsaid = settings.replace("from = 'start'\n", "");
    let refused =
        Deliveries::start(Arc::new(memory.clone()), given(&unsaid), Owner::new(FOLDER, false)).await;
    assert!(matches!(refused.err(), Some(SettleError::NoBegin { line: 1, .. })));
    let again = start(&memory, &settings.replace("'start'", "'now'")).await;
    let next = memory.books("bob");
    memory.until("crm", |state| state.through >= Some(next)).await;
    again.stop().await;
    assert_eq!(receiver.taken().into_keys().collect::<Vec<_>>(), [passes, next]);
}

/// Guards against: a copy of a folder that sends what the original sends, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_held_and_the_original_goes_on() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let settings = one("crm", &receiver, "at_least_once", "");
    let original = start(&memory, &settings).await;
    memory.until("crm", |state| state.serving.is_some()).await;
    original.stop().await;
    let position = memory.books("alice");
    let recorded = types(&memory).len();
    let other = FolderId { id: Some(Uuid::from_u128(8)), is_copy: false };
    let copy = FolderId { id: None, is_copy: true };
    for owner in [Owner::new(other, false), Owner::new(copy, false), Owner::new(FOLDER, true)] {
        let deliveries = start_as(&memory, &settings, owner).await;
        assert!(deliveries.show(&name("crm")).await.unwrap().unwrap().is_held);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        deliveries.stop().await;
    }
    assert!(receiver.arrivals().is_empty());
    assert_eq!(types(&memory).len(), recorded);
    let deliveries = start(&memory, &settings).await;
    memory.until("crm", |state| state.through >= Some(position)).await;
    deliveries.stop().await;
    assert_eq!(receiver.taken().into_keys().collect::<Vec<_>>(), [position]);
}
