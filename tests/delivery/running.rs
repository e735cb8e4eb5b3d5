//! The runner over real sockets, with a ledger in memory: what it sends, in which order, and what it records of it.

use std::sync::Arc;
use std::time::Duration;

use bookonce::delivery::runner::{Deliveries, Owner};
use bookonce::delivery::settings::{Given, destinations};
use bookonce::domain::delivery::Stage;
use bookonce::domain::delivery::event::{DeliveryEvent, PauseCode};
use bookonce::domain::delivery::failure::FailureClass;
use bookonce::ledger::FolderId;
use uuid::Uuid;

use crate::memory::Memory;
use crate::receiver::{Does, Receiver};

pub const FOLDER: FolderId = FolderId { id: Some(Uuid::from_u128(7)), is_copy: false };

/// Returns the settings of one destination at a receiver, with more of its keys.
pub fn one(name: &str, receiver: &Receiver, guarantee: &str, more: &str) -> String {
    format!(
        "[destinations.{name}]\nkind = 'webhook'\nurl = 'http://{}/'\nguarantee = '{guarantee}'\nallow_http = true\n\
         allow_private = ['127.0.0.1']\nfrom = 'start'\n{more}\n",
        receiver.address
    )
}

pub fn given(text: &str) -> Vec<Given> {
    destinations(text).unwrap()
}

pub async fn start(memory: &Memory, settings: &str) -> Deliveries {
    start_as(memory, settings, Owner::new(FOLDER, false)).await
}

pub async fn start_as(memory: &Memory, settings: &str, owner: Owner) -> Deliveries {
    Deliveries::start(Arc::new(memory.clone()), given(settings), owner).await.unwrap()
}

/// Guards against: a message that is lost, doubled or out of order where nothing fails, and a service that records something
/// though it has nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_booked_arrives_once_and_in_order_and_a_quiet_destination_records_nothing() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let settings = one("crm", &receiver, "at_least_once", "");
    let before: Vec<u64> = (0..50).map(|n| memory.books(&format!("a-{}", n % 5))).collect();
    let deliveries = start(&memory, &settings).await;
    let mut all = before;
    all.extend((0..150).map(|n| memory.books(&format!("a-{}", n % 5))));
    let last = *all.last().unwrap();
    memory.until("crm", |state| state.through >= Some(last)).await;
    let recorded = memory.events("crm").len();
    // What it records of itself comes by in the journal, and causes nothing.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(memory.events("crm").len(), recorded);
    deliveries.stop().await;
    assert_eq!(receiver.taken(), all.iter().map(|position| (*position, 1)).collect());
    receiver.assert_in_order();
    assert_eq!(memory.state("crm").unwrap().delivered, 200);

    let again = start(&memory, &settings).await;
    let next = memory.books("a-1");
    memory.until("crm", |state| state.through >= Some(next)).await;
    again.stop().await;
    assert_eq!(receiver.arrivals().len(), 201);
    let takes = memory.events("crm").iter().filter(|event| event.type_name() == "ServingTaken").count();
    assert_eq!(takes, 1, "a restart of the same folder takes nothing again");
    assert!(receiver.arrivals().iter().all(|arrival| arrival.term == 1 && arrival.attempt == 1));
}

/// Guards against: a message that keeps those of other accounts from being sent, or lets a later one of its own account pass.
#[tokio::test(flavor = "multi_thread")]
async fn one_poison_message_is_parked_and_its_accounts_later_ones_come_after_it() {
    let memory = Memory::new();
    let poison = memory.books("alice");
    let receiver = Receiver::start(move |arrival, before| {
        if arrival.position == poison && before < 2 { Does::Answers(422, None) } else { Does::Takes }
    });
    let settings = one("crm", &receiver, "at_least_once", "retry = ['1s', '2s']");
    let deliveries = start(&memory, &settings).await;
    let others: Vec<u64> = (0..30).map(|n| memory.books(&format!("b-{n}"))).collect();
    let behind: Vec<u64> = (0..30).map(|_| memory.books("alice")).collect();
    memory.until("crm", |state| state.parked.len() == 1 && state.through >= others.last().copied()).await;
    let parked = memory.state("crm").unwrap();
    assert_eq!(parked.parked.keys().copied().collect::<Vec<_>>(), [poison]);
    let seen = deliveries.show(&crate::memory::name("crm")).await.unwrap().unwrap().seen.unwrap();
    assert_eq!((seen.parked, seen.held_accounts), (1, 1));
    assert_eq!(seen.last_error.unwrap().0.code.unwrap().as_str(), "422");
    memory.until("crm", |state| state.parked.is_empty() && state.through >= behind.last().copied()).await;
    deliveries.stop().await;
    assert_eq!(receiver.taken().len(), 61);
    assert!(receiver.taken().values().all(|times| *times == 1));
    receiver.assert_in_order();
    assert!(memory.letters("crm").is_empty());
}

/// Guards against: a destination that is away, and whose messages are parked or given up for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_down_parks_nothing_and_gets_everything_in_order_when_it_is_back() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let settings = one("crm", &receiver, "at_least_once", "");
    let address = receiver.address;
    drop(receiver);
    let deliveries = start(&memory, &settings).await;
    let all: Vec<u64> = (0..300).map(|n| memory.books(&format!("a-{}", n % 7))).collect();
    let name = crate::memory::name("crm");
    while deliveries.show(&name).await.unwrap().unwrap().seen.unwrap().down_since.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let state = memory.state("crm").unwrap();
    assert!(state.parked.is_empty() && state.through.is_none_or(|through| through < all[0]), "{state:?}");
    let back = Receiver::start_at(address, |_, _| Does::Takes);
    memory.until("crm", |state| state.through >= all.last().copied()).await;
    deliveries.stop().await;
    assert_eq!(back.taken(), all.iter().map(|position| (*position, 1)).collect());
    back.assert_in_order();
    assert!(memory.letters("crm").is_empty());
}

/// Guards against: a message that ends without its letter, or with two.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_too_long_becomes_one_letter_and_lets_its_account_go_on() {
    let memory = Memory::new();
    let poison = memory.books("alice");
    let receiver =
        Receiver::start(
            move |arrival, _| {
                if arrival.position == poison { Does::Answers(400, None) } else { Does::Takes }
            },
        );
    let settings = one("crm", &receiver, "at_least_once", "retry = ['1s']");
    let deliveries = start(&memory, &settings).await;
    let next = memory.books("alice");
    memory.until("crm", |state| state.parked.is_empty() && state.through >= Some(next)).await;
    deliveries.stop().await;
    let letters = memory.letters("crm");
    assert_eq!(letters.keys().copied().collect::<Vec<_>>(), [poison]);
    assert_eq!((letters[&poison].attempts, letters[&poison].error.class), (2, FailureClass::HttpStatus));
    assert_eq!(receiver.taken().into_keys().collect::<Vec<_>>(), [next]);
}

/// Guards against: a receiver that is gone for ever, and is asked for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_pauses_its_destination() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Answers(410, None));
    let settings = one("crm", &receiver, "at_least_once", "");
    let deliveries = start(&memory, &settings).await;
    memory.books("alice");
    memory.until("crm", |state| state.stage == Stage::Paused(PauseCode::Gone)).await;
    let asked = receiver.arrivals().len();
    memory.books("bob");
    deliveries.stop().await;
    assert_eq!((asked, receiver.arrivals().len()), (1, 1));
    let gone = |event: &&DeliveryEvent| matches!(event, DeliveryEvent::Paused { .. });
    assert_eq!(memory.events("crm").iter().filter(gone).count(), 1);
}

/// Guards against: a task that panics and takes the others with it, or is not counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_stops_one_destination_alone() {
    let memory = Memory::new();
    let receiver = Receiver::start(|_, _| Does::Takes);
    let settings = one("crm", &receiver, "at_least_once", "") + &one("erp", &receiver, "at_least_once", "");
    let deliveries = start(&memory, &settings).await;
    memory.until("crm", |state| state.serving.is_some()).await;
    memory.panics_at("crm");
    let position = memory.books("alice");
    memory.until("erp", |state| state.through >= Some(position)).await;
    while deliveries.panics() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let next = memory.books("alice");
    memory.until("erp", |state| state.through >= Some(next)).await;
    deliveries.stop().await;
    assert_eq!(deliveries.panics(), 1);
}
